import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Row } from '../../src/map/map.ts';
import { decode, encode, rowOf, stampOf, stampText } from '../../src/map/row.ts';

test('a key or value is its text and one NUL', () => {
  assert.deepEqual(encode('10.0.0.1'), Buffer.from('10.0.0.1\0', 'latin1'));
  assert.equal(decode(encode('10.0.0.1')), '10.0.0.1');
});

for (const [bytes, text] of [
  ['a', 'a'],
  ['a\0', 'a'],
  ['a\0\0', 'a\0'],
  ['\0', ''],
  ['', ''],
]) {
  test(`${JSON.stringify(bytes)} is read as ${JSON.stringify(text)}`, () => {
    assert.equal(decode(Buffer.from(bytes ?? '')), text);
  });
}

test('a time is written in whole seconds', () => {
  assert.equal(stampText(epoch(1_700_000_000.999)), '1700000000');
});

for (const [value, stamp] of [
  ['1700000000', 1_700_000_000],
  ['0', 0],
  ['', null],
  ['OK', null],
  ['-1', null],
  ['1.5', null],
  ['1700000000 OK', null],
  ['١٢', null],
] as const) {
  test(`the value "${value}" is ${stamp === null ? "the administrator's" : 'a time'}`, () => {
    assert.equal(stampOf(value), stamp);
  });
}

test('a row whose key has no NUL is not ours', () => {
  const row = (key: Buffer): Row => {
    const value = encode('1700000000');
    const bytes = Buffer.concat([Buffer.from('..'), key, value]);
    return rowOf(bytes, 2, 2 + key.length, 2 + key.length, bytes.length);
  };
  assert.deepEqual(row(encode('10.0.0.1')), {
    key: '10.0.0.1',
    value: '1700000000',
    stamp: 1_700_000_000,
  });
  assert.equal(row(Buffer.from('10.0.0.1')).stamp, null);
});
