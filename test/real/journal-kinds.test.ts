/**
 * The daemon on other journals than the host's, on containers' entries and on Dovecot's standard error: what the server says is
 * granted, what a local user says is not.
 *
 * Docker is not run here: its entries come by the journal's own protocol from root, as it sends them.  Nothing in here runs in a unit.
 */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type MailServer, startDovecot } from './dovecot.ts';
import { JOURNAL_PROGRAMS, type Journal, startJournal } from './journal.ts';
import { failToLogIn, logIn, openImap, openPop3 } from './login.ts';
import { MAIN } from './popbsmtp.ts';
import { type Daemon, runProgram, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms([...JOURNAL_PROGRAMS, 'dovecot', 'perl'], { root: true });

const said = (ip: string): string =>
  `Login: user=<anna>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=1, TLS, session=<${ip}>`;
/** Through syslog, and behind Dovecot's own stamp, as it prints it. */
const logged = (ip: string): string => `imap-login: ${said(ip)}`;
const printed = (ip: string): string => `Nov 24 22:34:26 imap-login: Info: ${said(ip)}`;

const STRANGER = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
const NAMESPACE = 'mail';

describe('the daemon on', { skip }, () => {
  const rig = new Rig();
  let journal: Journal;
  let path: string;
  let directory: string;

  before(async () => {
    directory = await rig.directory();
    journal = await startJournal(rig, { namespace: { name: NAMESPACE, directory } });
    path = `${dirname(await journal.entrance('journalctl'))}:${process.env['PATH'] ?? ''}`;
  });
  after(() => rig.close());

  /** One with a map of its own, unless another's is given. */
  async function start(map: string | null, names: readonly string[], ...more: string[]) {
    const own = map ?? `lmdb:${join(await rig.directory(), 'map')}`;
    const logs = names.flatMap(name => ['--watchlog', name]);
    const args = [...logs, '--map', own, '--mynetworks', 'none', '--debug', ...more];
    const daemon = startDaemon(rig, process.execPath, [MAIN, ...args], { env: { PATH: path } });
    for (const name of names)
      await waitFor(
        `${name} to be watched`,
        () => daemon.stderr.includes(`watching ${name}\n`) || undefined,
        { seen: () => daemon.transcript() },
      );
    return { daemon, map: own };
  }

  const addresses = (daemon: Daemon): string[] =>
    daemon.lines.filter(line => line.startsWith('read ')).map(line => line.replace(/.* ip=/, ''));

  const read = (daemon: Daemon, ip: string): Promise<unknown> =>
    waitFor(`the login from ${ip}`, () => addresses(daemon).includes(ip) || undefined, {
      seen: () => daemon.transcript(),
    });

  const warned = (daemon: Daemon, form: RegExp): Promise<unknown> =>
    waitFor(`a warning ${form}`, () => form.test(daemon.stderr) || undefined, {
      seen: () => daemon.transcript(),
    });

  const host = (tag: string, ip: string, ...as: readonly string[]): Promise<string> =>
    journal.run('setpriv', [...as, 'logger', '-p', 'mail.info', '-t', tag, logged(ip)]);

  const inNamespace = (ip: string, ...as: readonly string[]): Promise<string> =>
    journal.run('setpriv', [
      ...[...as, 'logger', '--socket', `/run/systemd/journal.${NAMESPACE}/dev-log`],
      ...['-p', 'mail.info', '-t', 'dovecot', logged(ip)],
    ]);

  /** Sends one entry by the journal's own protocol. */
  const send = (fields: Readonly<Record<string, string>>, ...as: readonly string[]) => {
    const text = Object.entries(fields)
      .map(([name, value]) => `${name}=${value}\n`)
      .join('');
    return journal.run('setpriv', [...as, 'perl', '-e', SEND], { input: text });
  };

  /** As Docker's journald driver does. */
  const container = (message: string, changed: object = {}, ...as: readonly string[]) =>
    send(
      {
        ...{ MESSAGE: message, PRIORITY: '3', SYSLOG_IDENTIFIER: '0123456789ab' },
        ...{ CONTAINER_ID: '0123456789ab', CONTAINER_NAME: 'mailu_front_1' },
        ...{ CONTAINER_TAG: 'mailu-front', ...changed },
      },
      ...as,
    );
  const FRONT = ['--journal-match', 'CONTAINER_TAG=mailu-front'];

  describe('the journal of a namespace', () => {
    const NAME = `journal:namespace=${NAMESPACE}`;

    before(() =>
      waitFor('its journald', async () => {
        const { stdout } = await runProgram(journal.enter[0], [
          ...journal.enter.slice(1),
          ...['ls', `/run/systemd/journal.${NAMESPACE}`],
        ]);
        return stdout.includes('dev-log');
      }),
    );

    test('reads it and the host’s, each from where it was, and no local user', async () => {
      const { daemon, map } = await start(null, ['journal', NAME]);
      await inNamespace('203.0.113.66', ...STRANGER);
      await inNamespace('198.51.100.1');
      await read(daemon, '198.51.100.1');
      await host('dovecot', '198.51.100.2');
      await read(daemon, '198.51.100.2');
      await warned(daemon, new RegExp(`entr(?:y|ies) of ${NAME} under the tag dovecot.*uid 65534`));
      assert.equal(await daemon.stop(), 0);
      await inNamespace('198.51.100.3');
      await host('dovecot', '198.51.100.4');
      const { daemon: again } = await start(map, ['journal', NAME]);
      await read(again, '198.51.100.3');
      await read(again, '198.51.100.4');
      assert.deepEqual(addresses(again).sort(), ['198.51.100.3', '198.51.100.4']);
      assert.equal(await again.stop(), 0);
    });

    test('as a directory of its files', async () => {
      const { daemon } = await start(null, [`journal:${directory}`]);
      await inNamespace('203.0.113.67', ...STRANGER);
      await inNamespace('198.51.100.5');
      await read(daemon, '198.51.100.5');
      assert.ok(!addresses(daemon).includes('203.0.113.67'));
      assert.ok(!addresses(daemon).includes('198.51.100.4'));
      assert.equal(await daemon.stop(), 0);
    });

    test('that nobody has written to waits for it', async () => {
      const { daemon } = await start(null, ['journal:namespace=none', NAME]);
      await inNamespace('198.51.100.6');
      await read(daemon, '198.51.100.6');
      assert.equal(await daemon.stop(), 0);
    });

    test('is understood by the doctor', async () => {
      const result = await runProgram(
        process.execPath,
        [
          ...[MAIN, 'doctor', '--json', '--no-smtp', '--mynetworks', 'none', '--watchlog', NAME],
          ...['--watchlog', `journal:${directory}`, '--watchlog', 'journal:namespace=none'],
          ...['--watchlog', `journal:${directory}/nothing`],
          ...['--map', `lmdb:${join(await rig.directory(), 'map')}`],
        ],
        { env: { PATH: path } },
      );
      for (const form of [
        new RegExp(`${NAME} can be read; last written`),
        new RegExp(`journal:${directory} can be read; last written`),
        /journal:namespace=none has no entry of a POP3\/IMAP server/,
        new RegExp(`cannot read journal:${directory}/nothing: no such directory`),
        /recognised among the last \d+ lines: dovecot \d+/,
      ])
        assert.match(result.stdout, form);
    });
  });

  describe('a container that is chosen', () => {
    test('reads its lines, and nothing that a local user says of himself', async () => {
      const { daemon } = await start(null, ['journal'], ...FRONT);
      await container(printed('203.0.113.1'), {}, ...STRANGER);
      await container(printed('203.0.113.2'), { SYSLOG_IDENTIFIER: 'dovecot' }, ...STRANGER);
      await send({ ...USER, MESSAGE: printed('203.0.113.3') }, ...STRANGER);
      await journal.run('setpriv', [...STRANGER, 'logger', '--journald'], {
        input: `_UID=0\nCONTAINER_TAG=mailu-front\nMESSAGE=${printed('203.0.113.4')}\n`,
      });
      for (const tag of ['mailu-front', 'dovecot'])
        await journal.run('setpriv', [...STRANGER, 'systemd-cat', '-t', tag, 'cat'], {
          input: `${printed('203.0.113.5')}\nCONTAINER_TAG=mailu-front\n`,
        });
      await host('dovecot', '203.0.113.6', ...STRANGER);
      // Of root, but not chosen, or of another container.
      await host('dovecot', '203.0.113.7');
      await container(printed('203.0.113.8'), { CONTAINER_TAG: 'web' });
      await container(printed('198.51.100.11'));
      await container(`${printed('198.51.100.12')}\r`);
      await container(`Nov 24 22:34:26 mail dovecot: ${logged('198.51.100.13')}`);
      await read(daemon, '198.51.100.13');
      assert.deepEqual(addresses(daemon), ['198.51.100.11', '198.51.100.12', '198.51.100.13']);
      await warned(
        daemon,
        /under the tag 0123456789ab (?:was|were) not taken.*uid 65534 by journal/,
      );
      assert.equal(await daemon.stop(), 0);
    });

    test('has no piece of a long line taken for a line, also by another run', async () => {
      const { daemon, map } = await start(null, ['journal'], ...FRONT);
      const head = { CONTAINER_PARTIAL_MESSAGE: 'true' };
      const marked = { CONTAINER_PARTIAL_ID: 'x', CONTAINER_PARTIAL_ORDINAL: '1' };
      await container('x'.repeat(16384), head);
      await container(printed('203.0.113.11'));
      await container('x'.repeat(16384), { ...head, ...marked, CONTAINER_PARTIAL_LAST: 'false' });
      await container(printed('203.0.113.12'), { ...marked, CONTAINER_PARTIAL_LAST: 'true' });
      await container(printed('203.0.113.13'), head);
      await container(printed('203.0.113.14'));
      await container(printed('198.51.100.14'));
      await read(daemon, '198.51.100.14');
      await container('x'.repeat(16384), head);
      await container(printed('198.51.100.15'), { CONTAINER_ID: 'b' });
      await read(daemon, '198.51.100.15');
      assert.equal(await daemon.stop(), 0);
      await container(printed('203.0.113.15'));
      await container(printed('198.51.100.16'));
      const { daemon: again } = await start(map, ['journal'], ...FRONT);
      await read(again, '198.51.100.16');
      const seen = [...addresses(daemon), ...addresses(again)];
      assert.deepEqual(
        seen.filter(ip => ip.startsWith('203.0.113.')),
        [],
      );
      assert.equal(await again.stop(), 0);
    });

    test('is not believed any more once it prints what nginx writes itself', async () => {
      const { daemon } = await start(null, ['journal'], '--journal-match', 'CONTAINER_NAME=proxy');
      const proxy = { CONTAINER_NAME: 'proxy', CONTAINER_ID: 'c' };
      await container('2026/11/24 22:34:26 [info] 7#7: *1 client connected', proxy);
      await container(printed('203.0.113.21'), proxy);
      await container(printed('198.51.100.21'), { ...proxy, CONTAINER_ID: 'd' });
      await read(daemon, '198.51.100.21');
      assert.deepEqual(addresses(daemon), ['198.51.100.21']);
      await warned(daemon, /has lines that nginx writes itself/);
      assert.equal(await daemon.stop(), 0);
    });
  });

  test('a journal with logins under an unknown tag tells of them, but of no user’s', async () => {
    await host('userd', '203.0.113.31', ...STRANGER);
    await host('toyd', '203.0.113.32');
    await container(printed('203.0.113.33'), { SYSLOG_IDENTIFIER: 'fedcba987654' });
    const { daemon } = await start(null, ['journal']);
    await warned(daemon, /under the tag toyd look like logins of dovecot/);
    await warned(daemon, /under the tag fedcba987654 look .* chosen by journal-match/);
    assert.doesNotMatch(daemon.stderr, /userd/);
    assert.equal(await daemon.stop(), 0);
    const map = `lmdb:${join(await rig.directory(), 'map')}`;
    const doctor = await runProgram(
      process.execPath,
      [
        ...[MAIN, 'doctor', '--json', '--no-smtp', '--mynetworks', 'none'],
        ...['--watchlog', 'journal', '--map', map],
      ],
      { env: { PATH: path } },
    );
    assert.match(
      doctor.stdout,
      /journal: \d+ lines? under the tag toyd look like logins of dovecot/,
    );
    assert.doesNotMatch(doctor.stdout, /userd/);
  });

  describe('Dovecot with log_path = /dev/stderr', () => {
    let dovecot: MailServer;

    before(async () => {
      const program = await journal.entrance('dovecot', ['systemd-cat', '-t', 'dovecot']);
      dovecot = await startDovecot(rig, { logPath: '/dev/stderr', program });
    });

    test('reads its logins, which come by a stream behind its own stamp, and nobody else’s', async () => {
      const { daemon } = await start(null, ['journal']);
      for (const as of [[], STRANGER])
        await journal.run('setpriv', [...as, 'systemd-cat', '-t', 'dovecot', 'cat'], {
          input: `${printed('203.0.113.41')}\n${logged('203.0.113.42')}\n`,
        });
      await failToLogIn(openImap, dovecot.imap('127.0.0.4'), { user: 'nobody', password: 'x' });
      const from = ['127.0.0.2', '127.0.0.3'] as const;
      await logIn(openImap, dovecot.imap(from[0]), dovecot.account);
      await logIn(openPop3, dovecot.pop3(from[1]), dovecot.account);
      const entries = async (): Promise<string> =>
        journal.run('journalctl', [
          '-o',
          'json',
          '--no-pager',
          '-t',
          'dovecot',
          '_TRANSPORT=stdout',
        ]);
      for (const ip of from)
        await waitFor(`the decision about ${ip}`, () => daemon.stdout.includes(ip) || undefined, {
          seen: async () => `${daemon.transcript()}\n${await entries()}`,
        });
      assert.doesNotMatch(daemon.stdout, /203\.0\.113\.4[12]|127\.0\.0\.4\b/);
      assert.match(
        await entries(),
        /"MESSAGE":"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d imap-login: Info: Log(?:in|ged in): user=<anna>, [^"]*rip=127\.0\.0\.2/,
      );
      assert.equal(await daemon.stop(), 0);
    });
  });
});

/** What a user can say of himself at most. */
const USER = {
  ...{
    SYSLOG_IDENTIFIER: 'mailu-front',
    CONTAINER_TAG: 'mailu-front',
    CONTAINER_ID: '0123456789ab',
  },
  ...{ _UID: '0', _TRANSPORT: 'journal', _COMM: 'dockerd', _SYSTEMD_UNIT: 'docker.service' },
};

/** Sends its input as one entry. */
const SEND = `
  use IO::Socket::UNIX;
  my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => "/run/systemd/journal/socket") or die "$!";
  $socket->send(join("", <STDIN>));
`;
