import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { JournalStreams } from '../../src/source/journal-streams.ts';

/** `stream`, or `stream:break`; `-` for no stream. */
function entryOf(text: string, number: number) {
  const [stream = '', lineBreak = null] = text.split(':');
  return {
    cursor: `c${number}`,
    microseconds: number * 1e6,
    stream: stream === '-' ? null : stream,
    lineBreak,
  };
}

/** The numbers of those that are whole lines. */
function wholeOf(...entries: readonly string[]): number[] {
  const streams = new JournalStreams();
  return entries.flatMap((text, number) =>
    streams.isWhole(entryOf(text, number)) ? [number] : [],
  );
}

describe('whole lines are', () => {
  for (const [name, entries, whole] of [
    ['those that a line end closes', ['a', 'a', 'b'], [0, 1, 2]],
    ['those that came by no stream', ['-', '-'], [0, 1]],
    ['no line that was too long for journald, and not its rest', ['a:line-max', 'a', 'a'], [2]],
    ['not the rest of the rest', ['a:line-max', 'a:line-max', 'a', 'a'], [3]],
    ['not what stands behind a NUL', ['a:nul', 'a', 'a'], [2]],
    ['not what a process began and another one ended', ['a:pid-change', 'a', 'a'], [2]],
    ['not the end of a stream in the middle of a line', ['a', 'a:eof'], [0]],
    ['those of other streams', ['a:line-max', 'b', '-', 'a', 'a'], [1, 2, 4]],
    ['of two broken streams none of both rests', ['a:line-max', 'b:line-max', 'a', 'b', 'b'], [4]],
  ] as const) {
    test(name, () => assert.deepEqual(wholeOf(...entries), whole));
  }

  test('in any order only those with an end before and behind them', () => {
    const entry = fc.constantFrom('a', 'b', '-', 'a:line-max', 'b:nul', 'a:eof', 'b:pid-change');
    fc.assert(
      fc.property(fc.array(entry), entries => {
        const whole = wholeOf(...entries);
        for (const [number, text] of entries.entries()) {
          const before = entries.slice(0, number).findLast(other => other[0] === text[0]);
          const expected = !text.includes(':') && (text === '-' || !before?.includes(':'));
          assert.equal(whole.includes(number), expected, `${number}: ${text}`);
        }
      }),
    );
  });
});

describe('a reader that begins anew begins', () => {
  const brokenOf = (...entries: readonly (readonly [string, number])[]): string | null => {
    const streams = new JournalStreams();
    for (const [text, number] of entries) streams.isWhole(entryOf(text, number));
    return streams.broken;
  };

  test('anywhere, when no line is broken', () => {
    assert.equal(brokenOf(['a', 1], ['a:line-max', 2], ['a', 3]), null);
  });

  test('at the oldest line whose rest has not come', () => {
    assert.equal(brokenOf(['b:nul', 1], ['a:line-max', 2], ['b', 3], ['-', 4]), 'c2');
    assert.equal(brokenOf(['b:nul', 1], ['a:line-max', 2]), 'c1');
  });

  test('not at one whose rest never came', () => {
    assert.equal(brokenOf(['a:eof', 1], ['-', 602]), null);
  });
});
