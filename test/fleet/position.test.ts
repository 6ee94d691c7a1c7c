import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { isId, positionFrom, SLACK_SECONDS, timeOf } from '../../src/fleet/position.ts';

const NOW = epoch(1_700_000_000);
const GRACE = 900;
const id = (seconds: number): string => `${seconds * 1000}-7`;
const BEGIN = { orders: '0-0', grants: `${(NOW - GRACE - SLACK_SECONDS) * 1000}-0` };

test('a new subscriber begins where the grace period does, with all orders', () => {
  for (const saved of [null, undefined, 7, {}, { orders: '1-1' }, { orders: 'x', grants: '1-1' }])
    assert.deepEqual(positionFrom(saved, NOW, GRACE), BEGIN);
});

test('another one goes on', () => {
  const saved = { orders: id(NOW - 5000), grants: id(NOW - 5) };
  assert.deepEqual(positionFrom(saved, NOW, GRACE), saved);
});

test('what opens nothing any more is skipped, but not orders', () => {
  const saved = { orders: id(NOW - 5000), grants: id(NOW - 5000) };
  assert.deepEqual(positionFrom(saved, NOW, GRACE), { ...saved, grants: BEGIN.grants });
});

test('a position that the engine cannot have given is of another stream', () => {
  for (const saved of [
    { orders: id(NOW - 5), grants: id(NOW + 1) },
    { orders: id(NOW + 1), grants: id(NOW - 5) },
  ])
    assert.deepEqual(positionFrom(saved, NOW, GRACE), BEGIN);
});

test('any JSON gives a position that the engine understands', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), fc.string(), (value, orders, grants) => {
      for (const saved of [value, { orders, grants }]) {
        const position = positionFrom(saved, NOW, GRACE);
        assert.ok(isId(position.orders) && isId(position.grants));
        assert.ok(timeOf(position.grants) <= NOW);
      }
    }),
  );
});
