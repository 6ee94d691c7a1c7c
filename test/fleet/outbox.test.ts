import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { Outbox } from '../../src/fleet/outbox.ts';

const CAPACITY = 3;
const texts = (outbox: Outbox<string>): string[] => outbox.first(100).map(({ value }) => value);

let outbox: Outbox<string>;

const add = (text: string, steady: number): void => outbox.add(`key ${text}`, text, steady);

beforeEach(() => {
  outbox = new Outbox(CAPACITY);
});

function settle(count: number): void {
  for (const one of outbox.first(count)) outbox.settle(one);
}

test('gives what was posted, in its order, until it is settled', () => {
  for (const text of ['a', 'b', 'c']) add(text, 1);
  assert.deepEqual(texts(outbox), ['a', 'b', 'c']);
  settle(2);
  assert.deepEqual([texts(outbox), outbox.published], [['c'], 2]);
});

test('is bounded: the oldest are lost, and counted', () => {
  for (const text of ['a', 'b', 'c', 'd', 'e']) add(text, 1);
  assert.deepEqual([texts(outbox), outbox.dropped, outbox.size], [['c', 'd', 'e'], 2, CAPACITY]);
});

test('sends the same once a second', () => {
  add('a', 1.1);
  add('a', 1.2);
  settle(1);
  add('a', 1.9);
  assert.equal(outbox.size, 0);
  add('a', 2);
  assert.equal(outbox.size, 1);
});

test('sends it again to an engine that may have lost it', () => {
  add('a', 1);
  settle(1);
  outbox.forget();
  add('a', 1);
  assert.equal(outbox.size, 1);
});

test('what is settled in another order is gone, and the rest keeps its own', () => {
  for (const text of ['a', 'b', 'c']) add(text, 1);
  const [a, b, c] = outbox.first(3);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  outbox.settle(b);
  assert.deepEqual([texts(outbox), outbox.size, outbox.oldest], [['a', 'c'], 2, 1]);
  outbox.settle(a);
  assert.equal(outbox.isPast(2), true);
  outbox.settle(c);
  outbox.settle(c);
  assert.deepEqual([outbox.published, outbox.size, outbox.oldest], [3, 0, null]);
});

test('what was dropped while it was under way counts once', () => {
  add('a', 1);
  const [a] = outbox.first(1);
  for (const text of ['b', 'c', 'd']) add(text, 1);
  if (a !== undefined) outbox.settle(a);
  assert.deepEqual([outbox.dropped, outbox.published, outbox.size], [1, 0, CAPACITY]);
});

test('has room until it is half full', () => {
  outbox = new Outbox(4);
  add('a', 1);
  assert.ok(outbox.hasRoom);
  add('b', 1);
  assert.ok(!outbox.hasRoom);
  settle(1);
  assert.ok(outbox.hasRoom);
});

test('whatever happens: what is not settled and not lost is there, the newest last', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ add: fc.integer({ min: 0, max: 9 }) }),
      fc.record({ settle: fc.integer({ min: 1, max: 3 }) }),
    ),
  );
  fc.assert(
    fc.property(steps, all => {
      outbox = new Outbox(CAPACITY);
      let waiting: string[] = [];
      for (const [second, step] of all.entries()) {
        if ('settle' in step) {
          settle(step.settle);
          waiting = waiting.slice(step.settle);
          continue;
        }
        const text = String(step.add);
        add(text, second);
        if (!waiting.includes(text)) waiting = [...waiting, text].slice(-CAPACITY);
      }
      assert.deepEqual(texts(outbox), waiting);
    }),
  );
});
