/**
 * Hosts of a fleet, each a popbsmtp with a log, a map and a directory of its own, as they are started on mail hosts.
 */
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ask } from '../../src/control/client.ts';
import type { Status } from '../../src/control/status.ts';
import type { FleetStatus } from '../../src/fleet/fleet.ts';
import { readRows } from '../../src/map/map-types.ts';
import { loginLine } from '../cli/watched-log.ts';
import { MAIN } from './popbsmtp.ts';
import { type Daemon, startDaemon } from './processes.ts';
import type { Rig } from './rig.ts';
import { PATIENCE_MS, waitFor } from './wait.ts';

export interface HostOptions {
  readonly name: string;
  readonly role: 'publish' | 'subscribe' | 'both';
  /** Several, or none where its command line names sentinels. */
  readonly engine: string | readonly string[];
  /** Whether it tells each login; by default it does. */
  readonly debug?: boolean;
  /** More of its command line. */
  readonly more?: readonly string[];
}

export class FleetHost {
  readonly log: string;
  /** The map's path without its suffix. */
  readonly path: string;
  readonly #rig: Rig;
  readonly #options: HostOptions;
  #daemon: Daemon | null = null;

  private constructor(rig: Rig, directory: string, options: HostOptions) {
    this.#rig = rig;
    this.#options = options;
    this.log = join(directory, 'mail.log');
    this.path = join(directory, 'map');
  }

  /** Makes the host, and does not start its daemon. */
  static async make(rig: Rig, options: HostOptions): Promise<FleetHost> {
    const host = new FleetHost(rig, await rig.directory(), options);
    await writeFile(host.log, '');
    return host;
  }

  get map(): string {
    return `lmdb:${this.path}`;
  }

  get daemon(): Daemon {
    if (this.#daemon === null) throw new Error(`${this.#options.name} was not started`);
    return this.#daemon;
  }

  /** Starts its daemon, and waits until it can be asked. */
  async start(): Promise<Daemon> {
    const { name, role, engine, debug = true, more = [] } = this.#options;
    const log = role === 'subscribe' ? [] : ['--watchlog', this.log];
    const engines = [engine].flat().flatMap(url => ['--fleet', url]);
    const fleet = [...engines, '--fleet-role', role, '--fleet-name', name];
    const networks = ['--mynetworks', '127.0.0.1/32', '--exclude', 'none'];
    const args = [
      MAIN,
      'run',
      ...(debug ? ['--debug'] : []),
      ...log,
      '--map',
      this.map,
      ...networks,
      ...fleet,
      ...more,
    ];
    const daemon = startDaemon(this.#rig, process.execPath, args);
    this.#daemon = daemon;
    await waitFor('the daemon', async () => (await this.fleet()) !== null, {
      seen: () => daemon.transcript(),
    });
    return daemon;
  }

  async startConnected(): Promise<void> {
    await this.start();
    await this.connected(true);
  }

  /** What `status` tells of the fleet; null when it cannot be asked yet. */
  async fleet(): Promise<FleetStatus | null> {
    return (await this.#status())?.fleet ?? null;
  }

  /** Waits until so many seconds of the daemon's own have passed, and what it does each second has been done. */
  async hasRunFor(seconds: number): Promise<void> {
    const uptime = async (): Promise<number> => (await this.#status())?.uptime ?? 0;
    const until = (await uptime()) + seconds;
    await waitFor('time to pass', async () => (await uptime()) >= until);
  }

  #status(): Promise<Status | null> {
    if (!this.daemon.running) throw new Error(this.daemon.transcript());
    const map = { type: 'lmdb', path: this.path } as const;
    // As patient as a test: a machine that is busy lets a daemon wait for seconds.
    return ask(map, { command: 'status' }, { patienceMs: PATIENCE_MS });
  }

  connected(is: boolean): Promise<unknown> {
    return this.#waitFor(is ? 'the connection' : 'its loss', ({ connected }) => connected === is);
  }

  /** Waits until the others have been told of everything. */
  published(): Promise<unknown> {
    return this.#waitFor('the others to be told', ({ publish }) => publish?.waiting === 0);
  }

  async #waitFor(what: string, holds: (status: FleetStatus) => boolean): Promise<void> {
    const isSo = async (): Promise<boolean> => {
      const status = await this.fleet();
      return status !== null && holds(status);
    };
    await waitFor(`${this.#options.name}: ${what}`, isSo, { seen: () => this.daemon.transcript() });
  }

  /** Ends the daemon without a farewell. */
  async kill(): Promise<void> {
    this.daemon.signal('SIGKILL');
    await this.daemon.exited();
  }

  /** What is noted beside the map of how far everything has been dealt with; nothing in the first second. */
  noted(): Promise<string> {
    return readFile(`${this.path}.checkpoint`, 'utf8').catch(() => '');
  }

  /** Waits until the end of the stream of grants is noted beside the map. */
  async hasNotedItsPlace(): Promise<void> {
    await waitFor('its place', async () => {
      const found = await this.noted();
      return found.includes(`"grants":"${(await this.fleet())?.subscribe?.lastId}","history"`);
    });
  }

  /** Takes the map away, with what lies beside it. */
  async forgetEverything(): Promise<void> {
    const directory = dirname(this.path);
    for (const name of await readdir(directory))
      if (name.startsWith(basename(this.path))) await rm(join(directory, name));
  }

  logIn(...ips: readonly string[]): Promise<void> {
    return appendFile(this.log, ips.map((ip, index) => loginLine(ip, 0, `s${index}`)).join(''));
  }

  /** By another user than `logIn`. */
  logInAs(user: string, ip: string): Promise<void> {
    return appendFile(this.log, loginLine(ip, 0, user).replace('<anna>', `<${user}>`));
  }

  /** Many at once. */
  logInAll(ips: readonly string[], secondsAgo = 0): Promise<void> {
    return appendFile(this.log, ips.map((ip, at) => loginLine(ip, secondsAgo, `s${at}`)).join(''));
  }

  /** The addresses that may relay here. */
  async grants(): Promise<string[]> {
    const rows = await readRows({ type: 'lmdb', path: this.path });
    return rows.map(({ key }) => key).sort();
  }

  /** Waits until exactly these may relay here. */
  async hasOnly(ips: readonly string[]): Promise<void> {
    // The map is read when they are as many: it may be a large one.
    const count = async (): Promise<number | undefined> => (await this.#status())?.grants;
    await waitFor(
      `${this.#options.name} to have ${ips.length}`,
      async () => (await count()) === ips.length,
      { seen: async () => `${await count()}\n${this.daemon.transcript().slice(-10_000)}` },
    );
    const wanted = [...ips].sort().join(' ');
    await waitFor(
      `${this.#options.name} to have ${ips.length}`,
      async () => (await this.grants()).join(' ') === wanted,
      { seen: async () => `${(await this.grants()).length}\n${this.daemon.transcript()}` },
    );
  }

  async has(...ips: readonly string[]): Promise<void> {
    await waitFor(
      `${this.#options.name} to have ${ips.join(' ')}`,
      async () => {
        const found = await this.grants();
        return ips.every(ip => found.includes(ip));
      },
      { seen: async () => `${(await this.grants()).join(' ')}\n${this.daemon.transcript()}` },
    );
  }

  async hasNot(...ips: readonly string[]): Promise<void> {
    await waitFor(
      `${this.#options.name} not to have ${ips.join(' ')}`,
      async () => {
        const found = await this.grants();
        return !ips.some(ip => found.includes(ip));
      },
      { seen: async () => `${(await this.grants()).join(' ')}\n${this.daemon.transcript()}` },
    );
  }
}
