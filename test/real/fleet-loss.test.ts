/**
 * What an engine loses, with the real Redis: afterwards the maps of all hosts, also of one that comes later, have what the publishers
 * hold in force, and nothing else.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { World } from './fleet-world.ts';
import { popbsmtp } from './popbsmtp.ts';
import { requirePrograms } from './programs.ts';
import { ENGINE_PROGRAMS } from './redis.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(ENGINE_PROGRAMS);

describe('an engine loses', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('what XTRIM takes away, and orders: told again within half a grace period', async () => {
    const world = await World.make(rig, { more: ['--grace', '3m'] });
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
