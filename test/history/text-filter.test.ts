import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { filterOf, mayHave, wantedOf } from '../../src/history/text-filter.ts';

test('what was put in is found, whatever its capitals', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 100 }), texts => {
      const filter = filterOf(texts);
      for (const text of texts) {
        assert.ok(mayHave(filter, wantedOf(text)));
        assert.ok(mayHave(filter, wantedOf(text.toLowerCase())));
      }
    }),
  );
});

test('what was not is found seldom', () => {
  const filter = filterOf(Array.from({ length: 500 }, (_, at) => `198.51.${at % 7}.${at}`));
  const others = Array.from({ length: 10_000 }, (_, at) => `203.0.${at >> 8}.${at & 255}`);
  const found = others.filter(text => mayHave(filter, wantedOf(text))).length;
  assert.ok(found < 100, `${found} of 10,000`);
});
