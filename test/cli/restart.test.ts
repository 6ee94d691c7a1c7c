/**
 * What a daemon leaves behind and the next one finds: the map, the checkpoint; and purge between them.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { EXIT } from '../../src/base/errors.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import { openMap } from '../../src/map/map-types.ts';
import { ip } from '../map/addresses.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { type Daemon, runProgram, startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { keysOf, loginLine, WatchedLog } from './watched-log.ts';

const rig = new Rig();
let watched: WatchedLog;
let count = 0;

before(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

describe('the map', () => {
  test('is there, empty and readable by all, from the first start on', async () => {
    const map = watched.newMap();
    const daemon = watched.start(map);
    const file = `${map.slice('lmdb:'.length)}.lmdb`;
    await waitFor('the map', () => existsSync(file));
    await waitFor('an empty list', async () => (await popbsmtp('list', '--map', map)).code === 0);
    assert.equal((await stat(file)).mode & 0o777, 0o644);
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
  async function begin(...more: string[]): Promise<{ own: string; startAgain: () => Daemon }> {
    const own = join(watched.directory, `own-${++count}.log`);
    await writeFile(own, '');
    const args = [
      '--watchlog',
      own,
      '--map',
      watched.newMap(),
      '--mynetworks',
      'none',
      '--debug',
      ...more,
    ];
    return { own, startAgain: () => startDaemon(rig, process.execPath, [MAIN, ...args]) };
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
    const { own, startAgain } = await begin('--grace', '5s');
    const first = startAgain();
    await waitFor('it to follow the log', () => first.transcript().includes('watching '));
    await appendFile(own, loginLine('198.51.100.131', 0, 'open'));
    await appendFile(own, loginLine('198.51.100.132', 0, 'closed'));
    await first.waitForLine(/ip=198\.51\.100\.132$/);
    const stamp = formatStamp(epoch(Date.now() / 1000));
    await appendFile(
      own,
      `${stamp} mx dovecot: pop3(anna)<1><closed>: Logged out top=0/0, retr=0/0, del=0/0, size=0\n`,
    );
    await first.waitForLine(/^logout .*ip=198\.51\.100\.132$/);
    await first.stop();
    const second = startAgain();
    await second.waitForLine(/^purging .*ip=198\.51\.100\.132$/);
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
