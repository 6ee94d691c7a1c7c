/**
 * What an engine loses, and what its hosts lose, with the real Redis: afterwards the maps of all hosts, also of one that comes later,
 * have what the publishers hold in force, and nothing else.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { FleetHost } from './fleet-host.ts';
import { MovedAddress } from './moved-address.ts';
import { popbsmtp } from './popbsmtp.ts';
import { freePort } from './ports.ts';
import { requirePrograms } from './programs.ts';
import { Redis } from './redis.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(['redis-server', 'redis-cli']);

type Role = 'publish' | 'both' | 'subscribe';

const range = (network: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${network}.${at >> 8}.${at & 255}`);

/** Hosts of one engine; their addresses are told apart by their networks. */
class World {
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

describe('an engine loses', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('what XTRIM takes away, and orders: told again within half a grace period', async () => {
    const world = await World.make(rig, { more: ['--grace', '90s'] });
    const { b, s, all } = await world.fleet(50);
    assert.equal((await popbsmtp('revoke', '--map', b.map, '10.1.0.7')).code, 0);
    await s.hasNot('10.1.0.7');
    await b.published();
    for (const stream of ['grants', 'orders'])
      await world.redis.cli('xtrim', `popbsmtp:${stream}`, 'maxlen', '0');
    const late = await world.host('late', 'subscribe');
    assert.deepEqual(await late.grants(), []);
    const rest = all.filter(ip => ip !== '10.1.0.7');
    await waitFor('all to be told again', async () => {
      const found = await late.grants();
      return rest.every(ip => found.includes(ip));
    });
    await late.hasNot('10.1.0.7');
    await Promise.all([b, s].map(one => one.hasOnly(rest)));
  });

  test('a stream that it evicts: told again at once', async () => {
    const world = await World.make(rig, { redis: ['--maxmemory-policy', 'allkeys-lru'] });
    const { b, s, all } = await world.fleet(50);
    const { redis } = world;
    const junk = 'x'.repeat(100_000);
    for (let count = 0; count < 40; count++)
      await redis.cli('xadd', 'popbsmtp:grants', '*', 'x', junk);
    const [, used = '0'] = /^used_memory:(\d+)/m.exec(await redis.cli('info', 'memory')) ?? [];
    await redis.cli('config', 'set', 'maxmemory', String(Number(used) - 1_000_000));
    await waitFor('an eviction', async () =>
      /^evicted_keys:[1-9]/m.test(await redis.cli('info', 'stats')),
    );
    const late = await world.host('late', 'subscribe');
    await Promise.all([b, s, late].map(one => one.hasOnly(all)));
  });

  test('nothing of what is in force when it is full, and rid of what is not', async () => {
    const world = await World.make(rig);
    const { redis } = world;
    const junk = 'x'.repeat(100_000);
    for (let count = 1; count <= 40; count++)
      await redis.cli('xadd', 'popbsmtp:grants', `${count}-1`, 'x', junk);
    const [, used = '0'] = /^used_memory:(\d+)/m.exec(await redis.cli('info', 'memory')) ?? [];
    await redis.cli('config', 'set', 'maxmemory', String(Number(used) - 1_000_000));
    assert.match(await redis.cli('xadd', 'popbsmtp:grants', '*', 'x', 'y'), /^OOM /);
    const { s, all } = await world.fleet(20);
    const late = await world.host('late', 'subscribe');
    await Promise.all([s, late].map(one => one.hasOnly(all)));
  });
});

describe('kill -9 in the same second', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  for (const kept of ['yes', 'no'])
    test(`of publishers, a subscriber and the engine, with appendonly ${kept}: nothing is lost`, async () => {
      const world = await World.make(rig, {
        redis: ['--appendonly', kept, '--appendfsync', 'always'],
      });
      const { a, b, s, ofA, ofB } = await world.fleet(100);
      await a.hasRunFor(2);
      const [lastA, lastB] = [range('10.3', 40), range('10.4', 40)];
      await Promise.all([a.logInAll(lastA), b.logInAll(lastB)]);
      await Promise.all([world.redis.kill(), ...[a, b, s].map(one => one.kill())]);
      await world.redis.again();
      await Promise.all([a, b, s].map(one => one.startConnected()));
      const late = await world.host('late', 'subscribe');
      const all = [...ofA, ...lastA, ...ofB, ...lastB];
      await a.hasOnly([...ofA, ...lastA]);
      await Promise.all([b, s, late].map(one => one.hasOnly(all)));
    });
});

describe('more than can wait', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('150,000 logins of the last minute, at the start: the log is read as fast as they go out', async () => {
    const world = await World.make(rig, { more: ['--grace', '1h', '--max-grants', '200000'] });
    const s = await world.host('s', 'subscribe');
    const options = { name: 'a', role: 'publish', engine: world.redis.url } as const;
    const more = ['--grace', '1h', '--max-grants', '200000', '--fleet-format', '2'];
    const a = await FleetHost.make(rig, { ...options, more });
    const networks = [1, 2, 3].map(number => `10.${number}`);
    const all = networks.flatMap(network => range(network, 50_000));
    await a.logInAll(all, 60);
    await a.start();
    await Promise.all([a, s].map(one => one.hasOnly(all)));
    assert.equal((await a.fleet())?.publish?.dropped, 0);
  });
});

describe('a fleet with nothing to do', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('writes nothing', async () => {
    const world = await World.make(rig);
    const { a } = await world.fleet(5);
    await a.hasRunFor(12);
    const changes = async (): Promise<string | undefined> =>
      /^rdb_changes_since_last_save:(\d+)/m.exec(await world.redis.cli('info', 'persistence'))?.[1];
    const before = await changes();
    await a.hasRunFor(6);
    assert.equal(await changes(), before);
    assert.ok(before !== undefined);
  });
});

describe('a cut that is longer than the grace period', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('what has ended meanwhile opens nothing, and what is in force does', async () => {
    const redis = await Redis.start(rig, await freePort());
    const address = await MovedAddress.open(rig, redis.port);
    const more = ['--grace', '10s'];
    const common = { engine: address.url, more };
    const a = await FleetHost.make(rig, { name: 'a', role: 'publish', ...common });
    const s = await FleetHost.make(rig, { name: 's', role: 'subscribe', ...common });
    await Promise.all([a, s].map(one => one.startConnected()));
    address.moveTo(null);
    await Promise.all([a, s].map(one => one.connected(false)));
    await a.logIn('10.1.0.1');
    await a.has('10.1.0.1');
    await a.hasNot('10.1.0.1');
    let received = 0;
    // Until it is there in time, also on a machine that is busy.
    await waitFor('a login to be received', async () => {
      received++;
      await a.logIn(`10.2.0.${received}`);
      if (received === 1) address.moveTo(redis.port);
      return (await s.grants()).some(ip => ip.startsWith('10.2.'));
    });
    assert.ok(!/^written ok .*ip=10\.1\.0\.1$/m.test(s.daemon.transcript()));
    await Promise.all([a, s].map(one => one.hasOnly([])));
  });
});
