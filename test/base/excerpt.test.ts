import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { excerpt, masked } from '../../src/base/excerpt.ts';

test('bytes are shown as what they are, and nothing of it commands a terminal', () => {
  const table: readonly (readonly [string, string])[] = [
    ['plain text, as it is', 'plain text, as it is'],
    ['j\xc3\xbcrgen', 'jürgen'],
    ['j\xfcrgen', 'jürgen'],
    ['\x1b[31mred\x07', '\\x1b[31mred\\x07'],
    // CSI as one byte, and the same in UTF-8.
    ['\x9b31m', '\\x9b31m'],
    ['\xc2\x9b31m', '\\x9b31m'],
    // U+202E, which turns the text around behind it.
    ['\xe2\x80\xaemoc', '\\u{202e}moc'],
    ['\xe2\x80\xa8', '\\u{2028}'],
    ['\t', '\\x09'],
  ];
  for (const [bytes, shown] of table) assert.equal(excerpt(bytes), shown);
});

test('what is longer is cut between characters', () => {
  assert.equal(excerpt('12345', 5), '12345');
  assert.equal(excerpt('123456', 5), '1234…');
  assert.equal(excerpt('\xc3\xbc\xc3\xbc\xc3\xbc', 2), 'ü…');
});

test('no byte comes through that is no visible character or blank', () => {
  const bytes = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map(code => String.fromCharCode(code)),
  });
  fc.assert(
    fc.property(bytes, text => assert.doesNotMatch(excerpt(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)),
  );
});

test('a name has a question mark for whatever commands a terminal, and what it is for nothing else', () => {
  const table: readonly (readonly [string, string])[] = [
    ['jürgen', 'jürgen'],
    ['\u{202e}anna', '?anna'],
    ['an\u{200b}na\u{2066}', 'an?na?'],
    ['a\u{2028}b\u{2029}c', 'a?b?c'],
    ['a\tb\u{9b}', 'a?b?'],
  ];
  for (const [text, shown] of table) assert.equal(masked(text), shown);
});
