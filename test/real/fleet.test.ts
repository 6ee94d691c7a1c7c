/**
 * Hosts that share their grants, with the real Redis and the real Postfix: a login on A opens the relay on B and C, and
 * nothing that befalls Redis, a subscriber or a publisher loses a grant or leaves one open.
 */
import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loginLine } from '../cli/watched-log.ts';
import { FleetHost } from './fleet-host.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { freePort } from './ports.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { ENGINE_PROGRAMS, Redis } from './redis.ts';
import { Rig } from './rig.ts';
import { askToRelay } from './smtp.ts';
import { waitFor } from './wait.ts';

const skipRedis = requirePrograms(ENGINE_PROGRAMS);
const skipPostfix = requirePrograms([...ENGINE_PROGRAMS, 'postfix'], { root: true });

describe('a login on one host', { skip: skipPostfix }, () => {
  const rig = new Rig();
  let a: FleetHost;
  let b: FleetHost;
  let c: FleetHost;
  let postfixes: Postfix[];

  before(async () => {
    const { url } = await Redis.start(rig, await freePort());
    const host = (name: string, role: 'publish' | 'subscribe' | 'both'): Promise<FleetHost> =>
      FleetHost.make(rig, { name, role, engine: url });
    [a, b, c] = [
      await host('a', 'both'),
      await host('b', 'subscribe'),
      await host('c', 'subscribe'),
    ];
    await Promise.all([a, b, c].map(one => one.startConnected()));
    const restrictions = (map: string): string =>
      `smtpd_relay_restrictions = permit_mynetworks, check_client_access ${map}, reject_unauth_destination`;
    postfixes = [];
    for (const { map } of [b, c]) {
      postfixes.push(
        await startPostfix(rig, { mynetworks: '127.0.0.1/32', restrictions: restrictions(map) }),
      );
    }
  });
  after(() => rig.close());

  const answers = (from: string): Promise<number[]> =>
    Promise.all(postfixes.map(async postfix => (await askToRelay(postfix.smtp(from))).code));

  test('opens the relay of the others, for that address only', async () => {
    assert.deepEqual(await answers('127.0.0.2'), [554, 554]);
    await a.logIn('127.0.0.2');
    await waitFor('the relay', async () =>
      (await answers('127.0.0.2')).every(code => code === 250),
    );
    assert.deepEqual(await answers('127.0.0.3'), [554, 554]);
  });

  test('is closed everywhere by a revocation there, and opened by an allowance', async () => {
    await a.logIn('127.0.0.4');
    await Promise.all([b, c].map(one => one.has('127.0.0.4')));
    assert.equal((await popbsmtp('revoke', '--map', a.map, '127.0.0.4')).code, 0);
    await waitFor('the end', async () => (await answers('127.0.0.4')).every(code => code === 554));
    await a.logIn('127.0.0.4', '127.0.0.5');
    await Promise.all([b, c].map(one => one.has('127.0.0.5')));
    assert.deepEqual(await answers('127.0.0.4'), [554, 554]);
    const allow = await popbsmtp(
      'allow',
      '--map',
      a.map,
      '--mynetworks',
      'none',
      '--exclude',
      'none',
      '127.0.0.4',
    );
    assert.equal(allow.code, 0, allow.stderr);
    await waitFor('the relay', async () =>
      (await answers('127.0.0.4')).every(code => code === 250),
    );
  });

  test('is told of by status, doctor and the log', async () => {
    const status = await popbsmtp('status', '--map', b.map);
    assert.match(
      status.stdout,
      /^fleet {5}redis:\/\/127\.0\.0\.1:\d+\/0 as b, subscribe: connected/m,
    );
    assert.match(status.stdout, /^received {2}\d+, 0 refused, \d+\.\d s behind; last \d+-\d+$/m);
    const metrics = await popbsmtp('status', '--map', a.map, '--prometheus');
    assert.match(metrics.stdout, /^popbsmtp_fleet_connected 1$/m);
    assert.match(metrics.stdout, /^popbsmtp_fleet_waiting 0$/m);
    await b.daemon.waitForLine(/^received ts=.* ip=127\.0\.0\.2 from=a$/);
    const url = (await b.fleet())?.engine ?? '';
    const doctor = await popbsmtp(
      'doctor',
      '--no-smtp',
      '--map',
      b.map,
      '--mynetworks',
      'none',
      '--fleet',
      url,
      '--fleet-role',
      'subscribe',
    );
    assert.match(doctor.stdout, /^ok +fleet +redis:.* can be used \(subscribe\)$/m);
    assert.match(doctor.stdout, /^ok +fleet +the daemon is connected$/m);
  });
});

describe('Redis killed and started again', { skip: skipRedis }, () => {
  const rig = new Rig();
  after(() => rig.close());

  for (const kept of ['yes', 'no']) {
    test(`with appendonly ${kept}: nothing is lost`, async () => {
      const redis = await Redis.start(
        rig,
        await freePort(),
        '--appendonly',
        kept,
        '--appendfsync',
        'always',
      );
      const a = await FleetHost.make(rig, {
        name: 'a',
        role: 'publish',
        engine: redis.url,
      });
      const b = await FleetHost.make(rig, {
        name: 'b',
        role: 'subscribe',
        engine: redis.url,
      });
      const late = await FleetHost.make(rig, {
        name: 'late',
        role: 'subscribe',
        engine: redis.url,
      });
      await Promise.all([a, b].map(one => one.startConnected()));
      await a.logIn('127.0.0.2');
      await b.has('127.0.0.2');
      await redis.kill();
      await Promise.all([a, b].map(one => one.connected(false)));
      await a.logIn('127.0.0.3');
      await a.has('127.0.0.2', '127.0.0.3');
      assert.deepEqual(await b.grants(), ['127.0.0.2'], 'its rows stay');
      await redis.again();
      await Promise.all([a, b].map(one => one.connected(true)));
      await b.has('127.0.0.2', '127.0.0.3');
      await late.startConnected();
      await late.has('127.0.0.2', '127.0.0.3');
      for (const { daemon } of [a, b]) {
        const told = (): readonly string[] =>
          [...daemon.transcript().matchAll(/fleet: (connected|no connection) to redis/g)].map(
            ([, word = '']) => word,
          );
        await waitFor('its third word', () => told().length >= 3, {
          seen: () => daemon.transcript(),
        });
        assert.deepEqual(told(), ['connected', 'no connection', 'connected']);
      }
    });
  }

  test('and not started again: nothing stays open', async () => {
    const redis = await Redis.start(rig, await freePort());
    const common = { engine: redis.url, more: ['--grace', '3s'] };
    const a = await FleetHost.make(rig, { name: 'a', role: 'publish', ...common });
    const b = await FleetHost.make(rig, { name: 'b', role: 'subscribe', ...common });
    await Promise.all([a, b].map(one => one.startConnected()));
    await a.logIn('127.0.0.2');
    await b.daemon.waitForLine(/^received .*ip=127\.0\.0\.2/);
    await redis.kill();
    await Promise.all([a, b].map(one => one.hasNot('127.0.0.2')));
    // On a slow machine it may have come too late to be granted at all.
    await b.daemon.waitForLine(/^purging .*ip=127\.0\.0\.2$|ignored --- too old/);
  });
});

describe('one host in trouble', { skip: skipRedis }, () => {
  const rig = new Rig();
  let redis: Redis;

  before(async () => {
    redis = await Redis.start(rig, await freePort());
  });
  after(() => rig.close());

  const pair = async (prefix: string, ...more: string[]): Promise<[FleetHost, FleetHost]> => {
    const common = { engine: redis.url, more: ['--fleet-prefix', prefix, ...more] };
    const a = await FleetHost.make(rig, { name: 'a', role: 'both', ...common });
    const b = await FleetHost.make(rig, { name: 'b', role: 'both', ...common });
    await Promise.all([a, b].map(one => one.startConnected()));
    return [a, b];
  };

  test('a subscriber that was killed goes on where it was, and takes nothing twice', async () => {
    const [a, b] = await pair('killed');
    await a.logIn('127.0.0.2');
    await b.has('127.0.0.2');
    // Its place is noted once a second.
    await waitFor('its place', async () => {
      const found = await b.noted();
      return found.includes((await b.fleet())?.subscribe?.lastId ?? 'nothing');
    });
    await b.kill();
    await a.logIn('127.0.0.3');
    await popbsmtp('revoke', '--map', a.map, '127.0.0.2');
    await a.published();
    await b.startConnected();
    await b.has('127.0.0.3');
    await b.hasNot('127.0.0.2');
    const received = b.daemon.lines.filter(line => line.startsWith('received '));
    assert.deepEqual(
      received.map(line => line.replace(/.* ip=/, '')),
      ['127.0.0.3 from=a'],
    );
  });

  test('a subscriber whose map is gone makes it anew from the streams', async () => {
    const [a, b] = await pair('gone');
    await a.logIn('127.0.0.2', '127.0.0.3');
    await popbsmtp('revoke', '--map', a.map, '127.0.0.3');
    await b.has('127.0.0.2');
    await b.daemon.stop();
    await b.forgetEverything();
    await b.startConnected();
    await b.has('127.0.0.2');
    await a.logIn('127.0.0.3', '127.0.0.4');
    await b.has('127.0.0.4');
    assert.deepEqual(await b.grants(), ['127.0.0.2', '127.0.0.4']);
  });

  test('a publisher that is cut off goes on, and tells the others when it is back', async () => {
    const [a, b] = await pair('cut');
    redis.signal('SIGSTOP');
    await Promise.all([a, b].map(one => one.connected(false)));
    await a.logIn('127.0.0.2');
    await a.has('127.0.0.2');
    assert.equal((await a.fleet())?.publish?.waiting, 1);
    assert.deepEqual(await b.grants(), []);
    redis.signal('SIGCONT');
    await b.has('127.0.0.2');
    await Promise.all([a, b].map(one => one.connected(true)));
  });

  test('a publisher that is killed while it is cut off tells the others after its restart', async () => {
    const [a, b] = await pair('lost');
    redis.signal('SIGSTOP');
    await a.connected(false);
    await a.logIn('127.0.0.2');
    await a.has('127.0.0.2');
    const before = await a.noted();
    await a.logIn('127.0.0.3');
    await a.has('127.0.0.3');
    // Its place is noted once a second, when it is.
    await a.hasRunFor(3);
    await a.kill();
    assert.equal(await a.noted(), before, 'what has not been published is not noted as done');
    redis.signal('SIGCONT');
    await a.startConnected();
    await b.has('127.0.0.2', '127.0.0.3');
  });

  test('a host whose engine is not there, or does not answer, starts, grants and stops', async () => {
    redis.signal('SIGSTOP');
    for (const engine of [`redis://127.0.0.1:${await freePort()}`, redis.url]) {
      const a = await FleetHost.make(rig, { name: 'a', role: 'both', engine });
      const daemon = await a.start();
      await a.logIn('127.0.0.2');
      await a.has('127.0.0.2');
      assert.equal((await a.fleet())?.connected, false);
      assert.equal(await daemon.stop(), 0, daemon.transcript());
    }
    redis.signal('SIGCONT');
  });

  test('a dry run takes part, and publishes nothing', async () => {
    const [a] = await pair('dry');
    const log = join(await rig.directory(), 'mail.log');
    await writeFile(log, '');
    const dry = startDaemon(rig, process.execPath, [
      ...[MAIN, 'run', '--debug', '--nowrite', '--watchlog', log, '--map', `lmdb:${log}-map`],
      ...['--mynetworks', 'none', '--exclude', 'none'],
      ...['--fleet', redis.url, '--fleet-prefix', 'dry', '--fleet-name', 'dry'],
    ]);
    await waitFor('its connection', () => dry.transcript().includes('fleet: connected'));
    await a.logIn('127.0.0.2');
    await dry.waitForLine(/^received .*ip=127\.0\.0\.2 from=a$/);
    await appendFile(log, loginLine('127.0.0.3'));
    await dry.waitForLine(/^read .*ip=127\.0\.0\.3$/);
    assert.equal(await dry.stop(), 0);
    assert.equal((await redis.cli('xlen', 'dry:grants')).trim(), '1');
  });

  test('a stream whose last ID is taken is told, with the way out, and found by the doctor', async () => {
    const [a, b] = await pair('full');
    await a.logIn('127.0.0.2');
    await b.has('127.0.0.2');
    const last = '18446744073709551615';
    await redis.cli('xadd', 'full:grants', `${last}-${last}`, 'x', 'y');
    const told = /nothing can be published any more: .*redis-cli DEL full:grants full:orders/;
    await waitFor('b to tell', () => told.test(b.daemon.transcript()));
    await a.logIn('127.0.0.3');
    await waitFor('a to tell', () => told.test(a.daemon.transcript()));
    await a.connected(false);
    assert.deepEqual(await b.grants(), ['127.0.0.2']);
    const args = ['--fleet', redis.url, '--fleet-prefix', 'full', '--map', a.map];
    assert.match((await popbsmtp('doctor', ...args)).stdout, /nothing can be published any more/);
    assert.equal((await redis.cli('del', 'full:grants', 'full:orders')).trim(), '1');
    await b.has('127.0.0.3');
    await Promise.all([a, b].map(one => one.connected(true)));
    // What was in the stream before is there again, for whoever joins now.
    await waitFor('all grants', async () =>
      (await redis.cli('xrange', 'full:grants', '-', '+')).includes('127.0.0.2'),
    );
  });

  test('what somebody else writes opens nothing, and is told', async () => {
    const [a, b] = await pair('forged');
    const forged = [
      'v',
      '1',
      'from',
      'evil/01234567',
      'kind',
      'login',
      'server',
      'x',
      'user',
      '',
      'tls',
      '',
    ];
    const now = String(Math.floor(Date.now() / 1000));
    for (const ip of [
      '127.0.0.0/8',
      '127',
      '::ffff:127.0.0.9',
      '127.0.0.9\n127.0.0.10',
      '127.0.0.1',
    ])
      await redis.cli('xadd', 'forged:grants', '*', ...forged, 'ip', ip, 'time', now);
    await redis.cli('xadd', 'forged:grants', '*', ...forged, 'ip', '127.0.0.9', 'time', '1');
    await redis.cli('xadd', 'forged:orders', '*', 'everything', 'open');
    await a.logIn('127.0.0.2');
    await b.has('127.0.0.2');
    assert.deepEqual(await b.grants(), ['127.0.0.2']);
    assert.equal((await b.fleet())?.subscribe?.refused, 5);
    await b.daemon.waitForText(/fleet: 1 entry of the streams was refused so far/);
    await b.daemon.waitForText(/ignored --- in mynetworks/);
    await b.daemon.waitForText(/ignored --- too old/);
  });
});
