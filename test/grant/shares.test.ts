import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AddressKey, keyOf } from '../../src/base/address-key.ts';
import { Shares } from '../../src/grant/shares.ts';
import { ip } from '../map/addresses.ts';

const keyAt = (number: number) => keyOf(ip(`10.0.${number >> 8}.${number & 255}`));

interface One {
  readonly number: number;
  readonly name: string;
  readonly entry: number;
}

/** The plainest there could be: a list of all entries, that which was touched last at its end. */
type Model = One[];

const step = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'move', 'touch', 'remove'),
  which: fc.nat(),
  name: fc.integer({ min: 0, max: 6 }).map(number => `user${number}`),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function apply({ kind, which, name }: Step, number: number, shares: Shares, model: Model): void {
  if (kind === 'add') {
    model.push({ number, name, entry: shares.add(name, keyAt(number)) });
    return;
  }
  const [one] = model.splice(which % Math.max(1, model.length), 1);
  if (one === undefined) return;
  if (kind === 'remove') {
    shares.remove(one.entry);
    return;
  }
  if (kind === 'touch') shares.touch(one.entry);
  else shares.move(one.entry, name);
  model.push(kind === 'touch' ? one : { ...one, name });
}

function compare(shares: Shares, model: Model): void {
  const holders = new Map<string, One[]>();
  for (const one of model) holders.set(one.name, [...(holders.get(one.name) ?? []), one]);
  const most = Math.max(0, ...[...holders.values()].map(({ length }) => length));
  assert.equal(shares.most, most);
  const oldest: (AddressKey | undefined)[] = [];
  for (const [name, entries] of holders) {
    assert.equal(shares.sizeOf(name), entries.length);
    for (const { entry } of entries) assert.equal(shares.sizeAt(entry), entries.length);
    const keys = entries.map(({ number }) => keyAt(number));
    assert.deepEqual([...shares.of(name)], keys);
    if (entries.length === most) oldest.push(keys[0]);
  }
  assert.ok(model.length === 0 ? shares.next === undefined : oldest.includes(shares.next));
}

test('knows who has how many, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const shares = new Shares();
      const model: Model = [];
      for (const [number, one] of steps.entries()) {
        apply(one, number, shares, model);
        compare(shares, model);
      }
    }),
    { numRuns: 300 },
  );
});

test('tells many holders apart as they come and go', () => {
  const shares = new Shares();
  const entries = Array.from({ length: 20_000 }, (_, at) => shares.add(`user${at}`, keyAt(at)));
  // One of some 20 times two of these have one hash.
  assert.ok(shares.most <= 2);
  for (const [at, entry] of entries.entries()) if (at % 10 > 0) shares.remove(entry);
  for (let at = 0; at < 20_000; at += 10) assert.ok(shares.sizeOf(`user${at}`) >= 1);
  assert.equal(shares.sizeOf('nobody'), 0);
  for (const [at, entry] of entries.entries()) if (at % 10 === 0) shares.remove(entry);
  assert.equal(shares.most, 0);
  assert.equal(shares.next, undefined);
});
