/**
 * What a daemon leaves behind and the next one finds: the map, the checkpoint; and purge between them.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, chmod, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { EXIT } from '../../src/base/errors.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import { openMap } from '../../src/map/map-types.ts';
import { ip } from '../map/addresses.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { type Daemon, mustRun, runProgram, startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { keysOf, loginLine, WatchedLog } from './watched-log.ts';

const ALONE = ['--mynetworks', 'none'] as const;

const rig = new Rig();
let watched: WatchedLog;
let count = 0;

before(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

describe('the map', () => {
  test('is there, empty and for its account only, from the first start on', async () => {
    const map = watched.newMap();
    const daemon = watched.start(map);
    const file = `${map.slice('lmdb:'.length)}.lmdb`;
    await waitFor('the map', () => existsSync(file));
    await waitFor('an empty list', async () => (await popbsmtp('list', '--map', map)).code === 0);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(await daemon.stop(), 0);
  });

  test('is filled from what the log holds of the last grace period', async () => {
    const map = watched.newMap();
    const old = join(watched.directory, 'old.log');
    await writeFile(old, loginLine('198.51.100.50', 1000) + loginLine('198.51.100.51', 60));
    const daemon = startDaemon(rig, process.execPath, [
      ...[MAIN, 'run', '--watchlog', old, '--map', map, '--mynetworks', 'none'],
    ]);
    await waitFor('its row', async () => (await keysOf(map)).join() === '198.51.100.51');
    await daemon.stop();
  });

  test('is not filled from what a clock that was ahead has put into the log', async () => {
    const stamped = (ip: string, at: number): string =>
      `${new Date(at).toISOString()} mx dovecot: imap-login: Login: user=<anna>, method=PLAIN, rip=${ip}, ` +
      'lip=192.0.2.5, mpid=1, session=<a>\n';
    const hour = 3_600_000;
    const now = Date.now();
    for (const [what, modified, ahead, expected] of [
      ['by a month, of a log last written to yesterday', now - 24 * hour, 700 * hour, []],
      ['by less than a day', now - 12 * hour, hour, []],
      ['by a month, of a log that goes on', now, 700 * hour, []],
      ['by an hour as all of them are', now, hour, ['203.0.113.1']],
    ] as const) {
      const map = watched.newMap();
      const old = join(watched.directory, `ahead-${++count}.log`);
      await writeFile(old, stamped('203.0.113.1', now + ahead));
      await utimes(old, modified / 1000, modified / 1000);
      const daemon = startDaemon(rig, process.execPath, [
        ...[MAIN, 'run', '--watchlog', old, '--map', map, '--mynetworks', 'none', '--debug'],
      ]);
      await daemon.waitForLine(/^read .* ip=203\.0\.113\.1$/);
      // One that comes now counts, wherever the other stands.
      await appendFile(old, loginLine('198.51.100.59'));
      await waitFor('its row', async () => (await keysOf(map)).includes('198.51.100.59'));
      assert.deepEqual(
        (await keysOf(map)).filter(key => key !== '198.51.100.59'),
        expected,
        what,
      );
      await daemon.stop();
    }
  });

  test('is left alone by a dry run', async () => {
    const map = watched.newMap();
    const daemon = watched.start(map, '--nowrite', '--debug');
    await watched.logIn('198.51.100.60');
    await daemon.waitForLine(/ip=198\.51\.100\.60$/);
    await daemon.waitForLine(/not written --- dry run/);
    assert.ok(!daemon.stdout.includes('written ok'));
    await daemon.stop();
    assert.equal((await popbsmtp('list', '--map', map)).code, EXIT.noInput);
  });
});

describe('a restart', () => {
  const readsOf = (daemon: Daemon): string[] =>
    daemon.lines.filter(line => line.startsWith('read ')).map(line => line.replace(/.* ip=/, ''));

  /** A log and a map of the test's own. */
  async function begin(
    ...more: string[]
  ): Promise<{ own: string; map: string; startAgain: () => Daemon }> {
    const map = watched.newMap();
    const own = join(watched.directory, `own-${++count}.log`);
    await writeFile(own, '');
    const args = ['--watchlog', own, '--map', map, '--mynetworks', 'none', '--debug', ...more];
    return { own, map, startAgain: () => startDaemon(rig, process.execPath, [MAIN, ...args]) };
  }

  test('goes on behind the last line, and what was written meanwhile is not missed', async () => {
    const { own, startAgain } = await begin();
    const first = startAgain();
    await appendFile(own, loginLine('198.51.100.101'));
    await first.waitForLine(/written ok/);
    assert.equal(await first.stop(), 0);
    await appendFile(own, loginLine('198.51.100.102'));
    const second = startAgain();
    await appendFile(own, loginLine('198.51.100.103'));
    await second.waitForLine(/ip=198\.51\.100\.103$/);
    assert.deepEqual(readsOf(second), ['198.51.100.102', '198.51.100.103']);
    await second.stop();
  });

  test('reads the rest of a log that was rotated meanwhile, also when it was compressed', async () => {
    const { own, startAgain } = await begin();
    const first = startAgain();
    await appendFile(own, loginLine('198.51.100.111'));
    await first.waitForLine(/written ok/);
    await first.stop();
    await appendFile(own, loginLine('198.51.100.112'));
    await rename(own, `${own}.1`);
    await runProgram('gzip', [`${own}.1`]);
    await writeFile(own, loginLine('198.51.100.113'));
    const second = startAgain();
    await second.waitForLine(/ip=198\.51\.100\.113$/);
    assert.deepEqual(readsOf(second), ['198.51.100.112', '198.51.100.113']);
    await second.stop();
  });

  test('keeps the grant of a session that is still open', async () => {
    const { own, map, startAgain } = await begin('--grace', '5s');
    const first = startAgain();
    const addresses = ['198.51.100.131', '198.51.100.132'];
    // A login that was read too late is ignored.
    await waitFor('both grants', async () => {
      await appendFile(own, loginLine('198.51.100.131', 0, 'open'));
      await appendFile(own, loginLine('198.51.100.132', 0, 'closed'));
      return addresses.join() === (await keysOf(map)).join();
    });
    const stamp = formatStamp(epoch(Date.now() / 1000));
    await appendFile(
      own,
      `${stamp} mx dovecot: pop3(anna)<1><closed>: Logged out top=0/0, retr=0/0, del=0/0, size=0\n`,
    );
    await first.waitForLine(/^logout .*ip=198\.51\.100\.132$/);
    await first.stop();
    const second = startAgain();
    const ends = (): boolean =>
      [first, second].some(({ lines }) =>
        lines.some(line => /^purging .*ip=198\.51\.100\.132$/.test(line)),
      );
    await waitFor('the end of the other', ends, { seen: () => second.transcript() });
    await second.waitForLine(/^keeping .*ip=198\.51\.100\.131$/);
    assert.ok(!second.lines.some(line => /^purging .*131$/.test(line)));
    await second.stop();
  });

  test('with a new map reads the last grace period again', async () => {
    const { own, startAgain } = await begin();
    const first = startAgain();
    await appendFile(own, loginLine('198.51.100.121'));
    await first.waitForLine(/written ok/);
    const map = first.transcript().match(/lmdb:(\S+)/)?.[1] ?? '';
    await first.stop();
    await rm(`${map}.lmdb`);
    const second = startAgain();
    await second.waitForLine(/ip=198\.51\.100\.121$/);
    await second.waitForLine(/written ok/);
    await second.stop();
  });
});

describe('purge', () => {
  test('ends what is due once the daemon is dead, and nothing while it lives', async () => {
    const map = watched.newMap();
    const daemon = watched.start(map, '--debug', '--grace', '1h');
    await watched.logIn('198.51.100.90');
    await daemon.waitForLine(/written ok/);
    const early = await popbsmtp('purge', '--map', map, '--grace', '1s');
    assert.deepEqual([early.code, early.stdout], [0, ''], 'while a daemon owns the map');
    daemon.signal('SIGKILL');
    await daemon.exited();
    const kept = await popbsmtp('purge', '--map', map, '--grace', '1h');
    assert.deepEqual([kept.code, kept.stdout], [0, '']);
    assert.ok((await keysOf(map)).includes('198.51.100.90'));
    await waitFor('the grant to be due', async () => {
      const { code, stdout } = await popbsmtp('purge', '--map', map, '--grace', '1s');
      assert.equal(code, 0);
      return /^purging ts=.* ip=198\.51\.100\.90$/m.test(stdout);
    });
    assert.deepEqual(await keysOf(map), []);
  });

  test('has nothing to do where there is no map', async () => {
    assert.equal((await popbsmtp('purge', '--map', watched.newMap())).code, 0);
  });

  test('of all ends every grant and allowance once no daemon has the map, and says why not', async () => {
    const map = watched.newMap();
    const daemon = watched.start(map, '--debug', '--grace', '1h');
    await watched.logIn('198.51.100.93');
    await daemon.waitForLine(/written ok/);
    for (const option of ['--all', '--foreign'] as const) {
      const early = await popbsmtp('purge', option, '--map', map);
      assert.equal(early.code, EXIT.temporary);
      assert.match(early.stderr, new RegExp(`another popbsmtp, pid ${daemon.pid}\\b`));
    }
    await daemon.stop();
    const allowed = await popbsmtp('allow', '198.51.100.94', '--map', map, ...ALONE);
    assert.equal(allowed.code, 0, allowed.stderr);
    const { code, stdout, stderr } = await popbsmtp('purge', '--all', '--map', map);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^purging ts=.* ip=198\.51\.100\.93$/m);
    assert.match(stdout, /^purging ts=.* ip=198\.51\.100\.94$/m);
    assert.deepEqual(await keysOf(map), []);
    assert.equal((await popbsmtp('list', '--orders', '--map', map)).stdout, '');
    assert.equal((await popbsmtp('purge', '--map', map)).code, 0);
    assert.deepEqual(await keysOf(map), []);
  });

  test('of foreign rows shows and ends those that let clients relay', async () => {
    const map = watched.newMap();
    const path = map.slice('lmdb:'.length);
    await writeFile(path, '10 OK\n192.0.2.7 OK\n198.51.100.95 ok\n198.51.100.96 REJECT\n');
    await mustRun('postmap', [map]);
    await chmod(`${path}.lmdb`, 0o600);
    await writeFile(`${path}.owner`, 'pid 1\nboot 0\nclean yes\n');
    const { code, stdout, stderr } = await popbsmtp('purge', '--foreign', '--map', map);
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(
      stdout,
      'purging row 10 OK\npurging row 192.0.2.7 OK\npurging row 198.51.100.95 ok\n',
    );
    assert.deepEqual(await keysOf(map), ['198.51.100.96']);
  });

  test('of foreign rows ends those of a map that follows, too, which the start has told', async () => {
    // Nobody logs in there.
    const quiet = await WatchedLog.make(rig);
    const [map, second] = [quiet.newMap(), quiet.newMap()];
    await writeFile(second.slice('lmdb:'.length), '192.0.2 OK\n198.51.100.96 REJECT\n');
    await mustRun('postmap', [second]);
    await chmod(`${second.slice('lmdb:'.length)}.lmdb`, 0o600);
    const daemon = quiet.start(map, '--map', second, '--debug');
    const told = /rows of lmdb:\S+ that are .*: 1 \(192\.0\.2\);/;
    await waitFor('the warning', () => told.test(daemon.stderr), { seen: () => daemon.stderr });
    await daemon.stop();
    const { code, stdout, stderr } = await popbsmtp(
      ...['purge', '--foreign', '--map', map, '--map', second],
    );
    assert.deepEqual([code, stdout, stderr], [0, 'purging row 192.0.2 OK\n', '']);
    assert.deepEqual(await keysOf(second), ['198.51.100.96']);
  });

  test('ends what is in a map that followed one which is gone', async () => {
    const [map, second] = [watched.newMap(), watched.newMap()];
    const daemon = watched.start(map, '--map', second, '--debug', '--grace', '1h');
    await watched.logIn('198.51.100.99');
    await daemon.waitForLine(/written ok/);
    await daemon.stop();
    assert.ok((await keysOf(second)).includes('198.51.100.99'));
    await rm(`${map.slice('lmdb:'.length)}.lmdb`);
    const { code, stderr } = await popbsmtp('purge', '--map', map, '--map', second);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(await keysOf(second), []);
  });

  test('ends the rows of a map that the configuration has named before, unless a daemon has it', async () => {
    const [former, next] = [watched.newMap(), watched.newMap()];
    const config = join(watched.directory, 'renamed.toml');
    const logs = `watchlog = "${watched.log}"\nmynetworks = "none"\nexclude = "none"\ngrace = "1h"\n`;
    const env = { STATE_DIRECTORY: watched.directory };
    const run = (...args: string[]) =>
      runProgram(process.execPath, [MAIN, ...args, '--config', config], { env });
    await writeFile(config, `${logs}map = "${former}"\n`);
    const daemon = startDaemon(rig, process.execPath, [MAIN, '--config', config, '--debug'], {
      env,
    });
    await waitFor('its start', () => daemon.stderr.includes('watching'));
    await watched.logIn('198.51.100.98');
    await daemon.waitForLine(/written ok/);
    await writeFile(config, `${logs}map = "${next}"\n`);
    const early = await run('purge');
    assert.deepEqual([early.code, early.stderr], [0, '']);
    const all = await run('purge', '--all');
    assert.notEqual(all.code, 0);
    assert.match(all.stderr, /still has rows by which clients relay/);
    await daemon.stop();
    assert.ok((await keysOf(former)).includes('198.51.100.98'));
    const late = await run('purge');
    assert.equal(late.code, 0);
    assert.match(late.stderr, /is no longer in the configuration: its \d+ rows are ended/);
    assert.deepEqual(await keysOf(former), []);
  });

  test('lets rows from the future count from now', async () => {
    const spec = watched.newMap();
    const map = await openMap({ type: 'lmdb', path: spec.slice('lmdb:'.length) });
    const soon = Math.floor(Date.now() / 1000) + 7200;
    await map.commit([{ ip: ip('198.51.100.91'), stamp: epoch(soon) }]);
    await map.close();
    assert.equal((await popbsmtp('purge', '--map', spec)).code, 0);
    const { stdout } = await popbsmtp('list', '--json', '--map', spec);
    const row: { value: string } = JSON.parse(stdout);
    assert.ok(Number(row.value) < soon - 7000, row.value);
  });
});

test('grants that another program has left end, and rows of one’s own are told', async () => {
  const map = watched.newMap();
  await writeFile(map.slice('lmdb:'.length), '10 OK\n192.0.2.7 OK\n198.51.100.97 ok\n');
  await mustRun('postmap', [map]);
  const before = await popbsmtp('replay', watched.log, '--nowrite', '--map', map, ...ALONE);
  assert.equal(before.code, 0, before.stderr);
  const first = watched.start(map, '--grace', '1s', '--debug');
  await first.waitForLine(/^purging .*ip=198\.51\.100\.97$/);
  assert.match(first.stderr, /was another program's: 1 of its rows .*: 198\.51\.100\.97$/m);
  assert.match(first.stderr, /nothing ends that: 2 \(10, 192\.0\.2\.7\); .*purge --foreign/);
  await first.stop();
  await mustRun('sh', ['-c', `echo '198.51.100.98 ok' | postmap -i ${map}`]);
  const second = watched.start(map, '--grace', '1s', '--debug');
  await waitFor('the second start', () => /nothing ends that: 3 /.test(second.stderr));
  assert.deepEqual((await keysOf(map)).sort(), ['10', '192.0.2.7', '198.51.100.98']);
  await second.stop();
});
