import assert from 'node:assert/strict';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type LockKind, lock, tryLock } from '../../src/map/lock.ts';
import { failing } from './failing.ts';
import { directory } from './scratch.ts';

/** Two descriptors of one file, as two processes have them. */
async function pair(): Promise<[FileHandle, FileHandle]> {
  const path = join(await directory(), 'file');
  const handles: [FileHandle, FileHandle] = [await open(path, 'w+'), await open(path, 'r+')];
  after(() => Promise.all(handles.map(handle => handle.close())));
  return handles;
}

describe('tryLock', () => {
  const table: [LockKind, LockKind, boolean][] = [
    ['exclusive', 'exclusive', false],
    ['exclusive', 'shared', false],
    ['shared', 'exclusive', false],
    ['shared', 'shared', true],
  ];
  for (const [first, second, granted] of table) {
    test(`${first}, then ${second}: ${granted ? 'granted' : 'refused'}`, async () => {
      const [one, other] = await pair();
      assert.ok(await tryLock(one.fd, first));
      assert.equal((await tryLock(other.fd, second)) !== null, granted);
    });
  }

  test('is free again after a release, and after the descriptor is closed', async () => {
    const [one, other] = await pair();
    const held = await tryLock(one.fd, 'exclusive');
    held?.release();
    const next = await tryLock(other.fd, 'exclusive');
    assert.ok(next);
    next.release();
    assert.ok(await tryLock(one.fd, 'exclusive'));
    await one.close();
    assert.ok(await tryLock(other.fd, 'exclusive'));
  });

  test('covers what the file grows by', async () => {
    const [one, other] = await pair();
    assert.ok(await tryLock(one.fd, 'exclusive'));
    await one.truncate(10_000);
    assert.equal(await tryLock(other.fd, 'shared'), null);
  });

  test('stays when another descriptor of the file is closed, unlike a classic lock', async () => {
    const [one, other] = await pair();
    const path = `/proc/self/fd/${one.fd}`;
    assert.ok(await tryLock(one.fd, 'exclusive'));
    await (await open(path)).close();
    assert.equal(await tryLock(other.fd, 'exclusive'), null);
  });
});

describe('lock', () => {
  test('waits until the other lets go, and lets the event loop run', async () => {
    const [one, other] = await pair();
    const held = await lock(one.fd, 'shared');
    const order: string[] = [];
    const waiting = lock(other.fd, 'exclusive').then(() => order.push('granted'));
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    order.push('released');
    held.release();
    await waiting;
    assert.deepEqual(order, ['released', 'granted']);
  });

  test('fails with the system error of a descriptor that is not open', async () => {
    await assert.rejects(lock(9999, 'shared'), { code: 'EBADF' });
  });

  test('gives up when the other does not let go', async () => {
    const [one, other] = await pair();
    await lock(one.fd, 'shared');
    await assert.rejects(lock(other.fd, 'exclusive', 10), failing('MAP_LOCKED'));
    assert.ok(await tryLock(other.fd, 'shared'));
  });
});
