import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { Skew } from '../../src/fleet/skew.ts';

const NOON = 1_700_000_000;

let told: string[];
let skew: Skew;

beforeEach(() => {
  told = [];
  skew = new Skew(text => void told.push(text));
});

const compare = (ahead: number, trip = 0): void =>
  skew.compare(epoch(NOON + ahead + trip / 2), epoch(NOON), epoch(NOON + trip));

test('clocks that agree are no news', () => {
  for (const ahead of [0, 1, -1, 2, -2]) compare(ahead);
  assert.deepEqual([told, skew.offset], [[], -2]);
});

test('the clock of a replica counts only where no primary is asked', () => {
  const ask = (at: number, ahead: number, isReplica: boolean): void =>
    skew.compare(epoch(NOON + at + ahead), epoch(NOON + at), epoch(NOON + at), isReplica);
  for (let second = 0; second < 30; second += 10) {
    ask(second, 0, false);
    ask(second + 1, 5, true);
  }
  assert.deepEqual([told, skew.offset], [[], 0]);
  ask(90, 5, true);
  assert.deepEqual([told.length, skew.offset], [1, 5]);
});

test('a difference is told once, until it is gone', () => {
  for (const ahead of [10, 11, 0, 10]) compare(ahead);
  assert.equal(told.length, 2);
  assert.match(told[0] ?? '', /^fleet: this host's clock is 10 s behind that of the engine: /);
  compare(0);
  compare(-61);
  assert.match(told[2] ?? '', /is 61 s ahead of that of the engine/);
});

test('an answer that took long proves nothing', () => {
  compare(4, 10);
  assert.deepEqual(told, []);
});

test('stamps from after their arrival are told of each publisher once, until it is gone', () => {
  const stamped = (from: string, ahead: number): void =>
    skew.stamped(from, epoch(NOON + ahead), epoch(NOON));
  stamped('mx1', -3600);
  stamped('mx1', 2);
  stamped('mx3', 9);
  stamped('mx3', 0);
  compare(0);
  assert.equal(told.length, 0);
  stamped('mx1', 3600);
  stamped('mx1', 3601);
  stamped('mx2', 7);
  assert.equal(told.length, 0);
  compare(0);
  assert.deepEqual(
    told.map(text => text.replace(/ after.*/, '')),
    ['fleet: logins of mx1 are stamped 3601 s', 'fleet: logins of mx2 are stamped 7 s'],
  );
  stamped('mx1', 0);
  stamped('mx1', 9);
  compare(0);
  assert.equal(told.length, 3);
});

test('nobody is blamed when it was the clock of the engine', () => {
  skew.stamped('mx1', epoch(NOON + 10), epoch(NOON));
  compare(-3600);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /this host's clock/);
  compare(0);
  assert.equal(told.length, 1);
});
