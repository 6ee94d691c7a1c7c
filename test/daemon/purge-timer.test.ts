import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { type Clock, epoch } from '../../src/base/clock.ts';
import { PurgeTimer } from '../../src/daemon/purge-timer.ts';
import { GrantTable } from '../../src/grant/grant-table.ts';
import { ip } from '../map/addresses.ts';

const START = 1_000_000;
let passed: number;
let purges: number[];
const clock: Clock = {
  now: () => ({ wall: epoch(START + passed), steady: epoch(START + passed) }),
};

beforeEach(() => {
  passed = 0;
  purges = [];
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(() => mock.timers.reset());

/** So many milliseconds, one at a time. */
function pass(milliseconds: number): void {
  for (let count = 0; count < milliseconds; count++) {
    passed += 0.001;
    mock.timers.tick(1);
  }
}

function timerWith(...graces: readonly number[]): PurgeTimer {
  const all = [...graces];
  const grants = new GrantTable(() => all.shift() ?? 0, 100);
  for (const index of graces.keys())
    grants.restore({ ip: ip(`198.51.100.${index}`), stamp: epoch(START) }, clock.now());
  return new PurgeTimer(grants, clock, () => purges.push(Math.round(passed * 1000)), 1000);
}

test('with nothing due before the next beat, a beat purges once', () => {
  const timer = timerWith(1.5, 60);
  timer.beat();
  pass(1000);
  assert.deepEqual(purges, [0]);
});

test('what is due before the next beat is purged within a quarter of a second', () => {
  const timer = timerWith(0.3, 0.6);
  timer.beat();
  pass(1000);
  assert.deepEqual(purges, [0, 501, 751]);
});

test('a stop ends it', () => {
  const timer = timerWith(0.3);
  timer.beat();
  timer.stop();
  pass(1000);
  assert.deepEqual(purges, [0]);
});
