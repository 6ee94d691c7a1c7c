import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Durability } from '../../src/map/durability.ts';

/** A disk that answers when it is told to. */
class Disk {
  asked = 0;
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  readonly sync = (): Promise<void> => {
    this.asked++;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  };

  answer(error?: Error): void {
    const { resolve, reject } = this.#waiting.shift() ?? assert.fail('nothing was asked');
    if (error === undefined) resolve();
    else reject(error);
  }
}

const LONG = 1e6;

const unexpected = (error: unknown): never => assert.fail(`reported: ${error}`);

test('asks the disk once for all that was written before', async () => {
  const disk = new Disk();
  const durability = new Durability(disk.sync, unexpected, LONG);
  durability.touch();
  durability.touch();
  const settled = durability.settle();
  await nextTurn();
  disk.answer();
  await settled;
  assert.equal(disk.asked, 1);
});

test('asks by itself after a moment', async () => {
  // Its own timer keeps no process alive.
  const alive = setTimeout(() => undefined, LONG);
  await new Promise<void>(asked => {
    new Durability(async () => asked(), unexpected, 1).touch();
  });
  clearTimeout(alive);
});

test('asks nothing when nothing was written', async () => {
  const disk = new Disk();
  await new Durability(disk.sync, unexpected, LONG).settle();
  assert.equal(disk.asked, 0);
});

test('never asks twice at a time, and asks again for what was written meanwhile', async () => {
  const disk = new Disk();
  const durability = new Durability(disk.sync, unexpected, LONG);
  durability.touch();
  const first = durability.settle();
  await nextTurn();
  durability.touch();
  const second = durability.settle();
  await nextTurn();
  assert.equal(disk.asked, 1);
  disk.answer();
  await first;
  await nextTurn();
  assert.equal(disk.asked, 2);
  disk.answer();
  await second;
});

test('reports a failure, and never again says that all is on the disk', async () => {
  const disk = new Disk();
  const reported: unknown[] = [];
  const durability = new Durability(disk.sync, error => reported.push(error), LONG);
  const error = new Error('the disk is gone');
  durability.touch();
  const failed = assert.rejects(durability.settle(), error);
  await nextTurn();
  disk.answer(error);
  await failed;
  durability.touch();
  const later = assert.rejects(durability.settle(), error);
  await nextTurn();
  disk.answer();
  await later;
  assert.deepEqual(reported, [error]);
});
