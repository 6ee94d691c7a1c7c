/**
 * Who may do what at the engine of a fleet: the accounts of popbsmtp-fleet(7) with the real Redis, and TLS.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageRoot } from '../../src/base/package.ts';
import { type Certificate, makeCertificate } from './certificate.ts';
import { FleetHost } from './fleet-host.ts';
import { popbsmtp } from './popbsmtp.ts';
import { freePort, freePorts } from './ports.ts';
import { requirePrograms } from './programs.ts';
import { ENGINE_PROGRAMS, Redis } from './redis.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skipRedis = requirePrograms(ENGINE_PROGRAMS);
const skipExpiry = requirePrograms([...ENGINE_PROGRAMS, 'openssl', 'faketime']);
const skipTls = requirePrograms([...ENGINE_PROGRAMS, 'openssl']);

const PAGE = readFileSync(
  join(packageRoot(), 'src/packaging/manual/pages/popbsmtp-fleet.7.md'),
  'utf8',
);

describe('an account of Redis', { skip: skipRedis }, () => {
  const rig = new Rig();
  let redis: Redis;
  let password: string;

  before(async () => {
    redis = await Redis.start(rig, await freePort());
    password = join(await rig.directory(), 'password');
    await writeFile(password, 'PASSWORD\n');
    const lines = PAGE.split('\n').filter(line => line.startsWith('    ACL SETUSER '));
    assert.equal(lines.length, 3);
    for (const line of lines) await redis.cli(...line.trim().split(' '));
  });
  after(() => rig.close());

  const as = (user: string, ...command: string[]): Promise<string> =>
    redis.cli('--no-auth-warning', '--user', `popbsmtp-${user}`, '-a', 'PASSWORD', ...command);

  const host = (
    name: string,
    role: 'publish' | 'subscribe' | 'both',
    user: string,
  ): Promise<FleetHost> =>
    FleetHost.make(rig, {
      name,
      role,
      engine: redis.url,
      more: ['--fleet-user', `popbsmtp-${user}`, '--fleet-password-file', password],
    });

  test('of a publisher can write and not read, of a subscriber read and not write', async () => {
    const entry = ['x', 'y'];
    const is = async (answer: Promise<string>): Promise<boolean> =>
      (await answer).startsWith('NOPERM ');
    assert.deepEqual(
      await Promise.all([
        is(as('publish', 'xadd', 'popbsmtp:grants', '*', ...entry)),
        is(as('publish', 'xadd', 'other', '*', ...entry)),
        is(as('publish', 'xread', 'streams', 'popbsmtp:grants', '0')),
        is(as('publish', 'xrange', 'popbsmtp:grants', '-', '+')),
        is(as('publish', 'del', 'popbsmtp:grants')),
        is(as('subscribe', 'xread', 'streams', 'popbsmtp:grants', '0')),
        is(as('subscribe', 'xread', 'streams', 'other', '0')),
        is(as('subscribe', 'xadd', 'popbsmtp:grants', '*', ...entry)),
        is(as('subscribe', 'xtrim', 'popbsmtp:grants', 'maxlen', '0')),
        is(as('subscribe', 'config', 'get', 'dir')),
        is(as('publish', 'xtrim', 'popbsmtp:grants', 'minid', '0')),
        is(as('publish', 'set', 'popbsmtp:lost', '1', 'EX', '1')),
        is(as('subscribe', 'set', 'popbsmtp:lost', '1')),
      ]),
      [false, true, true, true, true, false, true, true, true, true, false, false, true],
    );
  });

  test('serves the hosts that need no more', async () => {
    const a = await host('a', 'publish', 'publish');
    const b = await host('b', 'subscribe', 'subscribe');
    const c = await host('c', 'both', 'both');
    await Promise.all([a, b, c].map(one => one.startConnected()));
    await a.logIn('127.0.0.2');
    await c.logIn('127.0.0.3');
    await b.has('127.0.0.2', '127.0.0.3');
  });

  test('that may not do what a host is to do is told, once, and by the doctor', async () => {
    const a = await host('d', 'both', 'subscribe');
    await a.start();
    await a.connected(false);
    await waitFor('the reason', () => a.daemon.transcript().includes('NOPERM'));
    await a.logIn('127.0.0.2');
    await a.has('127.0.0.2');
    assert.equal(a.daemon.transcript().match(/no connection to redis/g)?.length, 1);
    const account = ['--fleet-user', 'popbsmtp-subscribe', '--fleet-password-file', password];
    const doctor = await popbsmtp(
      ...['doctor', '--no-smtp', '--map', a.map, '--watchlog', a.log, '--mynetworks', 'none'],
      ...['--fleet', redis.url, ...account],
    );
    assert.match(doctor.stdout, /^error +fleet +redis:.* cannot be used \(both\): NOPERM/m);
    assert.match(doctor.stdout, /^error +fleet +the daemon is not connected to its fleet: NOPERM/m);
  });

  test('with a wrong password is refused', async () => {
    await writeFile(password, 'another\n');
    const a = await host('e', 'publish', 'publish');
    await a.start();
    await waitFor('the reason', () => a.daemon.transcript().includes('WRONGPASS'));
    await writeFile(password, 'PASSWORD');
    await a.connected(true);
  });

  test('whose password is changed is told of as that, once, until the file has the new one', async () => {
    const a = await host('f', 'both', 'both');
    await a.startConnected();
    await redis.cli('acl', 'setuser', 'popbsmtp-both', 'resetpass', '>NEW');
    await redis.cli('client', 'kill', 'user', 'popbsmtp-both');
    await waitFor('the reason', async () => (await a.fleet())?.reason?.code === 'WRONGPASS');
    const metrics = await popbsmtp('status', '--map', a.map, '--prometheus');
    assert.match(metrics.stdout, /^popbsmtp_fleet_disconnected\{reason="WRONGPASS"\} 1$/m);
    const status = await popbsmtp('status', '--map', a.map);
    assert.match(status.stdout, /NOT CONNECTED, tried again: WRONGPASS/);
    await a.logIn('127.0.0.4');
    await writeFile(password, 'NEW\n');
    await a.connected(true);
    await a.published();
    assert.equal(a.daemon.transcript().match(/no connection to .*WRONGPASS/g)?.length, 1);
    assert.equal((await a.fleet())?.reason, null);
  });
});

describe('a certificate that expires', { skip: skipExpiry }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('is told of as that, once, until there is another one', async () => {
    const [good, expired, next] = [
      await makeCertificate(rig, 'good', '1 hour ago'),
      await makeCertificate(rig, 'expired', '9 days ago'),
      await makeCertificate(rig, 'next', '1 hour ago'),
    ];
    const ca = join(await rig.directory(), 'ca.pem');
    const trusted = await Promise.all([good, expired].map(one => readFile(one.certificate)));
    await writeFile(ca, trusted.join(''));
    const [port, tlsPort] = await freePorts(2);
    const redis = await Redis.start(
      rig,
      port ?? 0,
      ...['--tls-port', String(tlsPort), '--tls-auth-clients', 'no', '--tls-ca-cert-file', ca],
      ...['--tls-cert-file', good.certificate, '--tls-key-file', good.key],
    );
    const use = async ({ key, certificate }: Certificate): Promise<void> => {
      const pair = ['tls-cert-file', certificate, 'tls-key-file', key];
      assert.equal((await redis.cli('config', 'set', ...pair)).trim(), 'OK');
      await redis.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    };
    const a = await FleetHost.make(rig, {
      name: 'a',
      role: 'both',
      engine: `rediss://127.0.0.1:${tlsPort}/0`,
      more: ['--fleet-ca', ca],
    });
    await a.startConnected();
    await use(expired);
    await waitFor('the reason', async () => (await a.fleet())?.reason?.code === 'CERT_HAS_EXPIRED');
    await a.logIn('127.0.0.2');
    await use(next);
    // An authority that it does not know yet, until the file has it.
    await waitFor('another reason', async () => {
      const code = (await a.fleet())?.reason?.code;
      return code !== undefined && code !== 'CERT_HAS_EXPIRED';
    });
    await writeFile(ca, await readFile(next.certificate));
    await a.connected(true);
    await a.published();
    const told = a.daemon.transcript().match(/no connection to .*certificate has expired/g);
    assert.equal(told?.length, 1, a.daemon.transcript());
  });
});

describe('TLS', { skip: skipTls }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('is used, and the server has to prove who it is', async () => {
    const { key, certificate } = await makeCertificate(rig, 'redis');
    const [port, tlsPort] = await freePorts(2);
    await Redis.start(
      rig,
      port ?? 0,
      ...['--tls-port', String(tlsPort), '--tls-auth-clients', 'no'],
      ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate],
    );
    const engine = `rediss://127.0.0.1:${tlsPort}/0`;
    const trusting = ['--fleet-ca', certificate];
    const a = await FleetHost.make(rig, { name: 'a', role: 'publish', engine, more: trusting });
    const b = await FleetHost.make(rig, { name: 'b', role: 'subscribe', engine, more: trusting });
    const c = await FleetHost.make(rig, { name: 'c', role: 'subscribe', engine });
    await Promise.all([a, b].map(one => one.startConnected()));
    await c.start();
    await a.logIn('127.0.0.2');
    await b.has('127.0.0.2');
    await waitFor('the reason', () =>
      /no connection to .*self-signed certificate/.test(c.daemon.transcript()),
    );
    assert.deepEqual(await c.grants(), []);
  });
});
