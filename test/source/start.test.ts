import assert from 'node:assert/strict';
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type EpochSeconds, epoch } from '../../src/base/clock.ts';
import { type Packing, packingOf } from '../../src/source/packing.ts';
import { openFileOf } from '../../src/source/rotated.ts';
import { startAtTime } from '../../src/source/start.ts';

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'log');

/** Lines begin with their time in digits, or have none. */
function timeOf(line: string): EpochSeconds | null {
  const [digits] = /^\d+/.exec(line) ?? [];
  return digits === undefined ? null : epoch(Number(digits));
}

const NEVER = new AbortController().signal;

/** What is read of a log that holds a text, plain or compressed. */
async function startOf(text: string, since: number, packing: Packing | null): Promise<string> {
  const bytes = Buffer.from(text, 'latin1');
  writeFileSync(file, packing === null ? bytes : gzipSync(bytes));
  const fd = openSync(file, 'r');
  const opened = openFileOf(fd, fstatSync(fd, { bigint: true }), packing);
  try {
    return text.slice(
      (await startAtTime(
        () => epoch(since),
        () => timeOf,
      )(opened, NEVER)) ?? 0,
    );
  } finally {
    closeSync(fd);
  }
}

const logOf = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${index} ${'x'.repeat(index % 200)}\n`).join('');

for (const packing of [null, packingOf('mail.log.1.gz')]) {
  const how = packing === null ? 'plain' : `compressed as ${packing.suffix}`;
  // A window, or a piece that is unpacked at once, of these lines.
  const most = packing === null ? 400 : 1600;

  test(`${how}: all that is young enough is read, and little more`, async () => {
    const text = logOf(20_000);
    for (const since of [0, 1, 61, 9999, 19_999, 50_000]) {
      const [first = ''] = (await startOf(text, since, packing)).split('\n', 1);
      const time = first === '' ? 20_000 : Number(timeOf(first));
      assert.ok(time <= since, `${since}: starts at ${time}`);
      assert.ok(since > 20_000 || time >= since - 60 - most, `${since}: starts at ${time}`);
    }
  });

  test(`${how}: nothing is skipped, whatever the log looks like, as long as it is in order`, async () => {
    const line = fc.record({
      passed: fc.integer({ min: 0, max: 100 }),
      length: fc.integer({ min: 0, max: 3000 }),
      stamped: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 300 }),
        fc.integer({ min: 0, max: 20_000 }),
        async (lines, since) => {
          let now = 0;
          const texts = lines.map(({ passed, length, stamped }) => {
            now += passed;
            return `${stamped ? now : 'no time '}${'x'.repeat(length)}\n`;
          });
          const read = await startOf(texts.join(''), since, packing);
          const young = texts.filter(text => (timeOf(text) ?? -1) >= since);
          for (const text of young) assert.ok(read.includes(text));
        },
      ),
      { numRuns: 50 },
    );
  });

  test(`${how}: a start is always the beginning of a line`, async () => {
    const text = logOf(5000);
    for (let since = 0; since < 6000; since += 371) {
      const read = await startOf(text, since, packing);
      assert.ok(read === text || text.includes(`\n${read}`));
    }
  });
}

test('a search that is ended comes to its end', async () => {
  const stopped = new AbortController();
  stopped.abort();
  writeFileSync(file, gzipSync(logOf(20_000)));
  const fd = openSync(file, 'r');
  try {
    const opened = openFileOf(fd, fstatSync(fd, { bigint: true }), packingOf('log.gz'));
    assert.equal(
      await startAtTime(
        () => epoch(19_999),
        () => timeOf,
      )(opened, stopped.signal),
      null,
    );
  } finally {
    closeSync(fd);
  }
});
