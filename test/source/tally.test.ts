import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { Tally } from '../../src/source/tally.ts';

let told: unknown[][];
let tally: Tally<number>;

beforeEach(t => {
  mock.timers.enable({ apis: ['setTimeout'] });
  if ('after' in t) t.after(() => mock.timers.reset());
  told = [];
  tally = new Tally((...what) => void told.push(what), 1000);
});

test('the first is told at once, the others together when the interval is over', () => {
  for (const detail of [7, 8, 9]) tally.add('a', detail);
  tally.add('b', 1);
  assert.deepEqual(told, [['a', 1, 7]]);
  mock.timers.tick(999);
  assert.equal(told.length, 1);
  mock.timers.tick(1);
  assert.deepEqual(told.slice(1), [
    ['a', 3, 9],
    ['b', 1, 1],
  ]);
});

test('nothing new is nothing to tell, and the next is told at once', () => {
  tally.add('a', 1);
  mock.timers.tick(5000);
  assert.equal(told.length, 1);
  tally.add('a', 2);
  assert.deepEqual(told.at(-1), ['a', 2, 2]);
});

test('what lasts is told at longer and longer intervals, and after a pause at once again', () => {
  const times: number[] = [];
  for (let second = 0; second <= 250; second++) {
    const before = told.length;
    mock.timers.tick(second === 0 ? 0 : 1000);
    for (const detail of [1, 2]) tally.add('a', detail);
    if (told.length > before) times.push(second);
  }
  assert.deepEqual(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
  for (let minute = 0; minute < 3; minute++) mock.timers.tick(60_000);
  const before = told.length;
  tally.add('a', 1);
  tally.add('a', 2);
  assert.equal(told.length, before + 1);
  mock.timers.tick(1000);
  assert.equal(told.length, before + 2);
});

test('what is untold is told at the end, and nothing after it', () => {
  tally.add('a', 1);
  tally.add('a', 2);
  tally.close();
  assert.deepEqual(told, [
    ['a', 1, 1],
    ['a', 2, 2],
  ]);
  mock.timers.tick(5000);
  assert.equal(told.length, 2);
});
