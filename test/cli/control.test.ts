/**
 * Daemons as processes, asked and commanded by the commands; what of it outlives a daemon.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { epoch } from '../../src/clock.ts';
import { EXIT } from '../../src/errors.ts';
import { openMap, readRows } from '../../src/map/map-types.ts';
import { ip } from '../map/addresses.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { freePort } from '../real/ports.ts';
import { type Daemon, type Result, startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { loginLine, WatchedLog } from './watched-log.ts';

const rig = new Rig();
let watched: WatchedLog;

// A log for each test: a daemon with a new map reads what the log holds of the grace period.
beforeEach(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

const pathOf = (map: string): string => map.slice('lmdb:'.length);
const socketOf = (map: string): string => `${pathOf(map)}.sock`;

async function start(map: string, ...more: string[]): Promise<Daemon> {
  const daemon = watched.start(map, '--debug', ...more);
  const isServed = (): Promise<boolean> =>
    new Promise(resolve => {
      const socket = connect(socketOf(map));
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  await waitFor('the control socket', isServed, { seen: () => daemon.transcript() });
  return daemon;
}

const MYNETWORKS = ['--mynetworks', 'none'] as const;
const allow = (map: string, ...args: string[]): Promise<Result> =>
  popbsmtp('allow', '--map', map, ...MYNETWORKS, ...args);
const revoke = (map: string, ...args: string[]): Promise<Result> =>
  popbsmtp('revoke', '--map', map, ...args);

async function keys(map: string): Promise<string[]> {
  const rows = await readRows({ type: 'lmdb', path: pathOf(map) });
  return rows.map(({ key }) => key);
}

async function listed(map: string, ...args: string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await popbsmtp('list', '--json', '--map', map, ...args);
  assert.equal(code, 0, stderr);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line));
}

const as = (user: string, address: string): string =>
  loginLine(address).replace('<anna>', `<${user}>`);

async function logIn(daemon: Daemon, user: string, address: string): Promise<void> {
  const from = daemon.lines.length;
  await watched.write(as(user, address));
  await daemon.waitForLine(new RegExp(`^read .*ip=${address.replaceAll('.', '\\.')}$`), from);
}

/** After a login: what came of it. */
const ignored = (daemon: Daemon): Promise<string> =>
  daemon.waitForLine(/^ {4}ignored --- revoked$/);

describe('status', () => {
  test('tells what the daemon does, in words, as JSON and for Prometheus', async () => {
    const map = watched.newMap();
    const daemon = await start(map);
    await logIn(daemon, 'anna', '198.51.100.1');
    const { code, stdout } = await popbsmtp('status', '--map', map);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^popbsmtp +\\S+, pid ${daemon.pid}, running for `));
    assert.match(stdout, /^logins +1: dovecot 1; the last \ds ago$/m);
    assert.match(stdout, /^grants +1 now; 1 granted, 0 refreshed, 0 kept$/m);
    assert.match(stdout, new RegExp(`^source +${watched.log}: .*, 0 bytes behind; the last `, 'm'));
    const json = await popbsmtp('status', '--json', '--map', map);
    const status: Record<string, unknown> = JSON.parse(json.stdout);
    assert.deepEqual(
      [status['running'], status['pid'], status['map'], status['grants'], status['granted']],
      [true, daemon.pid, map, 1, 1],
    );
    const metrics = await popbsmtp('status', '--prometheus', '--map', map);
    assert.match(metrics.stdout, /^popbsmtp_logins_total\{server="dovecot"\} 1$/m);
    assert.match(metrics.stdout, /^popbsmtp_grants 1$/m);
    await daemon.stop();
  });

  test('without a daemon says so, and what the map holds, with a status of its own', async () => {
    const map = watched.newMap();
    const none = await popbsmtp('status', '--map', map);
    assert.equal(none.code, EXIT.unavailable);
    assert.match(none.stdout, /^no popbsmtp is running for lmdb:/);
    const daemon = await start(map);
    await logIn(daemon, 'anna', '198.51.100.1');
    daemon.signal('SIGKILL');
    await daemon.exited();
    assert.ok(existsSync(socketOf(map)), 'its socket is still there');
    const dead = await popbsmtp('status', '--map', map);
    assert.equal(dead.code, EXIT.unavailable);
    assert.match(dead.stdout, /^the map holds 1 grants; the latest login was on /m);
    const json = await popbsmtp('status', '--json', '--map', map);
    assert.equal(json.code, EXIT.unavailable);
    const stopped: Record<string, unknown> = JSON.parse(json.stdout);
    assert.deepEqual([stopped['running'], stopped['rows'], stopped['own']], [false, 1, 0]);
    const metrics = await popbsmtp('status', '--prometheus', '--map', map);
    assert.deepEqual([metrics.code, metrics.stdout], [EXIT.unavailable, '']);
  });
});

describe('metrics', () => {
  test('are written to a file and served over HTTP', async () => {
    const map = watched.newMap();
    const file = join(watched.directory, 'popbsmtp.prom');
    const port = await freePort();
    const daemon = await start(
      map,
      ...['--metrics-file', file, '--metrics-listen', `127.0.0.1:${port}`],
    );
    await logIn(daemon, 'anna', '198.51.100.1');
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    assert.match(await answer.text(), /^popbsmtp_grants 1$/m);
    assert.match(await readFile(file, 'utf8'), /^popbsmtp_grants /m);
    await daemon.stop();
    assert.match(await readFile(file, 'utf8'), /^popbsmtp_grants 1$/m);
  });

  test('are served to this machine only: anything else is an error of the configuration', async () => {
    const map = watched.newMap();
    const args = ['--watchlog', watched.log, '--map', map, ...MYNETWORKS];
    const { code, stderr } = await popbsmtp('run', ...args, '--metrics-listen', '0.0.0.0:9117');
    assert.equal(code, EXIT.config);
    assert.match(stderr, /^popbsmtp: --metrics-listen: "0\.0\.0\.0:9117" .*loopback.*\n$/);
    assert.equal(existsSync(`${pathOf(map)}.lmdb`), false);
  });
});

describe('list', () => {
  test('tells whose each row is, and when it ends', async () => {
    const map = watched.newMap();
    const daemon = await start(map);
    await logIn(daemon, 'bert', '198.51.100.20');
    await logIn(daemon, 'anna', '198.51.100.3');
    const rows = await listed(map);
    assert.deepEqual(
      rows.map(row => [row['ip'], row['user'], row['server']]),
      [
        ['198.51.100.3', 'anna', 'dovecot'],
        ['198.51.100.20', 'bert', 'dovecot'],
      ],
    );
    const left = Number(rows[0]?.['expiresIn']);
    assert.ok(left > 600 && left <= 900, String(left));
    assert.deepEqual((await listed(map, '--user', 'BERT')).length, 1);
    assert.equal(await daemon.stop(), 0);
    const alone = await listed(map);
    assert.deepEqual([alone.length, alone[0]?.['user']], [2, null]);
    const asked = await popbsmtp('list', '--map', map, '--user', 'bert');
    assert.deepEqual([asked.code, asked.stdout], [EXIT.unavailable, '']);
    const again = await start(map);
    const known = await listed(map, '--user', 'bert');
    assert.deepEqual([known.length, known[0]?.['server']], [1, 'dovecot'], 'after a restart');
    await again.stop();
  });
});

describe('allow and revoke', () => {
  test('open and close at once, through the daemon, and it says so in its log', async () => {
    const map = watched.newMap();
    const own = join(watched.directory, 'audit.log');
    const daemon = await start(map, '--logto', own);
    const opened = await allow(map, '203.0.113.1', '--for', '1h');
    assert.deepEqual([opened.code, opened.stderr], [0, '']);
    assert.match(opened.stdout, /^203\.0\.113\.1 is allowed until /);
    assert.deepEqual(await keys(map), ['203.0.113.1']);
    const closed = await revoke(map, '203.0.113.1', '203.0.113.2');
    assert.match(closed.stdout, /^203\.0\.113\.1 is refused until .*; its row is removed$/m);
    assert.match(closed.stdout, /^203\.0\.113\.2 is refused until [^;]*$/m);
    assert.deepEqual(await keys(map), []);
    await logIn(daemon, 'anna', '203.0.113.1');
    await ignored(daemon);
    assert.deepEqual(await keys(map), []);
    const orders = await popbsmtp('list', '--orders', '--map', map);
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
    const map = watched.newMap();
    const daemon = await start(map);
    await logIn(daemon, 'mallory', '203.0.113.11');
    await logIn(daemon, 'anna', '203.0.113.12');
    await logIn(daemon, 'mallory', '203.0.113.13');
    const { code, stdout, stderr } = await revoke(map, '--user', 'Mallory');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^user "Mallory" is refused until .*; 2 rows are removed\n$/);
    assert.deepEqual(await keys(map), ['203.0.113.12']);
    await logIn(daemon, 'mallory', '203.0.113.14');
    await ignored(daemon);
    assert.deepEqual(await keys(map), ['203.0.113.12']);
    await daemon.stop();
  });

  for (const [how, signal] of [
    ['a stop', 'SIGTERM'],
    ['kill -9', 'SIGKILL'],
  ] as const) {
    test(`last through ${how} and a new start`, async () => {
      const map = watched.newMap();
      const first = await start(map);
      await logIn(first, 'mallory', '203.0.113.21');
      await revoke(map, '--user', 'mallory');
      await revoke(map, '203.0.113.22');
      await allow(map, '203.0.113.23', '--for', '10m');
      first.signal(signal);
      await first.exited();
      await watched.write(as('mallory', '203.0.113.24') + as('anna', '203.0.113.22'));
      const second = await start(map);
      await second.waitForLine(/^read .*ip=203\.0\.113\.22$/);
      await logIn(second, 'anna', '203.0.113.25');
      await waitFor('its row', async () => (await keys(map)).includes('203.0.113.25'));
      assert.deepEqual((await keys(map)).sort(), ['203.0.113.23', '203.0.113.25']);
      assert.equal(
        second.lines.filter(line => line === '    ignored --- revoked').length >= 2,
        true,
      );
      const [row] = (await listed(map)).filter(({ ip: key }) => key === '203.0.113.23');
      const left = Number(row?.['expiresIn']);
      assert.ok(left > 300 && left <= 600, String(left));
      await second.stop();
    });
  }

  test('work without a daemon, and the next one obeys them', async () => {
    const map = watched.newMap();
    const first = await start(map, '--grace', '1h');
    await logIn(first, 'mallory', '203.0.113.31');
    await logIn(first, 'anna', '203.0.113.32');
    await logIn(first, 'anna', '203.0.113.33');
    await first.stop();
    const grace = ['--grace', '1h'];
    const byUser = await revoke(map, '--user', 'mallory', ...grace);
    assert.match(byUser.stdout, /; 1 rows are removed$/m);
    assert.equal((await revoke(map, '203.0.113.32', ...grace)).code, 0);
    const opened = await allow(map, '203.0.113.34', ...grace);
    assert.equal(opened.code, 0, opened.stderr);
    assert.match(opened.stderr, /no daemon is running/);
    assert.deepEqual(await keys(map), ['203.0.113.33', '203.0.113.34']);
    await watched.write(as('mallory', '203.0.113.35') + as('anna', '203.0.113.32'));
    const second = await start(map, ...grace);
    await logIn(second, 'bert', '203.0.113.36');
    await waitFor('its row', async () => (await keys(map)).includes('203.0.113.36'));
    assert.deepEqual(await keys(map), ['203.0.113.33', '203.0.113.34', '203.0.113.36']);
    assert.match(second.stderr, /orders by hand in force: allow ip=203\.0\.113\.34 /);
    await second.stop();
  });

  test('without a daemon do not know whose grants are whose after kill -9, and say so', async () => {
    const map = watched.newMap();
    const daemon = await start(map);
    await logIn(daemon, 'mallory', '203.0.113.41');
    daemon.signal('SIGKILL');
    await daemon.exited();
    const { code, stdout, stderr } = await revoke(map, '--user', 'mallory');
    assert.equal(code, 0);
    assert.match(stdout, /; 0 rows are removed$/m);
    assert.match(stderr, /^popbsmtp: of 1 grants it is not known whose they are/);
  });

  test('end when their time is up', async () => {
    const map = watched.newMap();
    const daemon = await start(map);
    await allow(map, '203.0.113.51', '--for', '2s');
    await revoke(map, '203.0.113.52', '--for', '2s');
    await daemon.waitForLine(/^purging .*ip=203\.0\.113\.51$/);
    await waitFor('a login to count again', async () => {
      await logIn(daemon, 'anna', '203.0.113.52');
      return (await keys(map)).includes('203.0.113.52');
    });
    assert.ok(!(await keys(map)).includes('203.0.113.51'));
    await daemon.stop();
  });

  test('by purge, without a daemon, an allowance is prolonged and then ended', async () => {
    const map = watched.newMap();
    await (await start(map)).stop();
    const grace = ['--grace', '1s'];
    await allow(map, '203.0.113.61', '--for', '3s', ...grace);
    const stamps = new Set<string>();
    await waitFor('the end of the row', async () => {
      const { code, stderr } = await popbsmtp('purge', '--map', map, ...grace);
      assert.equal(code, 0, stderr);
      const [row] = await readRows({ type: 'lmdb', path: pathOf(map) });
      if (row !== undefined) stamps.add(row.value);
      return row === undefined;
    });
    assert.ok(stamps.size > 1, [...stamps].join());
  });

  test('a revocation ends a row that came back, by purge and by the next daemon', async () => {
    const map = watched.newMap();
    const daemon = await start(map);
    const orders = ['203.0.113.81', '203.0.113.82'] as const;
    await revoke(map, ...orders);
    await daemon.stop();
    const bring = async (address: string): Promise<void> => {
      const opened = await openMap({ type: 'lmdb', path: pathOf(map) });
      await opened.commit([{ ip: ip(address), stamp: epoch(Math.floor(Date.now() / 1000)) }]);
      await opened.close();
    };
    await bring(orders[0]);
    await popbsmtp('purge', '--map', map);
    assert.deepEqual(await keys(map), []);
    await bring(orders[1]);
    const next = await start(map);
    assert.deepEqual(await keys(map), []);
    await next.stop();
  });

  test('refuse what makes no sense, in one line', async () => {
    const map = watched.newMap();
    const daemon = await start(map, '--mynetworks', '192.0.2.0/24');
    const table: [args: string[], code: number, told: RegExp][] = [
      [['allow', '192.0.2.1'], 0, /^192\.0\.2\.1 is in mynetworks and may relay anyway/],
      [['allow', '127.0.0.9'], EXIT.config, /127\.0\.0\.9 never gets a grant: it is excluded/],
      [['allow', '10'], EXIT.usage, /"10" is not an address/],
      [['allow', '198.51.100.1', '--for', 'ever'], EXIT.usage, /not a duration/],
      [['allow'], EXIT.usage, /allow --help/],
      [['revoke'], EXIT.usage, /either addresses or --user/],
      [['revoke', '198.51.100.1', '--user', 'x'], EXIT.usage, /either addresses or --user/],
      [['revoke', '198.51.100.1', 'x'], EXIT.usage, /"x" is not an address/],
    ];
    for (const [args, code, told] of table) {
      const found = await popbsmtp(...args, '--map', map);
      assert.equal(found.code, code, args.join(' '));
      assert.match(`${found.stdout}${found.stderr}`, told);
      assert.equal(`${found.stdout}${found.stderr}`.split('\n').length, 2);
    }
    assert.deepEqual(await keys(map), []);
    await daemon.stop();
    const missing = await allow(watched.newMap(), '198.51.100.1');
    assert.equal(missing.code, EXIT.noInput);
  });
});

test('orders that cannot be read stop the start, since they may refuse somebody', async () => {
  const map = watched.newMap();
  const file = `${pathOf(map)}.orders`;
  await writeFile(file, '{"orders":[');
  const daemon = watched.start(map);
  assert.equal(await daemon.exited(), EXIT.io);
  assert.match(daemon.stderr, /^popbsmtp: cannot read \S+\.orders: .*\n$/);
});

test('what the daemon cannot do is told with its own words and status', async () => {
  const map = watched.newMap();
  const daemon = await start(map);
  await mkdir(`${pathOf(map)}.orders.new`);
  const { code, stderr } = await revoke(map, '203.0.113.91');
  assert.equal(code, EXIT.io);
  assert.match(
    stderr,
    /^popbsmtp: cannot write \S+\.orders: .*directory.*; .*ends with the process\n$/,
  );
  await logIn(daemon, 'anna', '203.0.113.91');
  await ignored(daemon);
  await daemon.stop();
});

test('clients that stall, babble and never leave keep no login from its grant', async () => {
  const map = watched.newMap();
  const daemon = await start(map);
  const sockets = Array.from({ length: 40 }, () => connect(socketOf(map)));
  for (const [index, socket] of sockets.entries()) {
    socket.on('error', () => undefined);
    if (index % 3 === 0) socket.write(randomBytes(200_000));
    if (index % 3 === 1) socket.pause().write('{"command":"list"}\n'.repeat(3000));
  }
  await logIn(daemon, 'anna', '203.0.113.95');
  await waitFor('its row', async () => (await keys(map)).join() === '203.0.113.95');
  for (const socket of sockets) socket.destroy();
  await waitFor(
    'the daemon to have room for others',
    async () => (await popbsmtp('status', '--map', map)).code === 0,
  );
  assert.equal(await daemon.stop(), 0);
});

describe('status --watch', () => {
  test('draws anew until interrupted, or until the daemon has gone', async () => {
    const map = watched.newMap();
    const daemon = await start(map);
    const args = [MAIN, 'status', '--watch', '--map', map];
    const first = startDaemon(rig, process.execPath, args);
    await waitFor('two frames', () => first.lines.filter(line => line.startsWith('|')).length > 1);
    first.signal('SIGINT');
    assert.equal(await first.exited(), 0);
    assert.ok(!first.stdout.includes('\x1b'), 'no terminal, no control characters');
    const second = startDaemon(rig, process.execPath, args);
    await second.waitForLine(/^logins of the last hour: 0, at most 0 a minute$/);
    await daemon.stop();
    assert.equal(await second.exited(), EXIT.unavailable);
  });
});

describe('two daemons', () => {
  test('the second is refused, and the first keeps its socket', async () => {
    const map = watched.newMap();
    const daemon = await start(map);
    const { ino } = statSync(socketOf(map));
    const second = watched.start(map);
    assert.equal(await second.exited(), EXIT.temporary);
    assert.equal(statSync(socketOf(map)).ino, ino);
    assert.equal((await popbsmtp('status', '--map', map)).code, 0);
    assert.equal(await daemon.stop(), 0);
    assert.equal(existsSync(socketOf(map)), false);
  });

  test('a dry run beside a daemon has no socket, and obeys its orders', async () => {
    const map = watched.newMap();
    const daemon = await start(map);
    await revoke(map, '203.0.113.71');
    const dry = watched.start(map, '--debug', '--nowrite');
    await waitFor('the dry run', () => dry.stderr.includes('watching'));
    await logIn(dry, 'anna', '203.0.113.71');
    await ignored(dry);
    await dry.stop();
    assert.equal((await popbsmtp('status', '--map', map)).code, 0);
    await daemon.stop();
  });
});
