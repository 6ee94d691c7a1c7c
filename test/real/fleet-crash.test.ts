/**
 * What the hosts of a fleet lose, with the real Redis: a crash of all at once, more than can wait, a cut that is longer than the grace
 * period; afterwards the maps of all hosts have what the publishers hold in force, and nothing else.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { FleetHost } from './fleet-host.ts';
import { range, World } from './fleet-world.ts';
import { MovedAddress } from './moved-address.ts';
import { freePort } from './ports.ts';
import { requirePrograms } from './programs.ts';
import { ENGINE_PROGRAMS, Redis } from './redis.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(ENGINE_PROGRAMS);

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
