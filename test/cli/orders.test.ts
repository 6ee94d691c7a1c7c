/**
 * Orders by hand, with a daemon and without one, and what of them outlives a daemon.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { EXIT } from '../../src/base/errors.ts';
import { openMap, readRows } from '../../src/map/map-types.ts';
import { ip } from '../map/addresses.ts';
import { popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled, ignored, loginBy } from './controlled.ts';

const rig = new Rig();
let host: Controlled;

beforeEach(async () => {
  host = await Controlled.make(rig);
});
after(() => rig.close());

describe('allow and revoke', () => {
  test('open and close at once, through the daemon, and it says so in its log', async () => {
    const own = join(host.directory, 'audit.log');
    const daemon = await host.start('--logto', own);
    const opened = await host.allow('203.0.113.1', '--for', '1h');
    assert.deepEqual([opened.code, opened.stderr], [0, '']);
    assert.match(opened.stdout, /^203\.0\.113\.1 is allowed until /);
    assert.deepEqual(await host.keys(), ['203.0.113.1']);
    const closed = await host.revoke('203.0.113.1', '203.0.113.2');
    assert.match(closed.stdout, /^203\.0\.113\.1 is refused until .*; its row is removed$/m);
    assert.match(closed.stdout, /^203\.0\.113\.2 is refused until [^;]*$/m);
    assert.deepEqual(await host.keys(), []);
    await host.logIn(daemon, 'anna', '203.0.113.1');
    await ignored(daemon);
    assert.deepEqual(await host.keys(), []);
    const orders = await host.run('list', '--orders');
    assert.match(orders.stdout, /^revoke {2}until .* {2}203\.0\.113\.1$/m);
    await daemon.stop();
    const log = await readFile(own, 'utf8');
    assert.match(log, /allowed ip=203\.0\.113\.1 until=".*" by=control$/m);
    assert.match(
      log,
      /revoked ip=203\.0\.113\.1 ip=203\.0\.113\.2 until=".*" grants=1 by=control$/m,
    );
  });

  test('of a user ends all his grants, and lets others be', async () => {
    const daemon = await host.start();
    await host.logIn(daemon, 'mallory', '203.0.113.11');
    await host.logIn(daemon, 'anna', '203.0.113.12');
    await host.logIn(daemon, 'mallory', '203.0.113.13');
    const { code, stdout, stderr } = await host.revoke('--user', 'Mallory');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^user "Mallory" is refused until .*; rows removed: 2\n$/);
    assert.deepEqual(await host.keys(), ['203.0.113.12']);
    await host.logIn(daemon, 'mallory', '203.0.113.14');
    await ignored(daemon);
    assert.deepEqual(await host.keys(), ['203.0.113.12']);
    await daemon.stop();
  });

  test('of a user of whom no grant is known say so', async () => {
    const daemon = await host.start();
    const { code, stdout, stderr } = await host.revoke('--user', 'nobody');
    assert.equal(code, 0);
    assert.match(stdout, /^user "nobody" is refused until .*; rows removed: 0\n$/);
    assert.match(stderr, /^popbsmtp: no grant is known of "nobody"; .*popbsmtp list/);
    await daemon.stop();
  });

  test('that last longer than a year are remarked upon', async () => {
    const daemon = await host.start();
    const usual = await host.allow('203.0.113.18', '--for', '366d');
    assert.deepEqual([usual.code, usual.stderr], [0, '']);
    const { code, stderr } = await host.allow('203.0.113.19', '--for', '999999d');
    assert.equal(code, 0);
    assert.match(stderr, /^popbsmtp: more than a year is long .*popbsmtp lift/);
    await daemon.stop();
  });

  for (const [how, signal] of [
    ['a stop', 'SIGTERM'],
    ['kill -9', 'SIGKILL'],
  ] as const) {
    test(`last through ${how} and a new start`, async () => {
      const first = await host.start();
      await host.logIn(first, 'mallory', '203.0.113.21');
      await host.revoke('--user', 'mallory');
      await host.revoke('203.0.113.22');
      await host.allow('203.0.113.23', '--for', '10m');
      first.signal(signal);
      await first.exited();
      await host.write(loginBy('mallory', '203.0.113.24') + loginBy('anna', '203.0.113.22'));
      const second = await host.start();
      await second.waitForLine(/^read .*ip=203\.0\.113\.22$/);
      await host.logIn(second, 'anna', '203.0.113.25');
      await waitFor('its row', async () => (await host.keys()).includes('203.0.113.25'));
      assert.deepEqual((await host.keys()).sort(), ['203.0.113.23', '203.0.113.25']);
      assert.equal(
        second.lines.filter(line => line === '    ignored --- revoked').length >= 2,
        true,
      );
      const [row] = (await host.listed()).filter(({ ip: key }) => key === '203.0.113.23');
      const left = Number(row?.['expiresIn']);
      assert.ok(left > 300 && left <= 600, String(left));
      await second.stop();
    });
  }

  test('work without a daemon, and the next one obeys them', async () => {
    const first = await host.start('--grace', '1h');
    await host.logIn(first, 'mallory', '203.0.113.31');
    await host.logIn(first, 'anna', '203.0.113.32');
    await host.logIn(first, 'anna', '203.0.113.33');
    await first.stop();
    const grace = ['--grace', '1h'];
    const byUser = await host.revoke('--user', 'mallory', ...grace);
    assert.match(byUser.stdout, /; rows removed: 1$/m);
    assert.equal((await host.revoke('203.0.113.32', ...grace)).code, 0);
    const opened = await host.allow('203.0.113.34', ...grace);
    assert.equal(opened.code, 0, opened.stderr);
    assert.match(opened.stderr, /no daemon is running/);
    assert.deepEqual(await host.keys(), ['203.0.113.33', '203.0.113.34']);
    await host.write(loginBy('mallory', '203.0.113.35') + loginBy('anna', '203.0.113.32'));
    const second = await host.start(...grace);
    await host.logIn(second, 'bert', '203.0.113.36');
    await waitFor('its row', async () => (await host.keys()).includes('203.0.113.36'));
    assert.deepEqual(await host.keys(), ['203.0.113.33', '203.0.113.34', '203.0.113.36']);
    assert.match(second.stderr, /orders by hand in force: allow ip=203\.0\.113\.34 /);
    await second.stop();
  });

  test('without a daemon do not know whose grants are whose after kill -9, and say so', async () => {
    const daemon = await host.start();
    await host.logIn(daemon, 'mallory', '203.0.113.41');
    daemon.signal('SIGKILL');
    await daemon.exited();
    const { code, stdout, stderr } = await host.revoke('--user', 'mallory');
    assert.equal(code, 0);
    assert.match(stdout, /; rows removed: 0$/m);
    assert.match(stderr, /^popbsmtp: of 1 grant it is not known whose it is/);
  });

  test('end when their time is up', async () => {
    const daemon = await host.start();
    await host.allow('203.0.113.51', '--for', '2s');
    await host.revoke('203.0.113.52', '--for', '2s');
    await daemon.waitForLine(/^purging .*ip=203\.0\.113\.51$/);
    await waitFor('a login to count again', async () => {
      await host.logIn(daemon, 'anna', '203.0.113.52');
      return (await host.keys()).includes('203.0.113.52');
    });
    assert.ok(!(await host.keys()).includes('203.0.113.51'));
    await daemon.stop();
  });

  test('by purge, without a daemon, an allowance is prolonged and then ended', async () => {
    await (await host.start()).stop();
    const grace = ['--grace', '1s'];
    await host.allow('203.0.113.61', '--for', '1h', ...grace);
    const stamps = new Set<string>();
    const purged = async (): Promise<boolean> => {
      const { code, stderr } = await host.run('purge', ...grace);
      assert.equal(code, 0, stderr);
      const [row] = await readRows({ type: 'lmdb', path: host.path });
      if (row !== undefined) stamps.add(row.value);
      return row === undefined;
    };
    await waitFor('another stamp', async () => {
      assert.ok(!(await purged()));
      return stamps.size > 1;
    });
    await host.allow('203.0.113.61', '--for', '1s', ...grace);
    await waitFor('the end of the row', purged);
  });

  test('of an address that is excluded since is ended by purge, as the daemon would end it', async () => {
    await (await host.start()).stop();
    const grace = ['--grace', '1s'];
    await host.allow('203.0.113.71', '--for', '1h', ...grace);
    await host.allow('203.0.113.72', '--for', '1h', ...grace);
    const config = join(host.directory, 'excluding.toml');
    await writeFile(config, 'exclude = ["203.0.113.71"]\n');
    await waitFor('the end of the row', async () => {
      const { code, stderr } = await host.run('purge', '--config', config, ...grace);
      assert.deepEqual([code, stderr], [0, '']);
      return !(await host.keys()).includes('203.0.113.71');
    });
    assert.deepEqual(await host.keys(), ['203.0.113.72']);
    await waitFor('the end of all when nobody knows whom to exclude', async () => {
      const { code, stderr } = await host.run('purge', '--exclude', 'x', ...grace);
      assert.equal(code, 0);
      assert.match(stderr, /^popbsmtp: --exclude: /);
      return (await host.keys()).length === 0;
    });
  });

  test('a revocation ends a row that came back, by purge and by the next daemon', async () => {
    const daemon = await host.start();
    const orders = ['203.0.113.81', '203.0.113.82'] as const;
    await host.revoke(...orders);
    await daemon.stop();
    const bring = async (address: string): Promise<void> => {
      const opened = await openMap({ type: 'lmdb', path: host.path });
      await opened.commit([{ ip: ip(address), stamp: epoch(Math.floor(Date.now() / 1000)) }]);
      await opened.close();
    };
    await bring(orders[0]);
    await host.run('purge');
    assert.deepEqual(await host.keys(), []);
    await bring(orders[1]);
    const next = await host.start();
    assert.deepEqual(await host.keys(), []);
    await next.stop();
  });

  test('are obeyed by replay, whose rows would be open until the next start', async () => {
    const daemon = await host.start();
    await host.revoke('203.0.113.83');
    await host.run('revoke', '--user', 'mallory');
    await daemon.stop();
    const logins = [
      loginBy('anna', '203.0.113.83'),
      loginBy('anna', '203.0.113.84'),
      loginBy('mallory', '203.0.113.85'),
    ];
    await writeFile(host.log, logins.join(''));
    const replay = (...more: string[]) =>
      host.run('replay', host.log, '--exclude', 'none', '--mynetworks', 'none', ...more);
    assert.equal((await replay()).code, 0);
    assert.deepEqual(await host.keys(), ['203.0.113.84']);
    assert.match((await replay('--nowrite')).stderr, /; 3 grants at /);
    await writeFile(`${host.path}.orders`, '{"orders":[');
    assert.equal((await replay()).code, EXIT.io);
  });

  test('are lifted, through the daemon and without one', async () => {
    const daemon = await host.start();
    await host.allow('203.0.113.91');
    await host.revoke('203.0.113.92');
    await host.revoke('--user', 'anna');
    const lifted = await host.run('lift', '203.0.113.91', '203.0.113.92', '203.0.113.93');
    assert.deepEqual([lifted.code, lifted.stderr], [0, '']);
    assert.equal(
      lifted.stdout,
      '203.0.113.91 is allowed no longer; its row is removed\n203.0.113.92 is refused no longer\n' +
        '203.0.113.93: nothing was ordered here\n',
    );
    assert.deepEqual(await host.keys(), []);
    await host.run('lift', '203.0.113.99');
    await waitFor('the log', () => daemon.stderr.includes('lifted '));
    const told = daemon.stderr.split('\n').filter(line => line.includes('lifted '));
    assert.deepEqual(told, ['lifted ip=203.0.113.91 ip=203.0.113.92 grants=1 by=control']);
    await host.logIn(daemon, 'bert', '203.0.113.92');
    await waitFor('its row', async () => (await host.keys()).includes('203.0.113.92'));
    await daemon.stop();
    const byUser = await host.run('lift', '--user', 'Anna');
    assert.deepEqual(
      [byUser.code, byUser.stdout, byUser.stderr],
      [0, 'user "Anna" is refused no longer\n', ''],
    );
    const next = await host.start();
    await host.logIn(next, 'anna', '203.0.113.94');
    await waitFor('its row', async () => (await host.keys()).includes('203.0.113.94'));
    assert.deepEqual(await (await host.run('list', '--orders')).stdout.trim(), '');
    await next.stop();
  });

  test('refuse what makes no sense, in one line', async () => {
    const daemon = await host.start('--mynetworks', '192.0.2.0/24');
    const table: [args: string[], code: number, told: RegExp][] = [
      [['allow', '192.0.2.1'], 0, /^192\.0\.2\.1 is in mynetworks and may relay anyway/],
      [['allow', '127.0.0.9'], EXIT.config, /127\.0\.0\.9 never gets a grant: it is excluded/],
      [['allow', '10'], EXIT.usage, /"10" is not an address/],
      [['allow', '198.51.100.1', '--for', 'ever'], EXIT.usage, /not a duration/],
      [['allow'], EXIT.usage, /allow --help/],
      [['revoke'], EXIT.usage, /either addresses or --user/],
      [['lift'], EXIT.usage, /either addresses or --user/],
      [['revoke', '198.51.100.1', '--user', 'x'], EXIT.usage, /either addresses or --user/],
      [['revoke', '198.51.100.1', 'x'], EXIT.usage, /"x" is not an address/],
    ];
    for (const [args, code, told] of table) {
      const found = await popbsmtp(...args, '--map', host.map);
      assert.equal(found.code, code, args.join(' '));
      assert.match(`${found.stdout}${found.stderr}`, told);
      assert.equal(`${found.stdout}${found.stderr}`.split('\n').length, 2);
    }
    assert.deepEqual(await host.keys(), []);
    await daemon.stop();
    const missing = await (await Controlled.make(rig)).allow('198.51.100.1');
    assert.equal(missing.code, EXIT.noInput);
  });
});

test('orders that cannot be read stop the start, since they may refuse somebody', async () => {
  const file = `${host.path}.orders`;
  await writeFile(file, '{"orders":[');
  const daemon = host.spawn();
  assert.equal(await daemon.exited(), EXIT.io);
  assert.match(daemon.stderr, /^popbsmtp: cannot read \S+\.orders: .*\n$/);
});

test('orders that cannot be read keep purge from nothing that is due', async () => {
  const daemon = await host.start('--grace', '1h');
  await host.logIn(daemon, 'anna', '203.0.113.92');
  await daemon.stop();
  await writeFile(`${host.path}.orders`, 'x');
  await waitFor('the end of the row', async () => {
    const { code, stderr } = await host.run('purge', '--grace', '1s');
    assert.equal(code, 0);
    assert.match(stderr, /^popbsmtp: cannot read \S+\.orders: [^\n]*\n$/);
    return (await host.keys()).length === 0;
  });
});

test('explain promises no grant that an order refuses', async () => {
  const daemon = await host.start();
  await host.revoke('203.0.113.95');
  await host.revoke('--user', 'Mallory');
  const granted = async (user: string, address: string): Promise<boolean> => {
    const line = loginBy(user, address).trimEnd();
    const { code, stdout, stderr } = await host.run('explain', '--mynetworks', 'none', line);
    assert.deepEqual([code, stderr], [0, '']);
    if (/^grant +until /m.test(stdout)) return true;
    assert.match(stdout, /^grant +none: .*(?:revoked|by hand)/m);
    return false;
  };
  assert.equal(await granted('anna', '203.0.113.95'), false);
  assert.equal(await granted('mallory', '203.0.113.96'), false);
  assert.equal(await granted('anna', '203.0.113.96'), true);
  await daemon.stop();
});

test('what the daemon cannot do is told with its own words and status', async () => {
  const daemon = await host.start();
  await mkdir(`${host.path}.orders.new`);
  const { code, stderr } = await host.revoke('203.0.113.91');
  assert.equal(code, EXIT.io);
  assert.match(
    stderr,
    /^popbsmtp: cannot write \S+\.orders: .*directory.*; .*ends with the process\n$/,
  );
  await host.logIn(daemon, 'anna', '203.0.113.91');
  await ignored(daemon);
  await daemon.stop();
});
