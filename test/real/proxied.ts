/**
 * What clients do at a proxy, and what its log has to say of it: the same in a file of rsyslog's and in the journal.
 *
 * Leaves to others: the proxy (nginx.ts, perdition.ts).
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns, patternsIn } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { JournalSource } from '../../src/source/journal-source.ts';
import { trustDeclared } from '../../src/source/journal-trust.ts';
import type { Endpoint } from './dialog.ts';
import { type Dovecot, type MailServer, startDovecot } from './dovecot.ts';
import { IMITATIONS, VICTIM } from './imitations.ts';
import { JOURNAL_PROGRAMS, type Journal, startJournal } from './journal.ts';
import { failToLogIn, type Open, openImap, openPop3, type Session } from './login.ts';
import { eventsIn, type Matched, sorted } from './matching.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, type Rsyslog, startRsyslog } from './rsyslog.ts';
import { linesOf, waitFor } from './wait.ts';

export interface MailProxy extends MailServer {
  pop3s: Dovecot['pop3s'];
  imaps: Dovecot['imaps'];
  /** IMAP, where a session that is silent for a second is ended. */
  impatient: MailServer['imap'];
}

/** What a proxy has logged, line by line. */
interface ProxyLog {
  /** The lines so far, once all that was logged before is among them. */
  lines(): Promise<readonly string[]>;
  /** Files that say the same. */
  files(): Promise<readonly string[]>;
}

/** The lines of a server in a journal, of processes of its name: there are no units in there. */
async function journalLog(rig: Rig, journal: Journal, server: string): Promise<ProxyLog> {
  const { files } = await loadPatterns(patternsIn(null));
  const known = files.find(file => file.server === server);
  if (known === undefined) throw new Error(`no patterns of ${server}`);
  const trust = {
    ...known.journal,
    units: null,
    comms: known.programs.map(comm => comm.slice(0, 15)),
  };
  const lines: string[] = [];
  const receiver = {
    lines: async (batch: readonly string[]) => void lines.push(...batch),
    notice: () => undefined,
  };
  const isFirst = trust.isHostFirst;
  const rules = {
    tags: known.programs,
    trust: trustDeclared([{ ...known, journal: trust }]),
    untagged: isFirst ? [[{ name: '_TRANSPORT', value: 'syslog' }]] : [],
    hostFirst: new Set(isFirst ? known.programs : []),
  };
  const start = { cursor: null, since: () => epoch(0) };
  const source = new JournalSource(receiver, rules, start, await journal.entrance('journalctl'));
  source.start();
  rig.defer(() => source.stop());
  const file = join(await rig.directory(), 'journal.log');
  return {
    lines: async () => lines,
    files: async () => {
      await writeFile(file, lines.map(line => `${line}\n`).join(''), 'latin1');
      return [file];
    },
  };
}

/** A proxy, the server behind it, and where its lines come to. */
interface Proxied {
  /** Of its patterns. */
  readonly server: string;
  readonly proxy: MailProxy;
  readonly backend: Pick<Dovecot, 'kick'>;
  readonly log: ProxyLog;
  /** What it writes at the end of a session that has logged in. */
  readonly ends: RegExp;
  /** What it tells of a session whose client resets the connection, where that is less than of others. */
  readonly resets?: Pick<Matched, 'ip' | 'user'>;
}

export type Begin = (open: Open, at: (from: string) => Endpoint, from?: string) => Promise<Session>;

/**
 * Clients log in and leave in every way, others fail to; then the log has to have each login and each end once, and nothing else.
 */
async function proveProxy({ server, proxy, backend, log, ends, resets }: Proxied): Promise<void> {
  const { account } = proxy;
  const expected: Matched[] = [];
  let host = 0;
  const address = (): string => `127.0.1.${++host}`;
  const begin = async (
    open: Open,
    at: (from: string) => Endpoint,
    from = address(),
    end: Pick<Matched, 'ip' | 'user'> = { ip: from, user: account.user },
  ): Promise<Session> => {
    const session = await open(at(from), account);
    assert.ok(session.accepted, session.answer);
    expected.push({ event: 'login', server, ip: from, user: account.user });
    expected.push({ event: 'logout', server, ...end });
    return session;
  };
  const ways = [
    [openPop3, proxy.pop3],
    [openImap, proxy.imap],
    [openPop3, proxy.pop3s],
    [openImap, proxy.imaps],
  ] as const;

  for (const [open, at] of ways) {
    await (await begin(open, at)).logout();
    await (await begin(open, at)).drop();
    // Node resets plain connections only.
    if (at(VICTIM).tls !== true) (await begin(open, at, address(), resets)).dialog.reset();
    const wrong = [
      { ...account, password: 'wrong' },
      ...['nobody', ...IMITATIONS].map(user => ({ user, password: 'guess' })),
    ];
    // At once: perdition answers each of them after three seconds.
    await Promise.all(wrong.map(one => failToLogIn(open, at(address()), one)));
  }
  await (await begin(openImap, proxy.imap, '::1')).logout();
  const ended = (): Promise<unknown> =>
    waitFor(
      'the sessions to end',
      async () => {
        const found = (await log.lines()).filter(line => ends.test(line));
        return found.length === expected.length / 2;
      },
      { seen: async () => (await log.lines()).join('\n') },
    );
  await ended();
  const open = [await begin(openImap, proxy.imap), await begin(openPop3, proxy.pop3)];
  await backend.kick();
  await (await begin(openImap, proxy.impatient)).dialog.until(/^never$/).catch(() => undefined);
  await ended();
  for (const session of open) await session.drop();
  for (const file of await log.files()) {
    const events = await eventsIn(file);
    assert.deepEqual(
      events.filter(event => event.server === server),
      sorted(expected),
    );
    await assertJoined(file, server);
    // The server behind it logs there as well.
    assert.ok(events.every(({ ip }) => ip !== VICTIM));
  }
}

/** Each logout is known to be of the session that its login has opened. */
async function assertJoined(file: string, server: string): Promise<void> {
  const recogniser = new Recogniser(
    await loadPatterns(patternsIn(null)),
    new StampReader(() => epoch(Date.now() / 1000)),
  );
  const keys = { login: new Set<string>(), logout: new Set<string>() };
  for (const line of await linesOf(file)) {
    const event = recogniser.recognise(line);
    if (event?.server === server && event.session !== null)
      keys[event.event].add(event.session.key);
  }
  assert.ok(keys.login.size > 0);
  assert.deepEqual([...keys.login].sort(), [...keys.logout].sort());
}

/** What rsyslog writes of a server, in both of its files. */
const syslogLog = ({ log, traditional, settle }: Rsyslog, server: string): ProxyLog => ({
  lines: async () => {
    await settle();
    return (await linesOf(log)).filter(line => line.includes(` ${server}`));
  },
  files: async () => [log, traditional],
});

/** What is the same for all proxies: the tests, in files of rsyslog's and in the journal. */
export function testProxy({
  programs,
  how = '',
  start,
  ...about
}: Pick<Proxied, 'server' | 'ends' | 'resets'> & {
  readonly programs: readonly string[];
  /** What is told of it in the names of the tests. */
  readonly how?: string;
  /** @param enter a command that runs it elsewhere, as in a journal's namespace */
  start(rig: Rig, backend: Dovecot, enter?: readonly string[]): Promise<MailProxy>;
}): void {
  const { server } = about;
  const skip = requirePrograms([...programs, ...RSYSLOG_PROGRAMS, ...JOURNAL_PROGRAMS], {
    root: true,
  });

  describe(`${server} as a proxy${how && ` ${how}`}`, { skip }, () => {
    let rig = new Rig();
    afterEach(async () => {
      await rig.close();
      rig = new Rig();
    });

    test('in files of rsyslog', async () => {
      const syslog = await startRsyslog(rig);
      const backend = await startDovecot(rig);
      const proxy = await start(rig, backend);
      await proveProxy({ ...about, proxy, backend, log: syslogLog(syslog, server) });
    });

    test('in the journal', async () => {
      const journal = await startJournal(rig);
      const log = await journalLog(rig, journal, server);
      const backend = await startDovecot(rig);
      const proxy = await start(rig, backend, journal.enter);
      await proveProxy({ ...about, proxy, backend, log });
    });
  });
}
