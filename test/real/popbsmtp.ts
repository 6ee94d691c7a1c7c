/**
 * popbsmtp itself, as built, run as a user runs it: a child process and its command line.
 *
 * Promises: the daemon watches the log when `startPopbsmtp` returns, so that nothing logged after
 * that is missed; it is stopped with the rig; it prints its decisions (`--debug`), and its lines are
 * kept.  Loopback addresses are not excluded, since all clients of the tests have such addresses.
 * Leaves to others: the log, the map's directory, Postfix.
 */
import { readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Daemon, type Result, runProgram, startDaemon } from './processes.ts';
import type { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

export const MAIN = join(import.meta.dirname, '../../bundle/main.js');

export interface PopbsmtpOptions {
  /** A file, or a journal. */
  readonly watchlog: string;
  /** As main.cf names it, `lmdb:/path`; several for maps that follow the first. */
  readonly map: string | readonly string[];
  /** As on the command line, or a file that can be changed meanwhile. */
  readonly grace: string | GraceFile;
  /** The configuration directory of the Postfix that is asked for mynetworks. */
  readonly postfixConfig: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A grace period that is long until it is made short, so that a grant neither ends before a slow machine has seen it,
 * nor has to be waited for.
 */
export class GraceFile {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(rig: Rig, grace: string): Promise<GraceFile> {
    const made = new GraceFile(join(await rig.directory(), 'popbsmtp.toml'));
    await made.#write(grace);
    return made;
  }

  /** Waits until the daemon has it. */
  async change(daemon: Daemon, grace: string): Promise<void> {
    const reloads = (): number => daemon.stderr.split('reloaded configuration').length;
    const before = reloads();
    await this.#write(grace);
    daemon.signal('SIGHUP');
    await waitFor('the reload', () => reloads() > before, { seen: () => daemon.transcript() });
  }

  #write(grace: string): Promise<void> {
    return writeFile(this.path, `grace = "${grace}"\n`);
  }
}

async function hasOpen(pid: number, path: string): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  const links = (await readdir(directory).catch(() => [])).map(name =>
    // A descriptor may be closed between the listing and the look.
    readlink(join(directory, name)).catch(() => ''),
  );
  return (await Promise.all(links)).includes(path);
}

/** Starts the daemon and waits until it has opened the log and the map. */
export async function startPopbsmtp(rig: Rig, options: PopbsmtpOptions): Promise<Daemon> {
  const { watchlog, map, grace, postfixConfig, env = {} } = options;
  const args = [
    ...[MAIN, 'run', '--debug', '--watchlog', watchlog],
    ...[map].flat().flatMap(name => ['--map', name]),
    ...(typeof grace === 'string' ? ['--grace', grace] : ['--config', grace.path]),
    ...['--postfix-config', postfixConfig, '--exclude', 'none'],
  ];
  const daemon = startDaemon(rig, process.execPath, args, { env });
  await waitFor(
    'popbsmtp to open the log',
    () => {
      if (!daemon.running) throw new Error(`popbsmtp ended: ${daemon.transcript()}`);
      return watchlog.startsWith('/')
        ? hasOpen(daemon.pid, watchlog)
        : daemon.stderr.includes(`watching ${watchlog}\n`);
    },
    { seen: () => daemon.transcript() },
  );
  return daemon;
}

/** Runs another of its commands to the end. */
export const popbsmtp = (...args: string[]): Promise<Result> =>
  runProgram(process.execPath, [MAIN, ...args]);
