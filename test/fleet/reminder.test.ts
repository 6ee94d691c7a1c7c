import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reminder } from '../../src/fleet/reminder.ts';
import { addresses, ip } from '../map/addresses.ts';

const GRACE = 800;
const [A, B] = [ip('192.0.2.1'), ip('192.0.2.2')];

test('each is told again within half a grace period, unless it was told meanwhile', () => {
  const reminder = new Reminder();
  reminder.told(A, 0);
  reminder.told(B, 0);
  reminder.due(0, GRACE, 5000);
  for (let second = 2; second < 300; second += 2)
    assert.deepEqual(reminder.due(second, GRACE, 5000), []);
  reminder.told(A, 299);
  assert.deepEqual(reminder.due(400, GRACE, 5000), [B]);
  assert.deepEqual(reminder.due(402, GRACE, 5000), []);
  assert.deepEqual(reminder.due(700, GRACE, 5000), [A]);
  assert.deepEqual(reminder.due(2000, GRACE, 5000), []);
});

test('what was told at one moment is told again over a while, and nothing of it too late', () => {
  const reminder = new Reminder();
  const all = addresses('10.1', 1000);
  for (const one of all) reminder.told(one, 0);
  const found: string[] = [];
  let most = 0;
  for (let second = 0; second <= 400; second += 2) {
    const due = reminder.due(second, GRACE, 5000);
    most = Math.max(most, due.length);
    found.push(...due);
    for (const one of due) reminder.told(one, second);
  }
  assert.deepEqual(found, all);
  assert.ok(most <= 21, String(most));
});

test('who has no grant any more is forgotten', () => {
  const reminder = new Reminder();
  reminder.told(A, 0);
  reminder.forget(A);
  assert.deepEqual(reminder.due(1000, GRACE, 5000), []);
});

test('the latest are known', () => {
  const reminder = new Reminder();
  reminder.told(A, 10);
  reminder.told(B, 20);
  assert.deepEqual([reminder.since(15), reminder.since(10)], [[B], [A, B]]);
});

test('the same is known for so long, another user is not, nor what somebody may have ended', () => {
  const reminder = new Reminder();
  reminder.told(A, 10, 1);
  assert.ok(reminder.isKnown(A, 1, 19, 10));
  assert.ok(!reminder.isKnown(A, 1, 20, 10));
  assert.ok(!reminder.isKnown(A, 2, 11, 10));
  assert.ok(!reminder.isKnown(B, 1, 11, 10));
  reminder.doubt(12);
  assert.ok(!reminder.isKnown(A, 1, 13, 10));
  reminder.told(A, 14, 1);
  assert.ok(reminder.isKnown(A, 1, 15, 10));
  reminder.forget(A);
  assert.ok(!reminder.isKnown(A, 1, 15, 10));
});

test('what is put off is told when it has waited, unless it was told or has ended meanwhile', () => {
  const reminder = new Reminder();
  const C = ip('192.0.2.3');
  for (const one of [A, B, C]) {
    reminder.told(one, 0, 1);
    reminder.putOff(one, 1);
  }
  reminder.putOff(A, 9);
  reminder.told(B, 5, 2);
  reminder.forget(C);
  assert.deepEqual(reminder.waited(10, 10), []);
  assert.deepEqual(reminder.waited(11, 10), [A]);
  assert.deepEqual(reminder.waited(12, 10), []);
});
