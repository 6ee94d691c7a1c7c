import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST_LINES, hashOf, Sampling, SLOTS, SOME } from '../../src/line/sampling.ts';

/** The numbers of the lines under a tag that are looked at. */
const looked = (sampling: Sampling, tag: string, lines: number): number[] =>
  Array.from({ length: lines }, (_, line) => line).filter(() => sampling.takes(hashOf(tag)));

test('the first lines of each tag are looked at, then one of so many', () => {
  const sampling = new Sampling();
  const lines = FIRST_LINES + 2 * SOME;
  for (const tag of ['rspamd', 'amavis']) {
    const first = Array.from({ length: FIRST_LINES }, (_, line) => line);
    const later = [FIRST_LINES + SOME - 1, FIRST_LINES + 2 * SOME - 1];
    assert.deepEqual(looked(sampling, tag, lines), [...first, ...later], tag);
  }
});

test('all lines of a tag that is admitted are, and of all tags where all are', () => {
  const sampling = new Sampling();
  sampling.admit('rspamd');
  assert.equal(looked(sampling, 'rspamd', 2 * SOME).length, 2 * SOME);
  assert.equal(looked(sampling, 'amavis', 2 * SOME).length < 2 * SOME, true);
  sampling.admitAll();
  assert.equal(looked(sampling, 'amavis', 2 * SOME).length, 2 * SOME);
});

test('another thread goes on where the first is', () => {
  const seen = new Uint16Array(SLOTS);
  looked(new Sampling(seen), 'rspamd', FIRST_LINES);
  assert.deepEqual(looked(new Sampling(seen), 'rspamd', SOME - 1), []);
});
