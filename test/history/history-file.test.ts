import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BlockWriter, blockKey, type StoredBlock } from '../../src/history/block.ts';
import { type Entry, entryOf } from '../../src/history/entry.ts';
import { HistoryFile } from '../../src/history/history-file.ts';
import { lock } from '../../src/map/lock.ts';
import { assertRejects } from '../failure.ts';

const MIB = 2 ** 20;
const HOUR = 490_000;

let directory = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'popbsmtp-history-file-'));
});
after(() => rmSync(directory, { recursive: true }));

let count = 0;
const freshPath = (): string => join(directory, `h${count++}`);

/** Tells, and so fails at, what nobody expects to be told of. */
const silent = (text: string): void => assert.fail(text);

function block(serial: number, padding = 0): StoredBlock {
  const writer = new BlockWriter(HOUR);
  const what = `${serial}`.padStart(padding, '0');
  writer.add(entryOf('refused', HOUR * 3600 + 1, { what }));
  return writer.stored(blockKey(HOUR, serial));
}

const blocks = (first: number, number: number, padding?: number) =>
  Array.from({ length: number }, (_, index) => block(first + index, padding));

const none: ReadonlyMap<string, unknown> = new Map();

async function serialsIn(file: HistoryFile): Promise<number[]> {
  const serials: number[] = [];
  await file.visit(HOUR, HOUR + 1, ({ what }: Entry) => serials.push(Number(what)));
  return serials;
}

test('each block is read once, in its order, whatever the number of pages', async () => {
  for (const number of [0, 1, 63, 64, 65, 128, 1000]) {
    const path = freshPath();
    const file = await HistoryFile.open(path, { most: 64 * MIB, warn: silent });
    // Something behind them that is none.
    await file.write({ blocks: blocks(0, number), messages: new Map([['mx 1', { ids: [] }]]) });
    assert.deepEqual(
      await serialsIn(file),
      Array.from({ length: number }, (_, at) => at),
    );
    await file.close();
  }
});

test('who writes gets his turn while somebody reads', async () => {
  const path = freshPath();
  const writer = await HistoryFile.open(path, { most: 64 * MIB, warn: silent });
  await writer.write({ blocks: blocks(0, 5000), messages: none });
  const reader = await HistoryFile.openForReading(path);
  let isWritten = false;
  let seen = 0;
  let seenBefore = -1;
  await reader.visit(HOUR, HOUR + 1, () => {
    seen++;
    if (seen === 1)
      void writer.write({ blocks: blocks(5000, 1), messages: none }).then(() => {
        isWritten = true;
      });
    if (!isWritten) seenBefore = seen;
  });
  assert.ok(isWritten && seenBefore < seen, `after ${seenBefore} of ${seen}`);
  await reader.close();
  await writer.close();
});

test('a reader sees what was written since, also where the file has grown', async () => {
  const path = freshPath();
  const writer = await HistoryFile.open(path, { most: 64 * MIB, warn: silent });
  await writer.write({ blocks: blocks(0, 1), messages: none });
  const reader = await HistoryFile.openForReading(path);
  assert.equal((await serialsIn(reader)).length, 1);
  for (let round = 1; round <= 20; round++) {
    await writer.write({ blocks: blocks(100 * round, 100, 1000), messages: none });
    assert.equal((await serialsIn(reader)).length, 1 + 100 * round);
  }
  await reader.close();
  await writer.close();
});

test('whoever is in the way is told of, and nothing was written then', async () => {
  const path = freshPath();
  const file = await HistoryFile.open(path, { most: 64 * MIB, warn: silent, patienceMs: 1 });
  const other = await open(path, 'r');
  const held = await lock(other.fd, 'shared');
  const write = (): Promise<void> => file.write({ blocks: blocks(0, 1), messages: none });
  await assertRejects(write(), 'HISTORY_LOCKED', path);
  assert.deepEqual(await serialsIn(file), []);
  await assertRejects(
    HistoryFile.open(path, { most: 64 * MIB, warn: silent, patienceMs: 1 }),
    'HISTORY_LOCKED',
    path,
  );
  held.release();
  await write();
  assert.deepEqual(await serialsIn(file), [0]);
  await other.close();
  await file.close();
});

test('one that ended the program when it was opened is moved away, but not while somebody else opens it', async () => {
  const path = freshPath();
  const file = await HistoryFile.open(path, { most: 64 * MIB, warn: silent });
  await file.write({ blocks: blocks(0, 1), messages: none });
  const other = await open(path, 'r');
  const held = await lock(other.fd, 'shared');
  const opening = HistoryFile.open(path, { most: 64 * MIB, warn: silent });
  await assertRejects(
    HistoryFile.open(path, { most: 64 * MIB, warn: silent, patienceMs: 1 }),
    'HISTORY_LOCKED',
    path,
  );
  held.release();
  const second = await opening;
  assert.deepEqual(await serialsIn(second), [0]);
  await second.close();
  // As a crash leaves it.
  writeFileSync(`${path}-opening`, '');
  const warnings: string[] = [];
  const fresh = await HistoryFile.open(path, {
    most: 64 * MIB,
    warn: text => void warnings.push(text),
  });
  assert.match(warnings.join('\n'), /-damaged$/);
  assert.deepEqual([file.isReplaced, fresh.isReplaced], [true, false]);
  assert.deepEqual(await serialsIn(fresh), []);
  for (const one of [file, fresh]) await one.close();
  await other.close();
});

test('a commit that fails is one error with its reason, nothing else is printed, and nothing ends the program', () => {
  const child = join(import.meta.dirname, 'failing-child.js');
  const args = ['-c', 'ulimit -f 64; exec "$@"', '-', process.execPath, child, freshPath()];
  const { status, stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, 10);
  for (const line of lines)
    assert.match(line, /^HISTORY(_FULL)? .*\((EIO|EFBIG)\); .*grants go on/);
});
