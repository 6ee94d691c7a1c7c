/**
 * A log whose end is looked at, with real files: what is added comes, whatever happens to the file.
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Failure } from '../../src/base/errors.ts';
import { MAX_LINE } from '../../src/line/length.ts';
import { Tail } from '../../src/source/tail.ts';
import { waitFor } from '../real/wait.ts';

let root: string;
let log: string;
let tail: Tail | null;
let lines: string[];
/** Of what it tells besides lines. */
let told: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'popbsmtp-tail-'));
  log = join(root, 'mail.log');
  tail = null;
  lines = [];
  told = [];
});
afterEach(() => {
  tail?.end();
  rmSync(root, { recursive: true });
});

function open(path = log): Tail {
  tail = new Tail(path, {
    lines: more => void lines.push(...more),
    following: () => void told.push('following'),
    waiting: reason => void told.push(`waiting: ${reason}`),
  });
  return tail;
}

const waitForTold = (what: string, times = 1): Promise<true> =>
  waitFor(
    `${times} times ${what}`,
    () => told.filter(one => one === what).length >= times && true,
    {
      seen: () => told.join('\n'),
    },
  );

const waitForLine = (line: string): Promise<true> =>
  waitFor(`the line ${line}`, () => lines.includes(line) && true, { seen: () => lines.join('\n') });

/** A log that is there, and is being followed. */
async function follow(): Promise<Tail> {
  writeFileSync(log, 'before\n');
  const opened = open();
  await waitForTold('following');
  return opened;
}

describe('the end of a log', () => {
  test('what is added comes, and nothing that was there', async () => {
    await follow();
    appendFileSync(log, 'one\ntw');
    await waitForLine('one');
    appendFileSync(log, 'o\n\nthree\n');
    await waitForLine('three');
    assert.deepEqual(lines, ['one', 'two', '', 'three']);
  });

  test('bytes that are not UTF-8 are a character each', async () => {
    await follow();
    appendFileSync(log, Buffer.from([0xc3, 0xa9, 0xff, 10]));
    await waitForLine('\xc3\xa9\xff');
  });

  test('a line that is too long is an empty one, counted, and not held', async () => {
    const opened = await follow();
    const part = 'x'.repeat(MAX_LINE);
    for (let count = 0; count < 20; count++) appendFileSync(log, part);
    appendFileSync(log, 'x\nnext\n');
    await waitForLine('next');
    assert.deepEqual(lines, ['', 'next']);
    assert.equal(opened.tooLong, 1);
  });

  test('after the end nothing comes', async () => {
    const opened = await follow();
    appendFileSync(log, 'one\n');
    opened.end();
    const other = open();
    await waitForTold('following', 2);
    appendFileSync(log, 'two\n');
    await waitForLine('two');
    other.end();
    assert.deepEqual(
      lines.filter(line => line === 'two'),
      ['two'],
    );
  });
});

describe('rotation', () => {
  test('by renaming: the rest of the old file, then the new one from its beginning', async () => {
    await follow();
    appendFileSync(log, 'one\n');
    renameSync(log, `${log}.1`);
    appendFileSync(`${log}.1`, 'two\n');
    await waitForLine('two');
    writeFileSync(log, 'three\n');
    await waitForLine('three');
    appendFileSync(log, 'four\n');
    await waitForLine('four');
    assert.deepEqual(lines, ['one', 'two', 'three', 'four']);
  });

  test('by copying and emptying', async () => {
    await follow();
    appendFileSync(log, 'one\n');
    await waitForLine('one');
    copyFileSync(log, `${log}.1`);
    truncateSync(log);
    await waitForTold('following', 2);
    appendFileSync(log, 'two\n');
    await waitForLine('two');
    assert.deepEqual(lines, ['one', 'two']);
  });

  test('half a line at the end of the old file is no part of the new one', async () => {
    await follow();
    appendFileSync(log, 'one\nhal');
    await waitForLine('one');
    renameSync(log, `${log}.1`);
    writeFileSync(log, 'two\n');
    await waitForLine('two');
    assert.deepEqual(lines, ['one', 'two']);
  });
});

describe('a file that is not there', () => {
  test('is waited for, and read from its beginning', async () => {
    open();
    await waitForTold('waiting: null');
    writeFileSync(log, 'one\n');
    await waitForLine('one');
    assert.deepEqual(told, ['waiting: null', 'following']);
  });

  test('is not looked for in packed files', async () => {
    writeFileSync(`${log}.1.gz`, 'no such format\n');
    open();
    await waitForTold('waiting: null');
    writeFileSync(log, 'one\n');
    await waitForLine('one');
    assert.deepEqual(lines, ['one']);
  });

  test('has a directory, or is an error', () => {
    assert.throws(
      () => open(join(root, 'none', 'mail.log')),
      error => error instanceof Failure && error.code === 'LOG_UNREADABLE',
    );
  });
});

test('a log behind a symbolic link into another directory is followed too', async () => {
  const elsewhere = join(root, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'real.log'), 'before\n');
  symlinkSync(join(elsewhere, 'real.log'), log);
  open();
  await waitForTold('following');
  appendFileSync(join(elsewhere, 'real.log'), 'one\n');
  await waitForLine('one');
});
