import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { Outbox, type Posting } from '../../src/fleet/outbox.ts';

const CAPACITY = 3;
const posting = (text: string): Posting => ({ stream: 'grants', fields: ['t', text] });
const texts = (outbox: Outbox): string[] => outbox.first(100).map(({ fields }) => fields[1] ?? '');

let outbox: Outbox;

beforeEach(() => {
  outbox = new Outbox(CAPACITY);
});

function settle(count: number): void {
  for (const one of outbox.first(count)) outbox.settle(one);
}

test('gives what was posted, in its order, until it is settled', () => {
  for (const text of ['a', 'b', 'c']) outbox.add(posting(text), 1);
  assert.deepEqual(texts(outbox), ['a', 'b', 'c']);
  settle(2);
  assert.deepEqual([texts(outbox), outbox.published], [['c'], 2]);
});

test('is bounded: the oldest are lost, and counted', () => {
  for (const text of ['a', 'b', 'c', 'd', 'e']) outbox.add(posting(text), 1);
  assert.deepEqual([texts(outbox), outbox.dropped, outbox.size], [['c', 'd', 'e'], 2, CAPACITY]);
});

test('sends the same once a second', () => {
  outbox.add(posting('a'), 1.1);
  outbox.add(posting('a'), 1.2);
  settle(1);
  outbox.add(posting('a'), 1.9);
  assert.equal(outbox.size, 0);
  outbox.add(posting('a'), 2);
  assert.equal(outbox.size, 1);
});

test('sends it again to an engine that may have lost it', () => {
  outbox.add(posting('a'), 1);
  settle(1);
  outbox.forget();
  outbox.add(posting('a'), 1);
  assert.equal(outbox.size, 1);
});

test('the same text in two streams is two', () => {
  outbox.add(posting('a'), 1);
  outbox.add({ ...posting('a'), stream: 'orders' }, 1);
  assert.equal(outbox.size, 2);
});

test('knows when all up to a mark is out, whether sent or lost', () => {
  assert.ok(outbox.isPast(outbox.mark));
  outbox.add(posting('a'), 1);
  outbox.add(posting('b'), 1);
  const { mark } = outbox;
  outbox.add(posting('c'), 1);
  assert.equal(outbox.isPast(mark), false);
  settle(1);
  assert.equal(outbox.isPast(mark), false);
  settle(1);
  assert.equal(outbox.isPast(mark), true);
  assert.equal(outbox.isPast(outbox.mark), false);
  for (const text of ['d', 'e', 'f']) outbox.add(posting(text), 1);
  assert.equal(outbox.isPast(mark + 1), true, 'c was lost');
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
        outbox.add(posting(text), second);
        if (!waiting.includes(text)) waiting = [...waiting, text].slice(-CAPACITY);
      }
      assert.deepEqual(texts(outbox), waiting);
    }),
  );
});
