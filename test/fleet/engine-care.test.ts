import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineCare } from '../../src/fleet/engine-care.ts';
import type { Condition, Memory, Upstream } from '../../src/fleet/info.ts';

const ROOMY: Memory = { used: 1, most: 100, policy: 'noeviction' };
const of = (memory: Partial<Memory>, upstream: Upstream | null = null): Condition => ({
  memory: { ...ROOMY, ...memory },
  upstream,
});

/** What is told of these, one after the other, without the engine's name. */
function told(...conditions: readonly Condition[]): string[] {
  const warned: string[] = [];
  const care = new EngineCare(text => void warned.push(text.replace('fleet: redis://h ', '')));
  for (const condition of conditions) care.judge('redis://h', condition);
  return warned;
}

test('an engine that is well is not told of', () => {
  assert.deepEqual(told(of({}), of({ most: null }), of({}, { isUp: true, silence: 1 })), []);
});

test('each trouble is told once, until it is over', () => {
  const evicting = of({ policy: 'allkeys-lru' });
  const stale = of({}, { isUp: false, silence: 3 });
  for (const [trouble, expected] of [
    [evicting, /^throws away .*allkeys-lru\): set noeviction$/],
    [stale, /^is a replica that does not hear of its primary/],
    [of({ used: 95 }), /^has used 95 % of its maxmemory/],
  ] as const) {
    const texts = told(trouble, trouble, of({}), trouble);
    assert.equal(texts.length, 2);
    for (const text of texts) assert.match(text, expected);
  }
});

test('memory that goes up and down a little is told once', () => {
  assert.equal(told(of({ used: 91 }), of({ used: 89 }), of({ used: 91 })).length, 1);
});

test('another engine is another matter', () => {
  const warned: string[] = [];
  const care = new EngineCare(text => void warned.push(text));
  for (const where of ['redis://a', 'redis://b', 'redis://a']) care.judge(where, of({ used: 95 }));
  assert.equal(warned.length, 2);
});
