/**
 * Daemons that are asked and commanded by the commands, each with a log and a map of its own.
 */
import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { readRows } from '../../src/map/map-types.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { type Daemon, type Result, startDaemon } from '../real/processes.ts';
import type { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { loginLine } from './watched-log.ts';

const MYNETWORKS = ['--mynetworks', 'none'] as const;

/** A line of a login by this user, with its end. */
export const loginBy = (user: string, address: string): string =>
  loginLine(address).replace('<anna>', `<${user}>`);

/** After a login: it was refused by an order. */
export const ignored = (daemon: Daemon): Promise<string> =>
  daemon.waitForLine(/^ {4}ignored --- revoked$/);

/** Whether something listens at a socket. */
const isServed = (path: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** A log and a map that no other test uses: a daemon with a new map reads what the log holds of the grace period. */
export class Controlled {
  readonly directory: string;
  readonly log: string;
  readonly map: string;
  /** The map's path without its suffix. */
  readonly path: string;
  readonly #rig: Rig;

  private constructor(rig: Rig, directory: string) {
    this.#rig = rig;
    this.directory = directory;
    this.log = join(directory, 'mail.log');
    this.path = join(directory, 'map');
    this.map = `lmdb:${this.path}`;
  }

  static async make(rig: Rig): Promise<Controlled> {
    const controlled = new Controlled(rig, await rig.directory());
    await writeFile(controlled.log, '');
    return controlled;
  }

  get socket(): string {
    return `${this.path}.sock`;
  }

  /** Starts a daemon, and does not wait for it. */
  spawn(...more: string[]): Daemon {
    const args = ['--watchlog', this.log, '--map', this.map, '--debug', ...MYNETWORKS, ...more];
    return startDaemon(this.#rig, process.execPath, [MAIN, ...args]);
  }

  /** Starts a daemon that takes commands. */
  async start(...more: string[]): Promise<Daemon> {
    const daemon = this.spawn(...more);
    await waitFor('the control socket', () => isServed(this.socket), {
      seen: () => daemon.transcript(),
    });
    return daemon;
  }

  write(lines: string): Promise<void> {
    return appendFile(this.log, lines);
  }

  /** Lets a user log in, and waits until the daemon has read it. */
  async logIn(daemon: Daemon, user: string, address: string): Promise<void> {
    const from = daemon.lines.length;
    await this.write(loginBy(user, address));
    await daemon.waitForLine(new RegExp(`^read .*ip=${address.replaceAll('.', '\\.')}$`), from);
  }

  /** Runs a command about the map. */
  run(command: string, ...args: string[]): Promise<Result> {
    return popbsmtp(command, '--map', this.map, ...args);
  }

  allow(...args: string[]): Promise<Result> {
    return this.run('allow', ...MYNETWORKS, ...args);
  }

  revoke(...args: string[]): Promise<Result> {
    return this.run('revoke', ...args);
  }

  /** The keys of the map's rows, in their order. */
  async keys(): Promise<string[]> {
    const rows = await readRows({ type: 'lmdb', path: this.path });
    return rows.map(({ key }) => key);
  }

  /** What `list --json` prints. */
  async listed(...args: string[]): Promise<Record<string, unknown>[]> {
    const { code, stdout, stderr } = await this.run('list', '--json', ...args);
    assert.equal(code, 0, stderr);
    return stdout
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line));
  }
}
