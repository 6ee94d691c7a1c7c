/**
 * Daemons as processes, asked by the commands: status, list, metrics; what holds them up, and what does not.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { MAIN } from '../real/popbsmtp.ts';
import { freePort } from '../real/ports.ts';
import { startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled, ignored } from './controlled.ts';

const rig = new Rig();
let host: Controlled;

beforeEach(async () => {
  host = await Controlled.make(rig);
});
after(() => rig.close());

describe('status', () => {
  test('tells what the daemon does, in words, as JSON and for Prometheus', async () => {
    const daemon = await host.start();
    await host.logIn(daemon, 'anna', '198.51.100.1');
    const { code, stdout } = await host.run('status');
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^popbsmtp +\\S+, pid ${daemon.pid}, running for `));
    assert.match(stdout, /^logins +1: dovecot 1; the last \ds ago$/m);
    assert.match(stdout, /^grants +1 now; 1 granted, 0 refreshed, 0 kept$/m);
    assert.match(stdout, new RegExp(`^source +${host.log}: .*, 0 bytes behind; the last `, 'm'));
    const json = await host.run('status', '--json');
    const status: Record<string, unknown> = JSON.parse(json.stdout);
    assert.deepEqual(
      [status['running'], status['pid'], status['map'], status['grants'], status['granted']],
      [true, daemon.pid, host.map, 1, 1],
    );
    const metrics = await host.run('status', '--prometheus');
    assert.match(metrics.stdout, /^popbsmtp_logins_total\{server="dovecot"\} 1$/m);
    assert.match(metrics.stdout, /^popbsmtp_grants 1$/m);
    await daemon.stop();
  });

  test('without a daemon says so, and what the map holds, with a status of its own', async () => {
    const none = await host.run('status');
    assert.equal(none.code, EXIT.unavailable);
    assert.match(none.stdout, /^no popbsmtp is running for lmdb:/);
    const daemon = await host.start();
    await host.logIn(daemon, 'anna', '198.51.100.1');
    daemon.signal('SIGKILL');
    await daemon.exited();
    assert.ok(existsSync(host.socket), 'its socket is still there');
    const dead = await host.run('status');
    assert.equal(dead.code, EXIT.unavailable);
    assert.match(
      dead.stdout,
      /^no popbsmtp is running for [^\n]*; the map holds 1 grant; the latest login was on [^\n]*\n$/,
    );
    const json = await host.run('status', '--json');
    assert.equal(json.code, EXIT.unavailable);
    const stopped: Record<string, unknown> = JSON.parse(json.stdout);
    assert.deepEqual([stopped['running'], stopped['rows'], stopped['own']], [false, 1, 0]);
    const metrics = await host.run('status', '--prometheus');
    assert.deepEqual([metrics.code, metrics.stdout], [EXIT.unavailable, '']);
  });
});

describe('list answers what is asked', () => {
  test('of a shared address all users, and of each of them the address', async () => {
    const daemon = await host.start();
    for (const user of ['carl', 'anna', 'scanner']) await host.logIn(daemon, user, '198.51.100.3');
    await host.logIn(daemon, 'bert', '198.51.100.20');
    const [shared] = await host.listed('198.51.100.3');
    assert.deepEqual(shared?.['users'], ['scanner', 'anna', 'carl']);
    assert.deepEqual((await host.listed('--user', 'Carl'))[0]?.['ip'], '198.51.100.3');
    assert.equal((await host.listed('--user', 'carl', '198.51.100.20')).length, 0);
    const sorted = await host.listed('--sort', 'user');
    assert.deepEqual(
      sorted.map(row => row['ip']),
      ['198.51.100.20', '198.51.100.3'],
    );
    assert.equal((await host.listed('--server', 'courier')).length, 0);
    await daemon.stop();
    const again = await host.start();
    assert.equal((await host.listed('--user', 'carl')).length, 1, 'after a restart');
    await again.stop();
  });

  test('with a word when nothing fits, or there is nothing', async () => {
    const daemon = await host.start();
    const empty = await host.run('list');
    assert.deepEqual([empty.code, empty.stdout], [0, '']);
    assert.equal(empty.stderr, `popbsmtp: ${host.map} has no rows\n`);
    await host.logIn(daemon, 'bert', '198.51.100.20');
    const none = await host.run('list', '192.0.2.0/24', '--user', 'nope');
    assert.deepEqual([none.code, none.stdout], [0, '']);
    assert.equal(none.stderr, 'popbsmtp: of 1 row none fits 192.0.2.0/24 --user nope\n');
    const odd = await host.run('list', 'extra');
    assert.equal(odd.code, EXIT.usage);
    assert.match(odd.stderr, /^popbsmtp: "extra" is neither an address nor a network[^\n]*\n$/);
    await daemon.stop();
  });

  test('of an allowance by hand its own end, with a daemon and without', async () => {
    const daemon = await host.start();
    await host.allow('203.0.113.44', '--for', '2h');
    const ends = async (): Promise<void> => {
      const [row] = await host.listed('203.0.113.44');
      assert.equal(row?.['state'], 'by hand');
      // Ends are whole seconds, and nobody's comes too early.
      const most = 7201;
      const left = Number(row?.['expiresIn']);
      assert.ok(left > 6600 && left <= most, String(left));
      const until = Date.parse(String(row?.['allowedUntil'])) / 1000 - Date.now() / 1000;
      assert.ok(until > 6600 && until <= most, String(until));
    };
    await ends();
    await daemon.stop();
    await ends();
  });

  test('of an open session that it is open, and of its row that it does not end', async () => {
    const daemon = await host.start('--grace', '2s');
    const hook = ['--user', 'anna', '--ip', '198.51.100.9'];
    await host.run('login', ...hook, '--session', '1');
    await host.run('logout', '--session', '1');
    await host.run('login', ...hook, '--session', '2');
    const [row] = await host.listed();
    assert.deepEqual([row?.['state'], row?.['sessions']], ['session open', 1]);
    const { stdout } = await host.run('list');
    assert.match(stdout, /^198\.51\.100\.9 +\S+ +\S+ \S+ +- +session open /);
    await host.run('logout', '--session', '2');
    await waitFor('the end', async () => (await host.keys()).length === 0);
    await daemon.stop();
  });

  test('of a row that is due without a daemon that it is', async () => {
    const daemon = await host.start('--grace', '1h');
    await host.logIn(daemon, 'anna', '198.51.100.1');
    await daemon.stop();
    const due = async (): Promise<string> => (await host.run('list', '--grace', '1s')).stdout;
    await waitFor('it to be due', async () => / due +due /.test(await due()));
    assert.equal((await host.listed('--grace', '1h'))[0]?.['state'], 'login');
  });
});

describe('a daemon that hangs', () => {
  test('is told in one line within two seconds, and the map is listed all the same', async () => {
    const daemon = await host.start();
    await host.logIn(daemon, 'anna', '198.51.100.1');
    daemon.signal('SIGSTOP');
    try {
      for (const args of [[], ['--json'], ['--prometheus'], ['--watch']]) {
        const { code, stdout, stderr } = await host.run('status', ...args);
        assert.deepEqual([code, stdout], [EXIT.temporary, ''], stderr);
        assert.match(stderr, /^popbsmtp: the daemon does not answer: [^\n]* for 2 s; [^\n]*\n$/);
      }
      const listed = await host.run('list');
      assert.equal(listed.code, 0);
      assert.match(listed.stdout, /^198\.51\.100\.1 /);
      assert.match(listed.stderr, /does not answer[^\n]*these are the map's own rows\n$/);
    } finally {
      daemon.signal('SIGCONT');
    }
    await daemon.stop();
  });
});

describe('metrics', () => {
  test('are written to a file and served over HTTP', async () => {
    const file = join(host.directory, 'popbsmtp.prom');
    const port = await freePort();
    const daemon = await host.start(
      ...['--metrics-file', file, '--metrics-listen', `127.0.0.1:${port}`],
    );
    await host.logIn(daemon, 'anna', '198.51.100.1');
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    assert.match(await answer.text(), /^popbsmtp_grants 1$/m);
    assert.match(await readFile(file, 'utf8'), /^popbsmtp_grants /m);
    await daemon.stop();
    assert.match(await readFile(file, 'utf8'), /^popbsmtp_grants 1$/m);
  });

  test('are served to this machine only: anything else is refused', async () => {
    const args = ['--watchlog', host.log, '--mynetworks', 'none'];
    const { code, stderr } = await host.run('run', ...args, '--metrics-listen', '0.0.0.0:9117');
    assert.equal(code, EXIT.usage);
    assert.match(stderr, /^popbsmtp: --metrics-listen: "0\.0\.0\.0:9117" .*loopback.*\n$/);
    assert.equal(existsSync(`${host.path}.lmdb`), false);
  });
});

describe('list', () => {
  test('tells whose each row is, and when it ends', async () => {
    const daemon = await host.start();
    await host.logIn(daemon, 'bert', '198.51.100.20');
    await host.logIn(daemon, 'anna', '198.51.100.3');
    const rows = await host.listed();
    assert.deepEqual(
      rows.map(row => [row['ip'], row['user'], row['server']]),
      [
        ['198.51.100.3', 'anna', 'dovecot'],
        ['198.51.100.20', 'bert', 'dovecot'],
      ],
    );
    const left = Number(rows[0]?.['expiresIn']);
    // Whole seconds, rounded up, of a stamp in whole seconds.
    assert.ok(left > 600 && left <= 901, String(left));
    assert.deepEqual((await host.listed('--user', 'BERT')).length, 1);
    assert.equal(await daemon.stop(), 0);
    const alone = await host.listed();
    assert.deepEqual([alone.length, alone[0]?.['user']], [2, null]);
    const asked = await host.run('list', '--user', 'bert');
    assert.deepEqual([asked.code, asked.stdout], [EXIT.unavailable, '']);
    const again = await host.start();
    const known = await host.listed('--user', 'bert');
    assert.deepEqual([known.length, known[0]?.['server']], [1, 'dovecot'], 'after a restart');
    await again.stop();
  });
});

test('clients that stall, babble and never leave keep no login from its grant', async () => {
  const daemon = await host.start();
  const sockets = Array.from({ length: 40 }, () => connect(host.socket));
  for (const [index, socket] of sockets.entries()) {
    socket.on('error', () => undefined);
    if (index % 3 === 0) socket.write(randomBytes(200_000));
    if (index % 3 === 1) socket.pause().write('{"command":"list"}\n'.repeat(3000));
  }
  await host.logIn(daemon, 'anna', '203.0.113.95');
  await waitFor('its row', async () => (await host.keys()).join() === '203.0.113.95');
  for (const socket of sockets) socket.destroy();
  await waitFor(
    'the daemon to have room for others',
    async () => (await host.run('status')).code === 0,
  );
  assert.equal(await daemon.stop(), 0);
});

describe('status --watch', () => {
  test('draws anew until interrupted, or until the daemon has gone', async () => {
    const daemon = await host.start();
    const args = [MAIN, 'status', '--watch', '--map', host.map];
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
    const daemon = await host.start();
    const { ino } = statSync(host.socket);
    const second = host.spawn();
    assert.equal(await second.exited(), EXIT.temporary);
    assert.equal(statSync(host.socket).ino, ino);
    assert.equal((await host.run('status')).code, 0);
    assert.equal(await daemon.stop(), 0);
    assert.equal(existsSync(host.socket), false);
  });

  test('a dry run beside a daemon has no socket, and obeys its orders', async () => {
    const daemon = await host.start();
    await host.revoke('203.0.113.71');
    const dry = host.spawn('--nowrite');
    await waitFor('the dry run', () => dry.stderr.includes('watching'));
    await host.logIn(dry, 'anna', '203.0.113.71');
    await ignored(dry);
    await dry.stop();
    assert.equal((await host.run('status')).code, 0);
    await daemon.stop();
  });
});
