import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Repetition } from '../../src/fleet/repetition.ts';
import { addresses } from '../map/addresses.ts';

/** Asked each two seconds; how many each time. */
function run(repetition: Repetition, seconds: number): string[][] {
  const found: string[][] = [];
  for (let second = 0; second <= seconds; second += 2)
    found.push([...repetition.next(second, 5000)]);
  return found;
}

test('waits for its time; the first go at once, the others at a pace, each once', () => {
  const all = addresses('10.1', 2000);
  const repetition = new Repetition(all, 4, 900);
  const found = run(repetition, 40);
  assert.deepEqual(
    found.map(({ length }) => length),
    [0, 0, 200, ...Array.from({ length: 18 }, () => 100)],
  );
  assert.deepEqual(found.flat(), all);
  assert.ok(repetition.isDone);
});

test('ends within a quarter of a grace period, however many they are', () => {
  const repetition = new Repetition(addresses('10.1', 60_000), 0, 400);
  const found = run(repetition, 100);
  assert.ok(repetition.isDone);
  assert.ok(Math.max(...found.map(({ length }) => length)) <= 1300);
});

test('no more at once than is asked for', () => {
  const repetition = new Repetition(addresses('10.1', 1000), 0, 400);
  assert.equal(repetition.next(0, 150).length, 150);
  assert.equal(repetition.next(0, 1000).length, 50);
});
