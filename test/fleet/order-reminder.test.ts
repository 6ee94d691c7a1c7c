import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { OrderReminder } from '../../src/fleet/order-reminder.ts';
import type { Given } from '../../src/grant/order.ts';

const GRACE = 800;
const HEARTBEAT = 2;

const revocation = (user: string): Given => ({
  kind: 'revoke',
  subject: { kind: 'user', user },
  made: epoch(0),
  until: epoch(1e6),
});

test('of many hosts that hear each other, a few tell an order again, and in time', () => {
  let seed = 1;
  const random = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const order = revocation('mallory');
  const hosts = Array.from({ length: 1000 }, () => new OrderReminder(random));
  for (const host of hosts) host.told(order, 0, GRACE);
  let last = 0;
  let told = 0;
  for (let second = HEARTBEAT; second < 4000; second += HEARTBEAT) {
    const due = hosts.filter(host => host.due([order], second).length > 0);
    if (due.length === 0) continue;
    assert.ok(second - last <= GRACE / 2, `${last} ${second}`);
    told += due.length;
    last = second;
    for (const host of hosts) host.told(order, second, GRACE);
  }
  assert.ok(last > 3600);
  assert.ok(told < 500, String(told));
});

test('what is not in force any more is forgotten, and what was never told is told', () => {
  const reminder = new OrderReminder(() => 0.5);
  const [a, b] = [revocation('a'), revocation('b')];
  assert.deepEqual(reminder.due([a], 0), [a]);
  reminder.told(a, 0, GRACE);
  reminder.told(b, 0, GRACE);
  assert.deepEqual(reminder.due([a], 1), []);
  assert.deepEqual(reminder.due([a, b], 2), [b]);
  assert.deepEqual(reminder.due([a], 300), [a]);
});
