import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalIp } from '../../src/base/address.ts';
import { ADDRESSES } from '../../src/line/address-steps.ts';
import { Automaton } from '../../src/line/automaton.ts';
import { ScanMemory } from '../../src/line/scan-memory.ts';

const memory = new ScanMemory();
const { bytes } = memory.addBlock(64, 1);
const automaton = new Automaton([{ steps: ADDRESSES, mayLackAddress: true }], memory, null);
const takes = (text: string): boolean =>
  automaton.match(bytes, 0, bytes.write(text, 'latin1')) >= 0;

const group = fc.stringMatching(/^[\da-fA-F]{0,5}$/);
const octet = fc.oneof(
  fc.integer({ min: 0, max: 300 }).map(String),
  fc.stringMatching(/^\d{0,4}$/),
);
const quad = fc.array(octet, { minLength: 3, maxLength: 5 }).map(octets => octets.join('.'));
const written = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  quad,
  quad.map(text => `::ffff:${text}`),
  fc.array(group, { minLength: 1, maxLength: 10 }).map(groups => groups.join(':')),
  fc.stringMatching(/^[\da-fA-F:.]{0,45}$/),
);

test('what the steps take is an address', () => {
  fc.assert(
    fc.property(written, text => {
      if (takes(text)) assert.notEqual(canonicalIp(text), null);
    }),
    { numRuns: 20_000 },
  );
});

test('what they do not take is none, but for IPv6 that ends in a quad', () => {
  fc.assert(
    fc.property(written, text => {
      if (!takes(text) && !/:.*\./.test(text)) assert.equal(canonicalIp(text), null);
    }),
    { numRuns: 20_000 },
  );
});

describe('among them are', () => {
  for (const text of ['192.0.2.1', '0.0.0.0', '255.255.255.255', '::ffff:192.0.2.1', '::', '::1'])
    test(text, () => assert.ok(takes(text)));
  for (const text of [
    '2001:db8::17',
    '1:2:3:4:5:6:7:8',
    '1::8',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
  ])
    test(text, () => assert.ok(takes(text)));
});

describe('none of them are', () => {
  for (const text of [
    '',
    '192.0.2',
    '192.0.2.1.',
    '192.0.2.256',
    '192.0.02.1',
    ':::',
    '1:2:3:4:5:6:7',
    '1::2::3',
  ])
    test(`"${text}"`, () => assert.ok(!takes(text)));
});
