import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipOf } from '../../src/base/address-key.ts';
import type { Grant } from '../../src/grant/grant-table.ts';
import { takeQuick } from '../../src/map/quick-row.ts';
import { grantOf, rowOf } from '../../src/map/row.ts';

/** Addresses, and what nearly is one. */
const keyText = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc
    .array(
      fc.constantFrom('0', '1', '9', '25', '255', '256', '01', '.', '..', '1.2.3', ' ', 'é', ''),
      {
        maxLength: 8,
      },
    )
    .map(parts => parts.join('')),
  fc
    .array(fc.constantFrom('0', '7', '00', '255', '256', '1000', ''), {
      minLength: 3,
      maxLength: 5,
    })
    .map(parts => parts.join('.')),
);
const valueText = fc.oneof(
  fc.nat().map(String),
  fc.bigInt(0n, 10n ** 20n).map(String),
  fc.constantFrom('', 'OK', 'ok', '007', '1.5', '-1', '17 ', '\0', '١'),
);
const end = fc.constantFrom('\0', '', '\0\0');
const bytesOf = (text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc.tuple(text, end).map(parts => Buffer.from(parts.join('')));

test('what it finds is what the texts of the row say', () => {
  fc.assert(
    fc.property(bytesOf(keyText), bytesOf(valueText), (key, value) => {
      const bytes = Buffer.concat([Buffer.from('1.'), key, value, Buffer.from('9')]);
      const places = [2, 2 + key.length, 2 + key.length, 2 + key.length + value.length] as const;
      const plain = grantOf(rowOf(bytes, ...places));
      let quick: Grant | null = null;
      takeQuick(bytes, ...places, (number, stamp) => {
        quick = { ip: ipOf(number), stamp };
      });
      if (quick !== null) assert.deepEqual(quick, plain);
      // It is for those rows that there are a million of.
      const isUsual = plain !== null && !plain.ip.includes(':') && value.length < 16;
      if (isUsual) assert.deepEqual(quick, plain);
    }),
    { numRuns: 5000 },
  );
});
