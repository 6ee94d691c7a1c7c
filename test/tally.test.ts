import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { countFile, formatTally, readOutput, sum } from './tally.ts';

const counts = (pass: number, fail: number): string =>
  `ℹ tests ${pass + fail}\nℹ suites 1\nℹ pass ${pass}\nℹ fail ${fail}\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 12.5\n`;

describe('the output of a test file', () => {
  test('that has passed', () => {
    const { body, failures, tally } = readOutput(`✔ one\n✔ two\n${counts(2, 0)}`);
    assert.equal(body, '✔ one\n✔ two\n');
    assert.equal(failures, '');
    assert.deepEqual(tally, { tests: 2, pass: 2, fail: 0, cancelled: 0, skipped: 0, todo: 0 });
  });

  test('that has failed: its failures stand behind the counts', () => {
    const { failures, tally } = readOutput(`✖ one\n${counts(0, 1)}\n✖ failing tests:\n\n✖ one\n`);
    assert.equal(failures, '✖ failing tests:\n\n✖ one\n');
    assert.equal(tally?.fail, 1);
  });

  test('that has printed counts itself, or ended before it counted', () => {
    const { body, tally } = readOutput(`${counts(9, 9)}${counts(1, 0)}`);
    assert.equal(body, counts(9, 9));
    assert.equal(tally?.tests, 1);
    assert.deepEqual(readOutput('✔ one\n'), { body: '✔ one\n', failures: '', tally: null });
  });
});

test('a file that ended badly is a failure even if it has counted none', () => {
  const { tally } = readOutput(counts(3, 0));
  const failures = (...args: Parameters<typeof countFile>): number[] => {
    const { tests, fail } = countFile(...args);
    return [tests, fail];
  };
  assert.deepEqual(failures(tally, true), [3, 0]);
  assert.deepEqual(failures(tally, false), [4, 1]);
  assert.deepEqual(failures(null, false), [1, 1]);
  assert.deepEqual(failures(null, true), [1, 1]);
  assert.deepEqual(failures(readOutput(counts(1, 2)).tally, false), [3, 2]);
});

test('the sum is told in the words of the reporter', () => {
  const tallies = [counts(3, 1), counts(4, 0)].map(text => readOutput(text).tally ?? assert.fail());
  assert.equal(
    formatTally(sum(tallies)),
    'ℹ tests 8\nℹ pass 7\nℹ fail 1\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\n',
  );
});
