import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sentence, wrap } from '../../src/options/running-text.ts';

test('a note becomes a sentence, and a sentence stays one', () => {
  assert.equal(sentence('show the rows'), 'Show the rows.');
  assert.equal(sentence('Is it there?'), 'Is it there?');
});

test('wrapping keeps all words in their order, and lines as long as they may be', () => {
  const word = fc.stringMatching(/^[a-z]{1,12}$/);
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1 }),
      fc.integer({ min: 1, max: 40 }),
      (words, width) => {
        const lines = wrap(words.join(' '), width).split('\n');
        assert.equal(lines.join(' '), words.join(' '));
        for (const [index, line] of lines.entries()) {
          assert.ok(line.length <= width || !line.includes(' '));
          const [next] = lines[index + 1]?.split(' ') ?? [];
          if (next !== undefined) assert.ok(line.length + 1 + next.length > width);
        }
      },
    ),
  );
});
