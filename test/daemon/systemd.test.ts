/**
 * What systemd is told, by the real systemd-notify on a socket of the test's own.
 */
import assert from 'node:assert/strict';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { notifySystemd } from '../../src/daemon/systemd.ts';
import { lock } from '../../src/map/lock.ts';
import { WatchedLog } from '../cli/watched-log.ts';
import { MAIN } from '../real/popbsmtp.ts';
import { startDaemon } from '../real/processes.ts';
import { requirePrograms } from '../real/programs.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { NOTIFY_PROGRAMS, NotifySocket } from './notify-socket.ts';

const skip = requirePrograms(NOTIFY_PROGRAMS);

/** Short, so that a test sees many pings. */
const WATCHDOG_MS = 100;
const PATH = process.env['PATH'];

const idle = { following: Promise.resolve(), progress: async () => undefined };
const never = new Promise<void>(() => undefined);

function mustNotWarn(text: string): void {
  assert.fail(`warned: ${text}`);
}

describe('the service manager', { skip }, () => {
  const rig = new Rig();
  let empty: string;

  before(async () => {
    empty = join(await rig.directory(), 'empty');
    await mkdir(empty);
  });
  after(() => rig.close());

  const environment = (socket: NotifySocket, watchdog = true): NodeJS.ProcessEnv => ({
    PATH,
    NOTIFY_SOCKET: socket.path,
    ...(watchdog ? { WATCHDOG_USEC: String(WATCHDOG_MS * 1000) } : {}),
  });

  test('it is told READY=1 once the logs are followed, then pings, then STOPPING=1', async () => {
    const socket = await NotifySocket.listen(rig);
    let follow = (): void => undefined;
    const following = new Promise<void>(resolve => {
      follow = resolve;
    });
    const leave = notifySystemd({ ...idle, following }, environment(socket), mustNotWarn);
    await sleep(5 * WATCHDOG_MS);
    assert.deepEqual(socket.told, []);
    follow();
    await socket.waitForPing();
    await socket.waitForPing();
    await leave();
    await socket.waitFor('STOPPING=1');
    const [first, ...rest] = socket.told;
    assert.equal(first, 'READY=1');
    assert.equal(rest.pop(), 'STOPPING=1');
    assert.deepEqual(new Set(rest), new Set(['WATCHDOG=1']));
    await sleep(3 * WATCHDOG_MS);
    assert.equal(socket.told.at(-1), 'STOPPING=1');
  });

  test('a step that never ends stops the pings, and does not keep STOPPING=1 back', async () => {
    const socket = await NotifySocket.listen(rig);
    let steps = 0;
    const progress = (): Promise<void> => (++steps < 3 ? Promise.resolve() : never);
    const leave = notifySystemd({ ...idle, progress }, environment(socket), mustNotWarn);
    await waitFor('the step that hangs', () => steps === 3);
    await waitFor('the pings before it', () => socket.told.length >= 3);
    await sleep(5 * WATCHDOG_MS);
    assert.deepEqual(socket.told, ['READY=1', 'WATCHDOG=1', 'WATCHDOG=1']);
    await leave();
    await socket.waitFor('STOPPING=1');
  });

  for (const [title, change] of [
    ['without a watchdog', { WATCHDOG_USEC: undefined }],
    ["with another process's watchdog", { WATCHDOG_PID: '1' }],
    ['with a watchdog that is no number', { WATCHDOG_USEC: 'soon' }],
  ] as const) {
    test(`${title} there are no pings`, async () => {
      const socket = await NotifySocket.listen(rig);
      const leave = notifySystemd(idle, { ...environment(socket), ...change }, mustNotWarn);
      await socket.waitFor('READY=1');
      await sleep(5 * WATCHDOG_MS);
      await leave();
      await socket.waitFor('STOPPING=1');
      assert.deepEqual(socket.told, ['READY=1', 'STOPPING=1']);
    });
  }

  test('without NOTIFY_SOCKET nothing is started', async () => {
    const untouched = {
      get following(): Promise<void> {
        return assert.fail('it was looked at');
      },
      progress: idle.progress,
    };
    await notifySystemd(untouched, { PATH: empty, WATCHDOG_USEC: '1000' }, mustNotWarn)();
  });

  for (const [title, change, reason] of [
    ['systemd-notify is missing', () => ({ PATH: empty }), /systemd-notify was not found/],
    [
      'nobody listens',
      () => ({ NOTIFY_SOCKET: join(empty, 'nobody') }),
      /No such file or directory/,
    ],
  ] as const) {
    test(`that ${title} is said once, in one line`, async () => {
      const socket = await NotifySocket.listen(rig);
      const warnings: string[] = [];
      let steps = 0;
      const progress = async (): Promise<void> => void steps++;
      const leave = notifySystemd(
        { ...idle, progress },
        { ...environment(socket), ...change() },
        text => warnings.push(text),
      );
      await waitFor('some pings', () => steps > 2);
      await leave();
      assert.equal(warnings.length, 1);
      assert.match(warnings.join(), reason);
      assert.doesNotMatch(warnings.join(), /\n/);
    });
  }

  test('the daemon itself: a map that is locked is told, and is no reason to start it again', async () => {
    const socket = await NotifySocket.listen(rig);
    const watched = await WatchedLog.make(rig);
    const map = watched.newMap();
    const args = ['--watchlog', watched.log, '--map', map, '--mynetworks', 'none'];
    const daemon = startDaemon(rig, process.execPath, [MAIN, ...args], {
      env: { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: String(WATCHDOG_MS * 1000) },
    });
    await socket.waitForPing();
    const [ready] = socket.told;
    assert.equal(ready, 'READY=1');
    await daemon.waitForText(/watching .*mail\.log/);

    const reader = await open(`${map.slice('lmdb:'.length)}.lmdb`);
    const held = await lock(reader.fd, 'shared');
    await watched.logIn('198.51.100.7');
    await daemon.waitForLine(/error: the map .* has been locked/);
    await socket.waitForPing();

    held.release();
    await reader.close();
    await daemon.waitForLine(/the map can be written again/);
    assert.equal(await daemon.stop(), 0);
    await socket.waitFor('STOPPING=1');
    assert.equal(socket.told.at(-1), 'STOPPING=1');
  });
});
