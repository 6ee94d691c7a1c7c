/**
 * `status --check` of daemons as processes: well, hung, gone, kept from writing.
 */
import assert from 'node:assert/strict';
import { open, rename } from 'node:fs/promises';
import { after, beforeEach, test } from 'node:test';
import { lock } from '../../src/map/lock.ts';
import type { Result } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled } from './controlled.ts';

const rig = new Rig();
let host: Controlled;

beforeEach(async () => {
  host = await Controlled.make(rig);
});
after(() => rig.close());

const check = (...args: string[]): Promise<Result> => host.run('status', '--check', ...args);

test('a daemon that does its work is 0, with one line', async () => {
  const daemon = await host.start();
  await host.logIn(daemon, 'anna', '198.51.100.1');
  const { code, stdout, stderr } = await check();
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(
    stdout,
    /^POPBSMTP OK - 1 grant, the last login at .* \| grants=1 logins=1c overdue=0 .*\n$/,
  );
  await rename(host.log, `${host.log}.away`);
  await waitFor('the log to be missed', async () => (await check()).code === 1);
  await daemon.stop();
});

test('one that hangs is 2, within its time', async () => {
  const daemon = await host.start();
  daemon.signal('SIGSTOP');
  try {
    const { code, stdout } = await check();
    assert.equal(code, 2);
    assert.match(stdout, /^POPBSMTP CRITICAL - .*does not answer.*\n$/);
  } finally {
    daemon.signal('SIGCONT');
  }
  await daemon.stop();
});

test('none is 2, and rows that are due are counted', async () => {
  const none = await check();
  assert.deepEqual([none.code, none.stderr], [2, '']);
  assert.match(none.stdout, /^POPBSMTP CRITICAL - no popbsmtp is running for lmdb:\S+\n$/);
  const daemon = await host.start();
  await host.logIn(daemon, 'anna', '198.51.100.1');
  await waitFor('its row', async () => (await host.keys()).length === 1);
  await daemon.stop();
  const due = async (): Promise<boolean> =>
    /, and 1 row is due\n$/.test((await check('--grace', '1s')).stdout);
  await waitFor('the row to be due', due);
});

test('a map that another program locks is 2, also without a daemon', async () => {
  const daemon = await host.start();
  const file = await open(`${host.path}.lmdb`, 'r+');
  try {
    await lock(file.fd, 'exclusive');
    await host.logIn(daemon, 'anna', '198.51.100.1');
    await waitFor('the check to see it', async () => {
      const { code, stdout } = await check();
      return code === 2 && /the map cannot be written/.test(stdout);
    });
    daemon.signal('SIGKILL');
    await daemon.exited();
    const { code, stdout } = await check();
    assert.equal(code, 2);
    assert.match(stdout, /^POPBSMTP CRITICAL - no popbsmtp is running/);
  } finally {
    await file.close();
  }
});
