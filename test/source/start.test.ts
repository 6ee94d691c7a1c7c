import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type EpochSeconds, epoch } from '../../src/base/clock.ts';
import { startAtTime } from '../../src/source/start.ts';

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'log');

/** Lines begin with their time in digits, or have none. */
function timeOf(line: string): EpochSeconds | null {
  const [digits] = /^\d+/.exec(line) ?? [];
  return digits === undefined ? null : epoch(Number(digits));
}

function startOf(text: string, since: number): string {
  writeFileSync(file, text, 'latin1');
  const fd = openSync(file, 'r');
  try {
    return text.slice(startAtTime(epoch(since), timeOf)(fd, text.length) ?? 0);
  } finally {
    closeSync(fd);
  }
}

const logOf = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${index} ${'x'.repeat(index % 200)}\n`).join('');

test('all that is young enough is read, and little more', () => {
  const text = logOf(20_000);
  for (const since of [0, 1, 61, 9999, 19_999, 50_000]) {
    const [first = ''] = startOf(text, since).split('\n', 1);
    const time = first === '' ? 20_000 : Number(timeOf(first));
    assert.ok(time <= since, `${since}: starts at ${time}`);
    // A window of 16 KiB holds some 160 of these lines.
    assert.ok(since > 20_000 || time >= since - 60 - 400, `${since}: starts at ${time}`);
  }
});

test('nothing is skipped, whatever the log looks like, as long as it is in order', () => {
  const line = fc.record({
    passed: fc.integer({ min: 0, max: 100 }),
    length: fc.integer({ min: 0, max: 3000 }),
    stamped: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 300 }),
      fc.integer({ min: 0, max: 20_000 }),
      (lines, since) => {
        let now = 0;
        const texts = lines.map(({ passed, length, stamped }) => {
          now += passed;
          return `${stamped ? now : 'no time '}${'x'.repeat(length)}\n`;
        });
        const read = startOf(texts.join(''), since);
        const young = texts.filter(text => (timeOf(text) ?? -1) >= since);
        for (const text of young) assert.ok(read.includes(text));
      },
    ),
    { numRuns: 50 },
  );
});

test('a start is always the beginning of a line', () => {
  const text = logOf(5000);
  for (let since = 0; since < 6000; since += 371) {
    const read = startOf(text, since);
    assert.ok(read === text || readFileSync(file, 'latin1').includes(`\n${read}`));
  }
});
