/**
 * Where the engine of a fleet is, with real Redis: of several the one that takes entries; replicas for those who read, and what becomes
 * of them without their primary; and what is told of an engine that can be used and should not be so.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { FleetHost } from './fleet-host.ts';
import { MovedAddress } from './moved-address.ts';
import { popbsmtp } from './popbsmtp.ts';
import { freePort } from './ports.ts';
import { mustRun, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { CLI, ENGINE_PROGRAMS, Redis, SERVER } from './redis.ts';
import { Rig } from './rig.ts';
import { waitFor, waitForPort } from './wait.ts';

const skip = requirePrograms(ENGINE_PROGRAMS);
const skipHosts = requirePrograms([...ENGINE_PROGRAMS, 'mount'], { root: true });

async function started(rig: Rig, ...more: string[]): Promise<Redis> {
  return Redis.start(rig, await freePort(), '--repl-diskless-sync-delay', '0', ...more);
}

async function follow(replica: Redis, primary: { readonly port: number }): Promise<void> {
  await replica.cli('replicaof', '127.0.0.1', String(primary.port));
  await isUp(replica);
}

const isUp = (replica: Redis): Promise<unknown> =>
  waitFor('the replica', async () =>
    (await replica.cli('info', 'replication')).includes('master_link_status:up'),
  );

/** How often a text was told. */
const times = (host: FleetHost, text: RegExp): number =>
  [...host.daemon.transcript().matchAll(new RegExp(text, 'g'))].length;

describe('two engines', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('of which the first is a replica: the other is used, also after they have changed places', async () => {
    const [primary, replica] = [await started(rig), await started(rig)];
    await follow(replica, primary);
    const host = (name: string, role: 'publish' | 'subscribe', ...more: string[]) =>
      FleetHost.make(rig, { name, role, engine: [replica.url, primary.url], more });
    const a = await host('a', 'publish');
    const s = await host('s', 'subscribe');
    const r = await host('r', 'subscribe', '--fleet-read', 'replica');
    await Promise.all([a, s, r].map(one => one.startConnected()));
    assert.deepEqual(await Promise.all([a, s, r].map(async one => (await one.fleet())?.engine)), [
      primary.url,
      primary.url,
      replica.url,
    ]);
    assert.equal(times(a, /fleet: \S+ is not used, another engine is: .*is a replica/), 1);
    await a.logIn('127.0.0.2');
    await Promise.all([s, r].map(one => one.has('127.0.0.2')));

    await primary.cli('failover');
    await isUp(primary);
    await a.logIn('127.0.0.3');
    await Promise.all([s, r].map(one => one.has('127.0.0.3')));
    await waitFor('the new primary', async () => (await a.fleet())?.engine === replica.url);
    await a.connected(true);
    const doctor = await popbsmtp(
      ...['doctor', '--no-smtp', '--map', a.map, '--fleet-role', 'publish'],
      ...['--fleet', primary.url, '--fleet', replica.url],
    );
    assert.ok(doctor.stdout.includes(`${replica.url} can be used (publish)`), doctor.stdout);
    await primary.cli('replicaof', 'no', 'one');
    const split = await popbsmtp(
      ...['doctor', '--no-smtp', '--map', a.map, '--fleet-role', 'publish'],
      ...['--fleet', primary.url, '--fleet', replica.url],
    );
    assert.match(split.stdout, /^error +fleet +more than one engine counts as primary/m);
  });

  test('at two addresses of one name: the primary is found at either', {
    skip: skipHosts,
  }, async () => {
    const [name, address] = ['engines.example.org', '127.0.0.2'];
    const hosts = join(await rig.directory(), 'hosts');
    await writeFile(hosts, `127.0.0.1 localhost ${name}\n${address} ${name}\n`);
    await mustRun('mount', ['--bind', hosts, '/etc/hosts']);
    rig.defer(() => mustRun('umount', ['/etc/hosts']));
    const first = await started(rig);
    startDaemon(rig, SERVER, [
      ...['--port', String(first.port), '--bind', address, '--save', ''],
      ...['--dir', await rig.directory(), '--repl-diskless-sync-delay', '0'],
    ]);
    await waitForPort(address, first.port);
    await first.cli('replicaof', address, String(first.port));
    await isUp(first);
    const engine = `redis://${name}:${first.port}/0`;
    const a = await FleetHost.make(rig, { name: 'a', role: 'both', engine });
    await a.startConnected();
    assert.equal((await a.fleet())?.engine, `${engine} (${address})`);
    await mustRun(CLI, ['-h', address, '-p', String(first.port), 'failover']);
    await waitFor('the other address', async () => {
      const fleet = await a.fleet();
      return fleet?.connected === true && fleet.engine === `${engine} (127.0.0.1)`;
    });
  });
});

describe('a replica that does not hear of its primary', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('is told of, left for one that does, and kept where there is none', async () => {
    const [primary, one, two] = [await started(rig), await started(rig), await started(rig)];
    const links = [
      await MovedAddress.open(rig, primary.port),
      await MovedAddress.open(rig, primary.port),
    ] as const;
    await follow(one, links[0]);
    await follow(two, links[1]);
    const a = await FleetHost.make(rig, { name: 'a', role: 'publish', engine: primary.url });
    const s = await FleetHost.make(rig, {
      name: 's',
      role: 'subscribe',
      engine: [one.url, two.url],
      more: ['--fleet-read', 'replica'],
    });
    await Promise.all([a, s].map(host => host.startConnected()));
    const isAtOne = (await s.fleet())?.engine === one.url;
    links[isAtOne ? 0 : 1].moveTo(null);
    const other = isAtOne ? two : one;
    await waitFor('the other', async () => (await s.fleet())?.engine === other.url);
    await s.connected(true);
    await a.logIn('127.0.0.2');
    await s.has('127.0.0.2');
    assert.equal(times(s, /no connection to .*has lost its primary/), 1);

    await primary.kill();
    await waitFor('the lag', async () => {
      const fleet = await s.fleet();
      return fleet?.upstream?.isUp === false && (fleet.subscribe?.lag ?? 0) > 0;
    });
    assert.equal((await s.fleet())?.connected, true);
    const told = new RegExp(`${other.url} is a replica that does not hear of its primary`);
    assert.equal(times(s, told), 1);
    const metrics = await popbsmtp('status', '--map', s.map, '--prometheus');
    assert.match(metrics.stdout, /^popbsmtp_fleet_replica_silence_seconds [1-9]/m);
    const status = await popbsmtp('status', '--map', s.map);
    assert.match(status.stdout, /^replica {3}has not heard of its primary for \d+ s$/m);
    const check = await popbsmtp('status', '--check', '--map', s.map);
    assert.match(check.stdout, /read from a replica that does not hear of its primary/);
    const doctor = await popbsmtp(
      ...['doctor', '--no-smtp', '--map', s.map, '--fleet-role', 'subscribe'],
      ...['--fleet', one.url, '--fleet', two.url, '--fleet-read', 'replica'],
    );
    assert.match(doctor.stdout, /^warning +fleet +the daemon reads from a replica/m);
    assert.match(doctor.stdout, /^warning +fleet +redis:.* is a replica that has not heard/m);
    await primary.again();
    await waitFor('the end of it', async () => (await s.fleet())?.upstream?.isUp === true);
  });
});

describe('an engine that should not be as it is', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('a node of a cluster is refused plainly', async () => {
    const node = await started(rig, '--cluster-enabled', 'yes');
    const a = await FleetHost.make(rig, { name: 'a', role: 'both', engine: node.url });
    await a.start();
    await waitFor('the reason', async () => (await a.fleet())?.reason?.code === 'FLEET_CLUSTER');
    assert.equal(times(a, /no connection to .*is a node of a cluster/), 1);
  });

  test('one that throws away what is there, and one without room, are told of', async () => {
    const redis = await started(rig, '--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
    const a = await FleetHost.make(rig, { name: 'a', role: 'both', engine: redis.url });
    await a.startConnected();
    await waitFor('the policy', () => times(a, /throws away .*set noeviction/) === 1);
    const doctor = await popbsmtp('doctor', '--no-smtp', '--map', a.map, '--fleet', redis.url);
    assert.match(doctor.stdout, /^warning +fleet +redis:.* throws away .*allkeys-lru/m);

    await redis.cli('config', 'set', 'maxmemory-policy', 'noeviction');
    await redis.cli('config', 'set', 'maxmemory', '500kb');
    await a.logIn('127.0.0.2');
    await waitFor('the reason', async () => (await a.fleet())?.reason?.code === 'OOM');
    await a.has('127.0.0.2');
    const metrics = await popbsmtp('status', '--map', a.map, '--prometheus');
    assert.match(metrics.stdout, /^popbsmtp_fleet_disconnected\{reason="OOM"\} 1$/m);
    await redis.cli('config', 'set', 'maxmemory', '100mb');
    await a.connected(true);
    await waitFor('its publication', async () =>
      (await redis.cli('xrange', 'popbsmtp:grants', '-', '+')).includes('127.0.0.2'),
    );
    assert.equal((await a.fleet())?.reason, null);
  });
});
