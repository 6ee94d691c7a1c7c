import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fingerprintOf, isFingerprintOf, parsePlace } from '../../src/source/place.ts';

const file = {
  dev: '66306',
  ino: '18446744073709551615',
  born: '1774137600000000000',
  fingerprint: fingerprintOf(Buffer.from('Mar 22 11:17:58 ')),
  position: 4711,
};
const place = { ...file, older: [file] };

test('a saved place comes back as it was', () => {
  assert.deepEqual(parsePlace(JSON.parse(JSON.stringify(place))), place);
});

describe('what is no place', () => {
  const { older: _, ...withoutOlder } = place;
  for (const [what, value] of [
    ['nothing', null],
    ['a text', 'place'],
    ['an empty object', {}],
    ['one without the older files', withoutOlder],
    ['one with a damaged older file', { ...place, older: [{ ...file, position: -1 }] }],
    ['one with a number as inode', { ...place, ino: 1 }],
    ['one before the first byte', { ...place, position: -1 }],
    ['one within a byte', { ...place, position: 0.5 }],
    ['one without a fingerprint', { ...place, fingerprint: null }],
    ['one with more than a fingerprint', { ...place, fingerprint: { bytes: 1025, hash: '' } }],
  ] as const) {
    test(what, () => assert.equal(parsePlace(value), null));
  }
});

test('a fingerprint is that of a file that has grown, and of no shorter or other one', () => {
  const fingerprint = fingerprintOf(Buffer.from('one'));
  assert.ok(isFingerprintOf(fingerprint, Buffer.from('one')));
  assert.ok(isFingerprintOf(fingerprint, Buffer.from('one and more')));
  assert.ok(!isFingerprintOf(fingerprint, Buffer.from('on')));
  assert.ok(!isFingerprintOf(fingerprint, Buffer.from('two and more')));
});
