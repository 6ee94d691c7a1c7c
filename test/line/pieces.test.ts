import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MAX_LINE } from '../../src/line/length.ts';
import { Pieces } from '../../src/line/pieces.ts';

const entry = (part: string, text: string, stream = 'stdout'): string =>
  `2026-11-23T00:53:00Z ${stream} ${part} ${text}`;
const json = (log: string): string =>
  JSON.stringify({ log, stream: 'stdout', time: '2026-11-23T00:53:00Z' });

function wholes(...lines: readonly string[]): string[] {
  const pieces = new Pieces();
  return lines.map(line => pieces.whole(line));
}

describe('pieces of a line', () => {
  const long = 'x'.repeat(MAX_LINE - 100);
  const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['none', ['a', entry('F', 'b')], ['a', entry('F', 'b')]],
    ['two', [entry('P', 'a '), entry('F', ' b')], ['', entry('F', 'a  b')]],
    [
      'of two streams at once',
      [entry('P', 'a'), entry('P', 'x', 'stderr'), entry('F', 'b'), entry('F', 'y', 'stderr')],
      ['', '', entry('F', 'ab'), entry('F', 'xy', 'stderr')],
    ],
    ['of json-file', [json('a'), json('b\n')], ['', entry('F', 'ab')]],
    [
      'beyond the cap, and the line after them',
      [entry('P', long), entry('P', long), entry('F', 'rest'), entry('F', 'b')],
      ['', '', '', entry('F', 'b')],
    ],
    [
      'the rest of one that was skipped for its length',
      ['', entry('F', 'rest'), entry('F', 'rest', 'stderr'), entry('F', 'b')],
      ['', '', '', entry('F', 'b')],
    ],
    [
      'with one in the middle that was skipped',
      [entry('P', 'a'), '', entry('F', 'rest'), entry('F', 'b')],
      ['', '', '', entry('F', 'b')],
    ],
  ];
  for (const [name, lines, expected] of table) {
    test(name, () => assert.deepEqual(wholes(...lines), expected));
  }
});

test('lines come out as they were, wherever they were broken', () => {
  const words = fc.array(
    fc.string({ maxLength: 10 }).map(text => text.replace(/\n/g, '')),
    {
      minLength: 1,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 5 }), lines => {
      const entries = lines.flatMap(parts =>
        parts.map((text, at) => entry(at === parts.length - 1 ? 'F' : 'P', text)),
      );
      const found = wholes(...entries).filter(text => text !== '');
      assert.deepEqual(
        found,
        lines.map(parts => entry('F', parts.join(''))),
      );
    }),
  );
});
