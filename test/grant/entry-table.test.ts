import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalIp } from '../../src/base/address.ts';
import { type AddressKey, keyOf } from '../../src/base/address-key.ts';
import { epoch } from '../../src/base/clock.ts';
import { type Entry, EntryTable } from '../../src/grant/entry-table.ts';

const keyAt = (number: number): AddressKey =>
  keyOf(
    canonicalIp(
      `${number >>> 24}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
    ) ?? assert.fail(),
  );

const sorted = (keys: Iterable<AddressKey>): string[] => [...keys].map(String).sort();

type Model = Map<AddressKey, Entry>;

interface One {
  readonly kind: 'set' | 'delete' | 'get';
  readonly key: AddressKey;
  readonly stamp: number;
}

interface Many {
  readonly kind: 'fill' | 'empty' | 'expect';
  readonly from: number;
  readonly count: number;
}

/** Few addresses, so that they meet again; of all sorts. */
const key = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map(keyAt),
  fc.constantFrom(0x7f_ff_ff_ff, 0x80_00_00_00, 0xff_ff_ff_ff).map(keyAt),
  fc.constantFrom('::1', '2001:db8::1').map(text => keyOf(canonicalIp(text) ?? assert.fail())),
);
const one: fc.Arbitrary<One> = fc.record({
  kind: fc.constantFrom('set', 'set', 'delete', 'get'),
  key,
  stamp: fc.integer({ min: 0, max: 2 ** 33 }),
});
const many: fc.Arbitrary<Many> = fc.record({
  kind: fc.constantFrom('fill', 'empty', 'expect'),
  from: fc.integer({ min: 0, max: 5000 }),
  count: fc.integer({ min: 1, max: 3000 }),
});

/** Only an IPv6 address has a place in a network. */
const entryAt = (at: AddressKey, number: number): Entry => ({
  stamp: epoch(number),
  due: number + 1,
  user: (number % 1000) - 1,
  network: typeof at === 'number' ? -1 : number % 77,
});

function applyMany({ kind, from, count }: Many, table: EntryTable, model: Model): void {
  if (kind === 'expect') {
    table.expect(count);
    return;
  }
  for (let number = from; number < from + count; number++) {
    const at = keyAt(number);
    if (kind === 'empty') assert.equal(table.delete(at), model.delete(at));
    else {
      const entry = entryAt(at, number);
      table.set(at, entry);
      model.set(at, entry);
    }
  }
}

function applyOne({ kind, key: at, stamp }: One, table: EntryTable, model: Model): void {
  if (kind === 'delete') assert.equal(table.delete(at), model.delete(at));
  if (kind === 'get') assert.deepEqual(table.get(at), model.get(at));
  assert.equal(table.has(at), model.has(at));
  if (kind !== 'set') return;
  const entry = entryAt(at, stamp);
  if (model.has(at)) table.set(at, entry);
  else table.add(at, entry);
  model.set(at, entry);
}

test('does what a Map does, as it grows and shrinks', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(one, many), { maxLength: 40 }), steps => {
      const table = new EntryTable();
      const model: Model = new Map();
      for (const step of steps) {
        if ('key' in step) applyOne(step, table, model);
        else applyMany(step, table, model);
        assert.equal(table.size, model.size);
      }
      assert.deepEqual(sorted(table.keys()), sorted(model.keys()));
      for (const [known, entry] of model) assert.deepEqual(table.get(known), entry);
    }),
    { numRuns: 300 },
  );
});

test('the keys are those of the moment, whatever happens meanwhile', () => {
  const table = new EntryTable();
  for (let number = 0; number < 500; number++) table.set(keyAt(number), entryAt(keyAt(number), 1));
  const seen = new Set<AddressKey>();
  for (const known of table.keys()) {
    seen.add(known);
    table.delete(known);
    const fresh = keyAt(100_000 + seen.size);
    table.set(fresh, entryAt(fresh, 2));
  }
  assert.equal(seen.size, 500);
  assert.equal(table.size, 500);
});
