/**
 * A daemon, its log and its map, with the truth beside them: who logged in when, and so who must be in the map.
 *
 * Promises: every login that is written gets an address of its own, so that one that is lost shows; the map is
 * read by our reader of the file, under Postfix's lock; nothing waits for a fixed time.
 */
import { appendFileSync, closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../src/base/errors.ts';
import type { MapSpec, Row } from '../../src/map/map.ts';
import { readRows } from '../../src/map/map-types.ts';
import { MAIN } from '../real/popbsmtp.ts';
import { type Daemon, startDaemon } from '../real/processes.ts';
import type { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';

/** How far the clocks of log stamps (whole seconds) and purges may be apart, in seconds. */
const SLACK = 3;

export interface WorldOptions {
  /** Seconds. */
  readonly grace: number;
  /** Where the map is; a directory of the world's own when not given. */
  readonly mapDirectory?: string;
  /** `lmdb` when not given. */
  readonly mapType?: MapType;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a map's readers go by, and what of the daemon's options is about it. */
interface MapType {
  readonly type: string;
  /** The map that is looked at; without it, the first that the daemon writes. */
  readonly known?: (path: string) => MapSpec;
  readonly options?: (path: string) => readonly string[];
  /** Gets what it is written with. */
  readonly prepare?: (rig: Rig) => Promise<void>;
}

export class World {
  readonly log: string;
  readonly map: MapSpec;
  readonly grace: number;
  readonly #rig: Rig;
  readonly #options: readonly string[];
  /** What the readers of the map go by. */
  readonly #known: MapSpec;
  readonly #env: Readonly<Record<string, string>>;
  /** When each address logged in, in seconds of the steady clock. */
  readonly #logins = new Map<string, number>();
  #daemon: Daemon | null = null;
  #serial = 0;
  /** By how much the wall clock of this world has been set, in milliseconds. */
  clockOffset = 0;

  private constructor(rig: Rig, directory: string, options: WorldOptions) {
    this.#rig = rig;
    this.log = join(directory, 'log', 'mail.log');
    const { type, known, options: ofType }: MapType = options.mapType ?? { type: 'lmdb' };
    const path = join(options.mapDirectory ?? directory, 'pop-before-smtp');
    this.map = { type, path };
    this.#known = known?.(path) ?? this.map;
    this.#options = ofType?.(path) ?? [];
    this.grace = options.grace;
    this.#env = options.env ?? {};
  }

  static async make(rig: Rig, options: WorldOptions): Promise<World> {
    await options.mapType?.prepare?.(rig);
    const directory = await rig.directory();
    await mkdir(join(directory, 'log'));
    const world = new World(rig, directory, options);
    writeFileSync(world.log, '');
    return world;
  }

  /** How many logins were written. */
  get count(): number {
    return this.#serial;
  }

  get daemon(): Daemon {
    if (this.#daemon === null) throw new Error('no daemon was started');
    return this.#daemon;
  }

  start(): Daemon {
    const map = `${this.map.type}:${this.map.path}`;
    const args = ['--watchlog', this.log, '--map', map, '--grace', `${this.grace}s`];
    this.#daemon = startDaemon(
      this.#rig,
      process.execPath,
      [MAIN, ...args, ...this.#options, '--mynetworks', 'none'],
      {
        env: this.#env,
      },
    );
    return this.#daemon;
  }

  /** A log line that tells of a login from a new address, with its end. */
  nextLogin(): string {
    const number = this.#serial++;
    const ip = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    this.#logins.set(ip, performance.now() / 1000);
    return (
      `${new Date(Date.now() + this.clockOffset).toISOString()} mx dovecot: pop3-login: Login: user=<u${number}>, method=PLAIN, ` +
      `rip=${ip}, lip=192.0.2.5, mpid=1, session=<s${number}>\n`
    );
  }

  /** Writes logins to the end of the log, or of another file. */
  logIn(count: number, file: string = this.log): void {
    for (let index = 0; index < count; index++) appendFileSync(file, this.nextLogin());
  }

  /** Keeps the log open, as a syslog daemon does; what it writes goes to that file whatever its name. */
  openWriter(): { write(count: number): void; close(): void } {
    const fd = openSync(this.log, 'a');
    return {
      write: count => {
        for (let index = 0; index < count; index++) writeSync(fd, this.nextLogin());
      },
      close: () => closeSync(fd),
    };
  }

  /** Addresses that must be in the map and are not, and such that are and must not. */
  async differences(): Promise<{ lost: string[]; open: string[] }> {
    const present = new Set((await this.#rows()).map(({ key }) => key));
    const now = performance.now() / 1000;
    const lost: string[] = [];
    for (const [ip, at] of this.#logins) {
      if (now - at < this.grace - SLACK && !present.has(ip)) lost.push(ip);
    }
    const open = [...present].filter(ip => {
      const at = this.#logins.get(ip);
      return at === undefined || now - at > this.grace + SLACK;
    });
    return { lost, open };
  }

  /** Waits until the daemon has made the map: main.cf must not name one that is not there. */
  async hasMap(): Promise<void> {
    const isThere = (): Promise<boolean> =>
      readRows(this.#known).then(
        () => true,
        () => false,
      );
    await waitFor('the map', isThere, { seen: () => this.daemon.transcript() });
  }

  /** Waits until the map is as it must be; what is still wrong after the wait is returned. */
  async settle(): Promise<{ lost: number; open: number }> {
    const isRight = async (): Promise<boolean> => {
      const { lost, open } = await this.differences();
      return lost.length === 0 && open.length === 0;
    };
    const settled = await waitFor('a map that is right', isRight).catch(() => false);
    // Not looked at again: the next grant may be due by now.
    if (settled) return { lost: 0, open: 0 };
    const { lost, open } = await this.differences();
    return { lost: lost.length, open: open.length };
  }

  async #rows(): Promise<Row[]> {
    try {
      return await readRows(this.#known);
    } catch (error) {
      if (error instanceof Failure && error.code === 'MAP_MISSING') return [];
      throw error;
    }
  }
}
