import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { JournalStreams } from '../../src/source/journal-streams.ts';

/** `stream`, or `stream:break`; `-` for no stream; of a container `C3`, its severity behind its name. */
function entryOf(text: string, number: number) {
  const [name = '', lineBreak = null] = text.split(':');
  const isContainers = /^[A-Z]/.test(name);
  const stream = isContainers ? name.slice(0, 1) : name;
  return {
    container: isContainers ? stream : null,
    priority: isContainers ? Number(name.slice(1)) : 6,
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
    [
      'not the last piece of a container, which has no mark',
      ['C3:true', 'C3:true', 'C3', 'C3'],
      [3],
    ],
    ['not the other stream of a container within a line', ['C3:true', 'C6', 'C3', 'C6'], [3]],
    ['not a rest that has another severity than its head', ['C7:true', 'C6', 'C7', 'C6'], [3]],
    ['those of other containers', ['C3:true', 'D3', 'C3', 'C3'], [1, 3]],
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

test('a container whose rest never came is heard again after ten minutes', () => {
  const streams = new JournalStreams();
  const whole = (text: string, seconds: number): boolean => streams.isWhole(entryOf(text, seconds));
  assert.equal(whole('C7:true', 0), false);
  assert.equal(whole('C6', 600), false);
  assert.equal(whole('C6', 601), true);
  assert.equal(whole('C7', 601), true);
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
