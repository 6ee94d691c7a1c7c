import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Generations } from '../../src/grant/generations.ts';

type Step = { readonly set: number } | { readonly remove: number };

const key = fc.nat({ max: 30 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ set: key }) },
  { weight: 1, arbitrary: fc.record({ remove: key }) },
);

test('at least half of the capacity is kept, of what was set last, and never more than all of it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat({ max: 10 }), (steps, half) => {
      const capacity = 2 * (half + 1);
      const table = new Generations<number, number>(capacity);
      // The model forgets nothing: those that were set last are at its end.
      const model = new Map<number, number>();
      for (const [index, one] of steps.entries()) {
        if ('set' in one) {
          table.set(one.set, index);
          model.delete(one.set);
          model.set(one.set, index);
        } else {
          table.delete(one.remove);
          model.delete(one.remove);
        }
        const kept = table.entries();
        assert.ok(kept.size <= capacity);
        for (const [known, value] of kept) assert.equal(model.get(known), value);
        for (const [known, value] of [...model].slice(-capacity / 2))
          assert.equal(table.get(known), value);
      }
    }),
  );
});
