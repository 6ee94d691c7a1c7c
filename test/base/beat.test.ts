import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { every } from '../../src/base/beat.ts';

beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
afterEach(() => mock.timers.reset());

test('steps of one period are taken in the same moment, whenever they came', () => {
  const taken: string[] = [];
  const ends = [every(1000, () => taken.push('first'))];
  mock.timers.tick(600);
  ends.push(every(1000, () => taken.push('second')));
  ends.push(every(700, () => taken.push('other')));
  mock.timers.tick(400);
  assert.deepEqual(taken, ['first', 'second']);
  mock.timers.tick(300);
  assert.deepEqual(taken, ['first', 'second', 'other']);
  for (const end of ends) end();
});

test('a step that was stopped is not taken again, by another step of the same moment either', () => {
  const taken: string[] = [];
  const ends: (() => void)[] = [
    every(1000, () => {
      taken.push('first');
      ends[1]?.();
    }),
    every(1000, () => taken.push('second')),
  ];
  mock.timers.tick(1000);
  ends[0]?.();
  ends[0]?.();
  mock.timers.tick(5000);
  assert.deepEqual(taken, ['first']);
  ends.push(every(1000, () => taken.push('third')));
  mock.timers.tick(1000);
  assert.deepEqual(taken, ['first', 'third']);
  ends[2]?.();
  mock.timers.tick(5000);
  assert.deepEqual(taken, ['first', 'third']);
});
