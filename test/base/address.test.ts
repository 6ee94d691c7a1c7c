import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addressOf, canonicalIp, inetNtop, parseAddress } from '../../src/base/address.ts';

const CANONICAL = [
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['1:0:0:0:0:0:0:0', '1::'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:0201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:0:0', '0.0.0.0'],
  ['::192.0.2.1', '::192.0.2.1'],
  ['::c000:201', '::192.0.2.1'],
  ['::1:0', '::0.1.0.0'],
  ['::ffff:0:192.0.2.1', '::ffff:0:c000:201'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4:5:6:c000:201'],
] as const;

const REFUSED = [
  '',
  '10',
  '10.0.0',
  '010.0.0.1',
  '0x0a.0.0.1',
  '10.0.0.256',
  '10.0.0.1 ',
  '10.0.0.1\n',
  '10.0.0.1/32',
  '[10.0.0.1]',
  '[::1]',
  '::1%lo',
  'fe80::1%eth0',
  ':::',
  '1::2::3',
  '12345::',
  '::ffff:010.0.0.1',
  '::ffff:10.0.0.256',
  '1:2:3:4:5:6:7:10.0.0.1',
  'localhost',
];

/** The eight groups of an IPv6 address, with the runs of zeros that its spelling is all about. */
const groups = fc.array(
  fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constant(0xffff), fc.nat({ max: 0xffff })),
  { minLength: 8, maxLength: 8 },
);

describe('canonicalIp', () => {
  for (const [text, canonical] of CANONICAL) {
    test(`${text} is ${canonical}`, () => assert.equal(canonicalIp(text), canonical));
  }

  for (const text of REFUSED) {
    test(`${JSON.stringify(text)} is no address`, () => assert.equal(canonicalIp(text), null));
  }

  test('is its own canonical form, and the same address', () => {
    fc.assert(
      fc.property(groups, parts => {
        const once = canonicalIp(parts.map(part => part.toString(16)).join(':'));
        assert.ok(once !== null);
        assert.equal(canonicalIp(once), once);
        assert.equal(inetNtop(addressOf(once)), once);
      }),
    );
  });

  test('every spelling of an address has the same canonical form', () => {
    fc.assert(
      fc.property(groups, fc.boolean(), (parts, padded) => {
        const plain = parts.map(part => part.toString(16));
        const [a = 0, b = 0] = parts.slice(6);
        const quad = [a >> 8, a & 255, b >> 8, b & 255].join('.');
        const spelt = plain.map(group => (padded ? group.padStart(4, '0') : group.toUpperCase()));
        const mixed = [...spelt.slice(0, 6), quad].join(':');
        assert.equal(canonicalIp(mixed), canonicalIp(plain.join(':')));
        assert.equal(canonicalIp(spelt.join(':')), canonicalIp(plain.join(':')));
      }),
    );
  });

  test('takes what parseAddress takes, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4Extended(), fc.ipV6(), fc.string()), text => {
        assert.equal(canonicalIp(text) === null, parseAddress(text) === null);
      }),
    );
  });
});
