/**
 * What becomes of a fleet when another engine takes the place of the first, with real Redis: a replica that is promoted,
 * also while the old primary goes on.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { FleetHost } from './fleet-host.ts';
import { MovedAddress } from './moved-address.ts';
import { popbsmtp } from './popbsmtp.ts';
import { freePort } from './ports.ts';
import { requirePrograms } from './programs.ts';
import { ENGINE_PROGRAMS, Redis } from './redis.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(ENGINE_PROGRAMS);

/** Two engines, of which the second has all that the first has. */
async function primaryAndReplica(rig: Rig): Promise<[Redis, Redis]> {
  const started = async (): Promise<Redis> =>
    Redis.start(rig, await freePort(), '--repl-diskless-sync-delay', '0');
  const [primary, replica] = [await started(), await started()];
  await replica.cli('replicaof', '127.0.0.1', String(primary.port));
  await waitFor('the replica', async () =>
    (await replica.cli('info', 'replication')).includes('master_link_status:up'),
  );
  return [primary, replica];
}

describe('two engines that both count as primary for a while', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('the logins of the side that goes on are read, and the other side repeats its own', async () => {
    const [old, promoted] = await primaryAndReplica(rig);
    const addresses = [
      await MovedAddress.open(rig, old.port),
      await MovedAddress.open(rig, old.port),
    ] as const;
    const [left, right] = addresses;
    const host = (name: string, role: 'publish' | 'subscribe', { url }: MovedAddress) =>
      FleetHost.make(rig, { name, role, engine: url });
    const [a, b, s] = [
      await host('a', 'publish', left),
      await host('b', 'publish', right),
      await host('s', 'subscribe', left),
    ];
    await Promise.all([a, b, s].map(one => one.startConnected()));
    await a.logIn('127.0.0.2');
    await s.has('127.0.0.2');
    await old.cli('wait', '1', '0');

    await promoted.cli('replicaof', 'no', 'one');
    right.moveTo(promoted.port);
    await b.logIn('127.0.0.3');
    await waitFor('the login of b', async () =>
      (await promoted.cli('xrange', 'popbsmtp:grants', '-', '+')).includes('127.0.0.3'),
    );
    // Later than that one, so that the subscriber is beyond it.
    await a.logIn('127.0.0.4');
    await s.has('127.0.0.4');
    assert.ok(!(await s.grants()).includes('127.0.0.3'));

    await s.hasNotedItsPlace();
    await s.kill();
    left.moveTo(promoted.port);
    await s.startConnected();
    await s.has('127.0.0.2', '127.0.0.3', '127.0.0.4');
    const late = await FleetHost.make(rig, { name: 'late', role: 'subscribe', engine: right.url });
    await late.startConnected();
    await late.has('127.0.0.2', '127.0.0.3', '127.0.0.4');
  });
});

describe('an engine that loses its data while it runs', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  for (const [what, ...command] of [
    ['both streams', 'del', 'popbsmtp:grants', 'popbsmtp:orders'],
    ['everything', 'flushall'],
  ] as const) {
    test(`${what}: is told it again, for whoever joins later`, async () => {
      const redis = await Redis.start(rig, await freePort());
      const host = (name: string, role: 'publish' | 'both' | 'subscribe') =>
        FleetHost.make(rig, { name, role, engine: redis.url });
      const [a, b] = [await host('a', 'publish'), await host('b', 'both')];
      await Promise.all([a, b].map(one => one.startConnected()));
      await a.logIn('127.0.0.2');
      await b.logIn('127.0.0.3');
      await a.has('127.0.0.2');
      await b.has('127.0.0.2', '127.0.0.3');
      assert.equal((await popbsmtp('revoke', '--map', b.map, '127.0.0.4')).code, 0);
      await Promise.all([a, b].map(one => one.published()));
      await redis.cli(...command);
      const streams = async (): Promise<string> =>
        (await redis.cli('xrange', 'popbsmtp:grants', '-', '+')) +
        (await redis.cli('xrange', 'popbsmtp:orders', '-', '+'));
      await waitFor('all to be there again', async () => {
        const found = await streams();
        return ['127.0.0.2', '127.0.0.3', '127.0.0.4'].every(ip => found.includes(ip));
      });
      const late = await host('late', 'subscribe');
      await late.startConnected();
      await late.has('127.0.0.2', '127.0.0.3');
    });
  }
});
