import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { WithdrawalEntry } from '../../src/fleet/entry.ts';
import { Withdrawals } from '../../src/fleet/withdrawals.ts';
import { addresses, ip } from '../map/addresses.ts';

const GRACE = 800;

const withdrawal = (address: string, time = 0): WithdrawalEntry => ({
  kind: 'withdrawn',
  ip: ip(address),
  time: epoch(time),
  reason: 'too many users',
});
const ONE = withdrawal('192.0.2.1', 100);
const TWO = withdrawal('192.0.2.2', 200);

test('each is told again within half a grace period since it was told last', () => {
  const withdrawals = new Withdrawals();
  withdrawals.told(ONE, 0);
  withdrawals.told(TWO, 100);
  assert.deepEqual(withdrawals.due(299, GRACE), []);
  assert.deepEqual(withdrawals.due(300, GRACE), [ONE]);
  withdrawals.told(ONE, 300);
  assert.deepEqual(withdrawals.due(400, GRACE), [TWO]);
  assert.deepEqual(withdrawals.due(700, GRACE), [TWO, ONE]);
  assert.deepEqual(withdrawals.since(300), [ONE]);
});

test('one is forgotten with its time, or when its address has logged in', () => {
  const withdrawals = new Withdrawals();
  withdrawals.told(ONE, 0);
  withdrawals.told(TWO, 0);
  withdrawals.expire(epoch(101));
  assert.deepEqual(withdrawals.since(0), [TWO]);
  withdrawals.forget(TWO.ip);
  assert.deepEqual(withdrawals.since(0), []);
});

test('there are 10,000 at most, the latest', () => {
  const withdrawals = new Withdrawals();
  for (const address of addresses('10.1', 10_001)) withdrawals.told(withdrawal(address), 0);
  const kept = withdrawals.since(0);
  assert.deepEqual([kept.length, kept[0]?.ip], [10_000, '10.1.0.1']);
});

test('they are known after a start, as never told', () => {
  const before = new Withdrawals();
  before.told(ONE, 500);
  const saved: unknown = JSON.parse(JSON.stringify({ withdrawals: before.save() }));
  const after = new Withdrawals();
  after.restore(saved);
  assert.deepEqual([after.since(0), after.due(0, GRACE)], [[], [ONE]]);
});

test('what was saved otherwise is left out', () => {
  const withdrawals = new Withdrawals();
  const good = ['192.0.2.1', 100, 'too many users'];
  const bad = [
    ['192.0.2.300', 100, 'too many users'],
    ['192.0.2.2', '100', 'too many users'],
    ['192.0.2.2', 100, 'own address'],
    ['192.0.2.2'],
    null,
    'text',
  ];
  for (const saved of [undefined, null, 'text', {}, { withdrawals: 'text' }])
    withdrawals.restore(saved);
  withdrawals.restore({ withdrawals: [...bad, good] });
  assert.deepEqual(withdrawals.due(0, GRACE), [ONE]);
});
