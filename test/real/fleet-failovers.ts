/**
 * A fleet whose engine is killed again and again under load, with real engines and real sentinels: what every map lacks at the end of
 * what the publishers hold in force, and what it has besides.
 *
 * Each time an address is revoked in the last moment of the primary, and another one while there is none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { FleetHost, type HostOptions } from './fleet-host.ts';
import { popbsmtp } from './popbsmtp.ts';
import type { Rig } from './rig.ts';
import { SentinelSite } from './sentinel.ts';
import { PATIENCE_MS, waitFor } from './wait.ts';

export interface FailoversOutcome {
  readonly logins: number;
  /** Grants that maps lack at the end, all maps together, and that they should not have. */
  readonly lost: number;
  readonly open: number;
}

/** Half of it is longer than what is waited for. */
const GRACE_SECONDS = (4 * PATIENCE_MS) / 1000;
const STEP_MS = 50;
/** Between the addresses of two publishers. */
const APART = 4_000_000;

/** Of 127.0.0.0/8, each once. */
const address = (number: number): string =>
  `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;

/** New addresses log in on a host until it is ended. */
class Load {
  readonly host: FleetHost;
  readonly #from: number;
  readonly #rate: number;
  #count = 0;
  #revoked = 0;
  #isEnding = false;
  readonly #running: Promise<void>;

  /** @param rate logins a second */
  constructor(host: FleetHost, from: number, rate: number) {
    this.host = host;
    this.#from = from;
    this.#rate = rate;
    this.#running = this.#run();
  }

  /** The first of its addresses that is not yet, with an order of its host. */
  async revoke(): Promise<void> {
    await waitFor('a login', () => this.#count > this.#revoked);
    const revoked = address(this.#from + this.#revoked);
    const { code, stderr } = await popbsmtp('revoke', '--map', this.host.map, revoked);
    if (code !== 0) throw new Error(stderr);
    this.#revoked++;
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#running;
  }

  get logins(): number {
    return this.#count;
  }

  /** All that are in force at its host. */
  inForce(): string[] {
    const count = this.#count - this.#revoked;
    return Array.from({ length: count }, (_, at) => address(this.#from + this.#revoked + at));
  }

  async #run(): Promise<void> {
    const begun = performance.now();
    while (!this.#isEnding) {
      const due = Math.floor((this.#rate * (performance.now() - begun)) / 1000) - this.#count;
      const ips = Array.from({ length: due }, (_, at) => address(this.#from + this.#count + at));
      await this.host.logIn(...ips);
      this.#count += due;
      await sleep(STEP_MS);
    }
  }
}

/**
 * @param rate logins a second, of both publishers together
 * @throws Error when the engine, or the fleet, does not come back
 */
export async function failOver(
  rig: Rig,
  { failovers, rate }: { readonly failovers: number; readonly rate: number },
): Promise<FailoversOutcome> {
  const site = await SentinelSite.start(rig, { engines: 3 });
  const common = ['--grace', `${GRACE_SECONDS}s`, '--max-grants', '2000000'];
  const host = (name: string, role: HostOptions['role'], ...more: string[]): Promise<FleetHost> =>
    FleetHost.make(rig, {
      ...{ name, role, engine: [], debug: false },
      more: [...site.options, ...common, ...more],
    });
  const [a, b, s, r] = [
    await host('a', 'publish', '--fleet-format', '2'),
    await host('b', 'both'),
    await host('s', 'subscribe'),
    await host('r', 'subscribe', '--fleet-read', 'replica'),
  ];
  await Promise.all([a, b, s, r].map(one => one.startConnected()));
  const [ofA, ofB] = [new Load(a, 0, rate / 2), new Load(b, APART, rate / 2)];
  try {
    for (let count = 0; count < failovers; count++) {
      const former = await site.primary();
      await ofA.revoke();
      await former.kill();
      await ofB.revoke();
      const next = await site.primaryAfter(former);
      for (const one of [a, b]) {
        await waitFor('the new primary', async () => {
          const fleet = await one.fleet();
          return fleet?.connected === true && fleet.engine === next.url;
        });
      }
      await former.again();
      await site.settled();
    }
  } finally {
    await Promise.all([ofA, ofB].map(load => load.end()));
  }
  const all = [...ofA.inForce(), ...ofB.inForce()];
  const maps = [
    await difference(a, ofA.inForce()),
    ...(await Promise.all([b, s, r].map(one => difference(one, all)))),
  ];
  return {
    logins: ofA.logins + ofB.logins,
    lost: maps.reduce((sum, { lost }) => sum + lost, 0),
    open: maps.reduce((sum, { open }) => sum + open, 0),
  };
}

/** What a map lacks, and has besides, when it has had time to become what it should be. */
async function difference(
  host: FleetHost,
  wanted: readonly string[],
): Promise<{ readonly lost: number; readonly open: number }> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = new Set(await host.grants());
    const lost = wanted.filter(ip => !found.has(ip)).length;
    const open = found.size - (wanted.length - lost);
    if (lost + open === 0 || performance.now() > deadline) return { lost, open };
    await sleep(1000);
  }
}
