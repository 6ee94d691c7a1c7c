/**
 * popbsmtp in front of another SMTP server than Postfix, in an overlay where there is no Postfix.
 *
 * Promises: the daemon runs in there as Debian's package has it, with an account of its own in /var/popbsmtp, and follows the mail
 * log of the outside.  `goesTheWholeWay` asks the server at each step of a grant's life, and of the life of the daemon.
 * Leaves to others: the server (exim.ts and its like), the POP3 server, the log.
 */
import assert from 'node:assert/strict';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../../src/base/errors.ts';
import type { Endpoint } from './dialog.ts';
import type { MailServer } from './dovecot.ts';
import { logIn, openPop3 } from './login.ts';
import { type Overlay, startOverlay } from './overlay.ts';
import { MAIN } from './popbsmtp.ts';
import { type Daemon, type Result, runProgram, startDaemon } from './processes.ts';
import type { Rig } from './rig.ts';
import type { Rsyslog } from './rsyslog.ts';
import { askToRelay } from './smtp.ts';
import { waitFor } from './wait.ts';

/** Of the map, as the package makes it. */
export const STATE = '/var/popbsmtp';
const ACCOUNT = 'popbsmtp';

/** Where the directory of the log of the outside is in there, for any account. */
export const LOGS = '/srv/log';

export interface OtherMta {
  readonly overlay: Overlay;
  /** As --map takes it; in STATE. */
  readonly map: string;
  /** Further options of popbsmtp that this server needs. */
  readonly options: readonly string[];
  smtp(from: string): Endpoint;
  /** Where clients that may not relay do not even reach it. */
  readonly refuses?: 'connections';
}

/**
 * An overlay with the packages of a server, and popbsmtp's account and directory.
 *
 * @param reader the group of the account that reads the map
 * @param account whose the directory of the map is, and so what popbsmtp runs as
 * @param how as for `startOverlay`
 */
export async function startHost(
  rig: Rig,
  syslog: Rsyslog,
  packages: readonly string[],
  reader: string,
  account: 'root' | typeof ACCOUNT = ACCOUNT,
  how: 'installed' | 'unpacked' = 'installed',
): Promise<Overlay> {
  const repository = join(dirname(MAIN), '../..');
  const shown = new Map([
    [repository, repository],
    [LOGS, dirname(syslog.log)],
  ]);
  const overlay = await startOverlay(rig, packages, [], shown, how);
  await overlay.run('useradd', ['--system', '--home-dir', STATE, '--shell', '/bin/false', ACCOUNT]);
  // What is made in there belongs to the reader's group.
  await overlay.run('install', ['-d', '-m', '2750', '-o', account, '-g', reader, STATE]);
  return overlay;
}

/**
 * What the doctor says of a server, in there: of the server, of Postfix, and of who may relay.
 *
 * @param endpoint where it is asked
 */
export async function doctorIn(
  { overlay, map, options }: OtherMta,
  endpoint: string,
): Promise<string[]> {
  const { stdout, stderr } = await popbsmtpIn(overlay, [
    ...['doctor', '--map', map, ...options, '--mynetworks', 'none', '--smtp', endpoint, '--json'],
  ]);
  assert.equal(stderr, '');
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { check: string; level: string; what: string })
    .filter(({ check }) =>
      /^(?:mta|postfix|restrictions|maps|mynetworks|lookup|relay)$/.test(check),
    )
    .map(({ check, level, what }) => `${check} ${level}: ${what}`);
}

/** A daemon in an overlay, where it has another pid than its nsenter(1) out here. */
class InnerDaemon {
  readonly #overlay: Overlay;
  readonly #outer: Daemon;

  constructor(overlay: Overlay, outer: Daemon) {
    this.#overlay = overlay;
    this.#outer = outer;
  }

  get stderr(): string {
    return this.#outer.stderr;
  }

  transcript(): string {
    return this.#outer.transcript();
  }

  waitForLine(expression: RegExp): Promise<string> {
    return this.#outer.waitForLine(expression);
  }

  async signal(name: NodeJS.Signals): Promise<void> {
    const [, pid = ''] = /^pid (\d+)$/m.exec(this.#outer.stdout) ?? [];
    await this.#overlay.run('kill', ['-s', name.slice('SIG'.length), pid]);
  }

  async stop(): Promise<number | null> {
    await this.signal('SIGTERM');
    return this.#outer.exited();
  }

  /** Where a test has failed: nsenter alone would end, and leave it its output. */
  async kill(): Promise<void> {
    if (this.#outer.running) await this.signal('SIGKILL');
  }
}

const WITH_PID = 'echo "pid $$"; exec "$@"';

async function start(rig: Rig, { overlay }: OtherMta, args: readonly string[]) {
  const command = ['-euc', WITH_PID, 'sh', process.execPath, MAIN, 'run', '--debug', ...args];
  const [program, ...rest] = overlay.argv('sh', command);
  const outer = startDaemon(rig, program, rest);
  const inner = new InnerDaemon(overlay, outer);
  rig.defer(() => inner.kill());
  await waitFor(
    'popbsmtp to watch the log',
    () => outer.stderr.includes('watching ') || !outer.running,
  );
  assert.ok(outer.running, outer.transcript());
  return inner;
}

/** Runs a command of popbsmtp's in there. */
export function popbsmtpIn(overlay: Overlay, args: readonly string[]): Promise<Result> {
  const [program, ...rest] = overlay.argv(process.execPath, [MAIN, ...args]);
  return runProgram(program, rest);
}

/** Two clients, whose addresses begin with 127.0.0.6, for each call: a daemon reads the logins of earlier ones in the log as well. */
const clients: (readonly [from: string, other: string])[] = [
  ['127.0.0.61', '127.0.0.62'],
  ['127.0.0.63', '127.0.0.64'],
];

/** Refused, login, accepted, also without the daemon, refused again at the end of the grace period, with the daemon and without. */
export async function goesTheWholeWay(
  rig: Rig,
  mta: OtherMta,
  outside: { readonly syslog: Rsyslog; readonly dovecot: MailServer },
): Promise<void> {
  const { overlay, map, options } = mta;
  const { syslog, dovecot } = outside;
  const [from, other] = clients.shift() ?? assert.fail('too many ways for one log');
  const stranger = '127.0.0.200';
  const base = ['--map', map, ...options];
  const run = [
    ...base,
    '--watchlog',
    join(LOGS, basename(syslog.log)),
    '--mynetworks',
    'none',
    '--exclude',
    'none',
  ];
  const answer = async (client: string): Promise<string> => {
    const { code, text } = await askToRelay(mta.smtp(client)).catch((error: unknown) => {
      if (mta.refuses !== 'connections' || errnoOf(error) !== 'ECONNREFUSED') throw error;
      return { code: 550, text: '550 no connection' };
    });
    return code === 250 ? 'accepted' : `refused ${text}`;
  };
  const isAccepted = async (client: string): Promise<boolean> =>
    (await answer(client)) === 'accepted';
  const isRefused = async (client: string): Promise<boolean> =>
    /^refused 5[15]\d /.test(await answer(client));
  const refusal = await popbsmtpIn(overlay, ['run', ...base, '--watchlog', '-']);
  assert.notEqual(refusal.code, 0, 'without --mynetworks');
  assert.match(refusal.stderr, /--mynetworks/);

  let daemon = await start(rig, mta, [...run, '--grace', '1h']);
  const seen = () => daemon.transcript();
  assert.match(await answer(from), /^refused 5[15]\d /, 'before the login');
  await logIn(openPop3, dovecot.pop3(from), dovecot.account);
  await waitFor('the grant', () => isAccepted(from), { seen });
  assert.ok(await isRefused(stranger), 'somebody else');
  assert.ok(await isRefused('127.0.0.6'), 'whose address begins like it');

  assert.equal(await daemon.stop(), 0, daemon.transcript());
  assert.ok(await isAccepted(from), 'while no daemon runs');
  daemon = await start(rig, mta, [...run, '--grace', '1h']);
  assert.ok(await isAccepted(from), 'a restarted daemon goes on where it was');
  assert.equal(await daemon.stop(), 0, daemon.transcript());

  daemon = await start(rig, mta, [...run, '--grace', '2s']);
  await waitFor('the end of the grant', () => isRefused(from), { seen });
  await daemon.waitForLine(new RegExp(`^purging ts=.*=${from}$`));
  assert.equal(await daemon.stop(), 0, daemon.transcript());

  daemon = await start(rig, mta, [...run, '--grace', '1h']);
  await logIn(openPop3, dovecot.pop3(other), dovecot.account);
  await waitFor('another grant', () => isAccepted(other), { seen });
  assert.equal(await daemon.stop(), 0, daemon.transcript());
  await waitFor('a purge without a daemon to end it', async () => {
    const purged = await popbsmtpIn(overlay, ['purge', ...base, '--grace', '1s']);
    assert.equal(purged.code, 0, purged.stderr);
    return isRefused(other);
  });
}
