import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { DistinctCounter } from '../../src/grant/distinct.ts';

const ROOMY = 1_000_000;

/** Every pair that there ever was. */
class Model {
  readonly #pairs: { key: number; value: number; until: number }[] = [];

  /** Whether more than `most` different values of the key count. */
  note(key: number, value: number, until: number, most: number, now: number): boolean {
    this.#pairs.push({ key, value, until });
    const live = this.#pairs.filter(pair => pair.key === key && pair.until > now);
    return new Set(live.map(pair => pair.value)).size > most;
  }
}

const step = fc.record({
  key: fc.integer({ min: 0, max: 3 }),
  value: fc.integer({ min: 0, max: 6 }),
  /** For how long it counts: not all alike, since networks have grace periods of their own. */
  lasts: fc.integer({ min: 1, max: 100 }),
  passed: fc.integer({ min: 0, max: 20 }),
});

/** What is noted, step by step, at its time. */
function play(
  steps: readonly { key: number; value: number; lasts: number; passed: number }[],
  each: (key: number, value: number, until: number, now: number) => void,
): void {
  let now = 1000;
  for (const { key, value, lasts, passed } of steps) {
    now += passed;
    each(key, value, now + lasts, now);
  }
}

test('knows who has been seen with too many, as the plainest list does', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.integer({ min: 1, max: 4 }),
      (steps, most) => {
        const counter = new DistinctCounter<number, number>(ROOMY);
        const model = new Model();
        play(steps, (key, value, until, now) => {
          const excess = counter.note({ key, value, until: epoch(until) }, most, epoch(now));
          assert.equal(excess !== null, model.note(key, value, until, most, now));
          assert.ok(excess === null || excess.values.length === most + 1);
        });
      },
    ),
    { numRuns: 500 },
  );
});

test('without room it accuses nobody wrongly, and keeps to its bound', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const counter = new DistinctCounter<number, number>(10);
      const model = new Model();
      play(steps, (key, value, until, now) => {
        const excess = counter.note({ key, value, until: epoch(until) }, 2, epoch(now));
        assert.ok(model.note(key, value, until, 2, now) || excess === null);
        assert.ok(counter.size <= 10);
      });
    }),
  );
});

describe('a stranger cannot fill the memory', () => {
  const until = epoch(2000);
  const now = epoch(1000);
  const noted = (pairOf: (index: number) => readonly [string, string]): number => {
    const counter = new DistinctCounter<string, string>(1000);
    for (let index = 0; index < 50_000; index++) {
      const [key, value] = pairOf(index);
      counter.note({ key, value, until }, 5, now);
    }
    return counter.size;
  };

  test('with one address and ever new names', () => {
    assert.equal(
      noted(index => ['198.51.100.1', `user${index}`]),
      6,
    );
  });

  test('with ever new addresses', () => {
    const size = noted(index => [`address${index}`, 'anna']);
    assert.ok(size > 450 && size <= 1000, String(size));
  });
});

test('an excess is news once, and again when that is over', () => {
  const counter = new DistinctCounter<string, string>(ROOMY);
  const note = (value: string, now: number): boolean | null => {
    const pair = { key: 'a', value, until: epoch(now + 100) };
    return counter.note(pair, 1, epoch(now))?.isNews ?? null;
  };
  assert.equal(note('x', 0), null);
  assert.equal(note('y', 50), true);
  assert.equal(note('x', 90), false);
  assert.equal(note('y', 149), false);
  assert.equal(note('x', 150), true);
  assert.equal(note('x', 300), null, 'alone again');
});

test('what counts no longer is forgotten', () => {
  const counter = new DistinctCounter<number, string>(ROOMY);
  for (let key = 0; key < 100; key++)
    counter.note({ key, value: 'x', until: epoch(100) }, 1, epoch(0));
  assert.equal(counter.size, 100);
  counter.note({ key: 100, value: 'x', until: epoch(200) }, 1, epoch(100));
  assert.equal(counter.size, 1);
  counter.clear();
  assert.equal(counter.size, 0);
});
