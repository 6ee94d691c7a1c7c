import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MAX_LINE } from '../../src/line/length.ts';
import { Splitter } from '../../src/source/splitter.ts';

/** What comes out of a text that arrives in pieces of the given sizes. */
function split(text: string, sizes: readonly number[]): { lines: string[]; tooLong: number } {
  const splitter = new Splitter();
  const lines: string[] = [];
  let rest = Buffer.from(text, 'latin1');
  for (const size of [...sizes, rest.length]) {
    lines.push(...splitter.push(rest.subarray(0, size)));
    rest = rest.subarray(size);
  }
  return { lines, tooLong: splitter.tooLong };
}

const expected = (text: string): string[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => (line.length > MAX_LINE ? '' : line));

test('lines are the same however the bytes arrive', () => {
  const line = fc.oneof(
    fc.string({ unit: fc.integer({ min: 11, max: 255 }).map(code => String.fromCharCode(code)) }),
    fc.integer({ min: MAX_LINE - 2, max: MAX_LINE + 2 }).map(length => 'x'.repeat(length)),
  );
  const sizes = fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 20 });
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 8 }),
      fc.string({ unit: 'grapheme-ascii' }),
      sizes,
      (lines, rest, pieces) => {
        const text = `${lines.join('\n')}\n${rest.replaceAll('\n', '')}`;
        const { lines: found, tooLong } = split(text, pieces);
        assert.deepEqual(found, expected(text));
        assert.equal(tooLong, lines.filter(({ length }) => length > MAX_LINE).length);
      },
    ),
  );
});

describe('a line that is too long', () => {
  test('is handed out as an empty one, counted, and the next one is whole', () => {
    const text = `before\n${'x'.repeat(3 * MAX_LINE)}\nafter\n`;
    for (const pieces of [[], [10], [MAX_LINE], [10, MAX_LINE, MAX_LINE], [7, 3 * MAX_LINE]]) {
      assert.deepEqual(split(text, pieces), { lines: ['before', '', 'after'], tooLong: 1 });
    }
  });

  test('is not kept in memory while it arrives', () => {
    const splitter = new Splitter();
    const piece = Buffer.alloc(1 << 20, 'x');
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 256; count++) assert.deepEqual(splitter.push(piece), []);
    assert.equal(splitter.tooLong, 1);
    assert.ok(process.memoryUsage().heapUsed - before < 128 << 20);
    assert.deepEqual(splitter.push(Buffer.from('\nnext\n')), ['', 'next']);
  });
});

test('bytes that are not UTF-8 pass unchanged', () => {
  const bytes = Buffer.from([0x6c, 0xff, 0xc3, 0x28, 0x00, 0x0a]);
  assert.deepEqual(new Splitter().push(bytes), ['l\xff\xc3(\0']);
});

test('the last line of a finished input needs no end', () => {
  const splitter = new Splitter();
  splitter.push(Buffer.from('one\ntwo'));
  assert.deepEqual(splitter.flush(), ['two']);
  assert.deepEqual(splitter.flush(), []);
});

test('what was arriving is forgotten by a reset', () => {
  const splitter = new Splitter();
  splitter.push(Buffer.from('half a li'));
  splitter.reset();
  assert.deepEqual(splitter.push(Buffer.from('a new one\n')), ['a new one']);
});
