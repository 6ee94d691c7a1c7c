import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import type { History } from '../../src/fleet/history.ts';
import {
  isId,
  marked,
  type Place,
  placeIn,
  SLACK_SECONDS,
  timeOf,
} from '../../src/fleet/position.ts';

const NOW = epoch(1_700_000_000);
const GRACE = 900;
const id = (seconds: number): string => `${seconds * 1000}-7`;
const BEGIN = { orders: '0-0', grants: `${(NOW - GRACE - SLACK_SECONDS) * 1000}-0` };
const ONE: History = { name: 'one', offset: 500, former: null };
const NEW = { ...BEGIN, history: 'one', marks: [] };

const place = (ago: number, marks: Place['marks'] = []): Place => ({
  orders: id(NOW - 5000),
  grants: id(NOW - ago),
  history: 'one',
  marks,
});
const mark = (ago: number, offset: number): Place['marks'][number] => ({
  orders: id(NOW - 5000),
  grants: id(NOW - ago),
  offset,
});

test('a new subscriber begins where the grace period does, with all orders', () => {
  for (const saved of [null, undefined, 7, {}, { orders: '1-1' }, { orders: 'x', grants: '1-1' }])
    assert.deepEqual(placeIn(ONE, saved, NOW, GRACE), NEW);
});

test('another one goes on in the same history', () => {
  const saved = place(5, [mark(20, 300)]);
  assert.deepEqual(placeIn(ONE, saved, NOW, GRACE), saved);
});

test('what opens nothing any more is skipped, but not orders', () => {
  const went = placeIn(ONE, place(5000), NOW, GRACE);
  assert.deepEqual(went, { ...place(5000), grants: BEGIN.grants });
});

test('a position that the engine cannot have given is of another stream', () => {
  for (const saved of [
    { ...place(5), grants: id(NOW + 1) },
    { ...place(5), orders: id(NOW + 1) },
  ])
    assert.deepEqual(placeIn(ONE, saved, NOW, GRACE), NEW);
});

test('in a history that has gone on from ours, back to before they parted', () => {
  const marks = [mark(30, 100), mark(20, 200), mark(10, 300)];
  const went = (end: number): Place =>
    placeIn(
      { name: 'two', offset: 900, former: { name: 'one', end } },
      place(5, marks),
      NOW,
      GRACE,
    );
  // The offset counts bytes that were written: at 201 the first that is not of both is the 201st.
  assert.deepEqual(went(201), { ...place(20, marks.slice(0, 2)), history: 'two' });
  assert.deepEqual(went(200), { ...place(30, marks.slice(0, 1)), history: 'two' });
  assert.deepEqual(went(1000), { ...place(10, marks), history: 'two' });
  assert.deepEqual(went(100), { ...BEGIN, history: 'two', marks: [] });
});

test('in any other history, or none that is known, from where the grace period begins', () => {
  const saved = place(5, [mark(20, 200)]);
  const foreign: History[] = [
    { name: 'two', offset: 900, former: null },
    { name: 'two', offset: 900, former: { name: 'three', end: 800 } },
  ];
  for (const history of foreign)
    assert.deepEqual(placeIn(history, saved, NOW, GRACE), { ...NEW, history: 'two' });
  const nameless = { ...saved, history: '' };
  const silent: History = { name: '', offset: 0, former: null };
  assert.deepEqual(placeIn(silent, nameless, NOW, GRACE), { ...NEW, history: '' });
  // As an earlier version has noted it.
  const { orders, grants } = saved;
  assert.deepEqual(placeIn(ONE, { orders, grants }, NOW, GRACE), NEW);
});

test('the latest marks are kept', () => {
  let kept = place(5);
  for (let offset = 1; offset <= 50; offset++) kept = marked(kept, offset);
  assert.deepEqual(
    kept.marks.map(({ offset }) => offset),
    Array.from({ length: 12 }, (_, index) => 39 + index),
  );
});

test('any JSON gives a position that the engine understands', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), fc.string(), (value, orders, grants) => {
      for (const saved of [
        value,
        { orders, grants },
        { ...place(5), marks: value },
        { ...place(5), marks: [value] },
      ]) {
        for (const history of [ONE, { name: 'two', offset: 9, former: { name: 'one', end: 5 } }]) {
          const position = placeIn(history, saved, NOW, GRACE);
          assert.ok(isId(position.orders) && isId(position.grants));
          assert.ok(timeOf(position.grants) <= NOW);
        }
      }
    }),
  );
});
