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

/** For how long both do. */
const SPLIT_SECONDS = 15;

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
    type Role = 'publish' | 'subscribe';
    const host = (name: string, role: Role, { url }: MovedAddress, ...more: string[]) =>
      FleetHost.make(rig, { name, role, engine: url, more });
    const [a, b, s, t] = [
      await host('a', 'publish', left, '--max-users-per-address', '1', '--limit-action', 'refuse'),
      await host('b', 'publish', right),
      await host('s', 'subscribe', left),
      await host('t', 'subscribe', right),
    ];
    await Promise.all([a, b, s, t].map(one => one.startConnected()));
    const [kept, revoked, shared] = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;
    await a.logIn(kept, revoked, shared);
    await Promise.all([s, t].map(one => one.has(kept, revoked, shared)));
    await old.cli('wait', '1', '0');

    await promoted.cli('replicaof', 'no', 'one');
    right.moveTo(promoted.port);
    await b.connected(true);
    // The other side lacks all of these.
    const ofA = Array.from({ length: SPLIT_SECONDS }, (_, at) => `127.0.1.${at}`);
    const ofB = Array.from({ length: SPLIT_SECONDS }, (_, at) => `127.0.2.${at}`);
    for (let second = 0; second < SPLIT_SECONDS; second++) {
      await b.logIn(ofB[second] ?? '');
      await a.logIn(ofA[second] ?? '');
      await a.hasRunFor(1);
    }
    assert.equal((await popbsmtp('revoke', '--map', a.map, revoked)).code, 0);
    await a.logInAs('bert', shared);
    await s.hasOnly([kept, ...ofA]);
    await t.hasOnly([kept, revoked, shared, ...ofB]);

    await s.hasNotedItsPlace();
    await s.kill();
    left.moveTo(promoted.port);
    await s.startConnected();
    const late = await host('late', 'subscribe', right);
    await late.startConnected();
    for (const one of [s, t, late]) await one.hasOnly([kept, ...ofA, ...ofB]);
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

  test('with a withdrawal, and its publisher dies: the grant ends all the same where it was', async () => {
    const redis = await Redis.start(rig, await freePort());
    const limit = ['--max-users-per-address', '1', '--limit-action', 'refuse'];
    const host = (name: string, role: 'publish' | 'subscribe', ...more: string[]) =>
      FleetHost.make(rig, { name, role, engine: redis.url, more });
    const [a, s] = [await host('a', 'publish', ...limit), await host('s', 'subscribe')];
    await Promise.all([a, s].map(one => one.startConnected()));
    await a.logIn('127.0.0.2', '127.0.0.3');
    await s.has('127.0.0.2', '127.0.0.3');
    await s.kill();
    await a.logInAs('bert', '127.0.0.3');
    await a.hasOnly(['127.0.0.2']);
    await a.published();
    await waitFor('its note', async () => /"withdrawals":\[\["127.0.0.3"/.test(await a.noted()));
    await a.kill();
    await redis.cli('flushall');
    await a.startConnected();
    await s.startConnected();
    await s.hasOnly(['127.0.0.2']);
  });
});
