/**
 * A log that daemons of the test watch, each with a map of its own.
 */
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { epoch } from '../../src/base/clock.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { type Daemon, startDaemon } from '../real/processes.ts';
import type { Rig } from '../real/rig.ts';

/** A line that tells of a login, with its end. */
export const loginLine = (ip: string, secondsAgo = 0, session = 'a'): string =>
  `${formatStamp(epoch(Date.now() / 1000 - secondsAgo))} mx dovecot: pop3-login: Login: user=<anna>, ` +
  `method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=1, session=<${session}>\n`;

export class WatchedLog {
  readonly directory: string;
  readonly log: string;
  readonly #rig: Rig;
  #count = 0;

  private constructor(rig: Rig, directory: string) {
    this.#rig = rig;
    this.directory = directory;
    this.log = join(directory, 'mail.log');
  }

  static async make(rig: Rig): Promise<WatchedLog> {
    const watched = new WatchedLog(rig, await rig.directory());
    await writeFile(watched.log, '');
    return watched;
  }

  /** A map that no other test uses. */
  newMap(): string {
    return `lmdb:${join(this.directory, `map-${++this.#count}`)}`;
  }

  logIn(ip: string): Promise<void> {
    return appendFile(this.log, loginLine(ip));
  }

  start(map: string, ...more: string[]): Daemon {
    const args = ['--watchlog', this.log, '--map', map, '--mynetworks', 'none', ...more];
    return startDaemon(this.#rig, process.execPath, [MAIN, ...args]);
  }
}

/** The addresses that `popbsmtp list` shows. */
export async function keysOf(map: string): Promise<string[]> {
  const { stdout } = await popbsmtp('list', '--map', map);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map(line => line.replace(/ .*/, ''));
}
