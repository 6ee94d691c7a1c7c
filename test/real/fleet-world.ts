/**
 * A fleet of one engine, and what its publishers hold in force: what every other map has to have as well.
 */
import { FleetHost } from './fleet-host.ts';
import { freePort } from './ports.ts';
import { Redis } from './redis.ts';
import type { Rig } from './rig.ts';

type Role = 'publish' | 'both' | 'subscribe';

export const range = (network: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${network}.${at >> 8}.${at & 255}`);

/** Hosts of one engine; their addresses are told apart by their networks. */
export class World {
  readonly #rig: Rig;
  readonly #more: readonly string[];
  readonly redis: Redis;

  private constructor(rig: Rig, redis: Redis, more: readonly string[]) {
    this.#rig = rig;
    this.redis = redis;
    this.#more = more;
  }

  static async make(rig: Rig, { redis = [] as string[], more = [] as string[] } = {}) {
    return new World(rig, await Redis.start(rig, await freePort(), ...redis), more);
  }

  async host(name: string, role: Role, ...more: string[]): Promise<FleetHost> {
    const options = { name, role, engine: this.redis.url, more: [...this.#more, ...more] };
    const host = await FleetHost.make(this.#rig, options);
    await host.startConnected();
    return host;
  }

  /** Of a publisher of format 1 and one of format 2, a subscriber, and what they have. */
  async fleet(count: number) {
    const a = await this.host('a', 'publish', '--fleet-format', '2');
    const b = await this.host('b', 'both');
    const s = await this.host('s', 'subscribe');
    const [ofA, ofB] = [range('10.1', count), range('10.2', count)];
    await a.logInAll(ofA);
    await b.logInAll(ofB);
    await a.hasOnly(ofA);
    const all = [...ofA, ...ofB];
    await Promise.all([b, s].map(one => one.hasOnly(all)));
    await Promise.all([a, b].map(one => one.published()));
    return { a, b, s, ofA, ofB, all };
  }
}
