import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { DueQueue } from '../../src/grant/due-queue.ts';

const QUARTER = 0.25;
const START = 1_000_000;

test('nothing is handed out early, nor more than a quarter second late, and each entry once', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add'), after: fc.double({ min: -5, max: 50, noNaN: true }) }),
    fc.record({ kind: fc.constant('pass'), after: fc.double({ min: 0, max: 20, noNaN: true }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const queue = new DueQueue<number>();
      const dues: number[] = [];
      const waiting = new Set<number>();
      let now = START;
      for (const { kind, after } of steps) {
        if (kind === 'add') {
          waiting.add(dues.length);
          queue.add(dues.length, epoch(now + after));
          // What is due already when it is added cannot come out before the next slot.
          dues.push(Math.max(now, now + after));
          continue;
        }
        now += after;
        for (const entry of queue.take(epoch(now))) {
          assert.ok(waiting.delete(entry), 'handed out twice');
          assert.ok((dues[entry] ?? Number.POSITIVE_INFINITY) <= now, 'handed out early');
        }
        // What was due before may wait until the slot it was put in has passed.
        for (const entry of waiting) assert.ok((dues[entry] ?? 0) > now - 2 * QUARTER, 'late');
      }
      const rest = queue.take(epoch(now + 1000));
      assert.deepEqual(new Set(rest), waiting);
    }),
  );
});

test('entries come out oldest first', () => {
  const queue = new DueQueue<string>();
  queue.add('late', epoch(START + 900));
  queue.add('early', epoch(START + 1));
  queue.add('middle', epoch(START + 30));
  assert.deepEqual(queue.take(epoch(START + 10_000)), ['early', 'middle', 'late']);
});

test('what is next is told while it is near, and taken then', () => {
  const after = fc.double({ min: 0, max: 10, noNaN: true });
  fc.assert(
    fc.property(fc.array(after, { maxLength: 20 }), after, (afters, passed) => {
      const queue = new DueQueue<number>();
      for (const [entry, due] of afters.entries()) queue.add(entry, epoch(START + due));
      const now = epoch(START + passed);
      queue.take(now);
      const next = queue.next(now, 1);
      const left = queue.size;
      queue.take(epoch(next === null ? now + 1 - QUARTER : next - QUARTER / 2));
      assert.equal(queue.size, left);
      if (next === null) return;
      queue.take(next);
      assert.ok(queue.size < left);
    }),
  );
});
