import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/errors.ts';
import { MAX_LINE } from '../../src/line/length.ts';
import { type Line, parseLine } from '../../src/line/prefix.ts';
import type { Sieve } from '../../src/line/sieve.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { openFinishedLog } from '../../src/source/finished-log.ts';
import { remedyFor } from '../../src/source/readable-log.ts';
import { fileReader, type Sifted, sift } from '../../src/source/sifter.ts';
import { siftInThread } from '../../src/source/sifter-thread.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });
const NOW = epoch(1_795_000_000);

const sieve = (): Sieve => new Recogniser(registry, new StampReader(() => NOW)).reading(0).sieve;

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'mail.log');

/** What a log comes to: how many lines, how many too long, and those of known programs with their numbers. */
interface Read {
  readonly lines: number;
  readonly tooLong: number;
  readonly known: readonly (readonly [number, Line])[];
}

/** The plain way: all of it as one text, cut into lines, each of them parsed. */
function readPlainly(text: string): Read {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const stamps = new StampReader(() => NOW);
  const parsed = lines.map(line => parseLine(line, stamps, registry));
  return {
    lines: lines.length,
    tooLong: lines.filter(({ length }) => length > MAX_LINE).length,
    known: parsed
      .map((line, index) => [index + 1, line] as const)
      .filter((_, index) => (lines[index]?.length ?? 0) <= MAX_LINE)
      .filter(([, { program }]) => program !== null && registry.program(program) !== null),
  };
}

async function readInBlocks(): Promise<Read> {
  const log = openFinishedLog(path);
  const recogniser = new Recogniser(registry, new StampReader(() => NOW));
  const known: [number, Line][] = [];
  for await (const batch of log.batches(recogniser.reading())) {
    for (let index = 0; index < batch.size; index++) {
      const line = batch.line(index);
      const program = line?.program ?? null;
      if (line !== null && program !== null && registry.program(program) !== null)
        known.push([batch.number(index), line]);
    }
  }
  return { lines: log.lines(), tooLong: log.tooLong(), known };
}

async function blocksOf(blocks: AsyncIterable<Sifted>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const { block, content } of blocks) {
    const spans = Array.from({ length: block.spans.size }, (_, index) => block.spans.get(index));
    all.push({ content, spans, text: block.bytes.toString('latin1', 0, content.end) });
  }
  return all;
}

async function both(): Promise<[unknown[], unknown[]]> {
  const [one, other] = [openSync(path, 'r'), openSync(path, 'r')];
  try {
    const here = await blocksOf(sift(fileReader(one), sieve()));
    return [here, await blocksOf(siftInThread(other, sieve()))];
  } finally {
    closeSync(one);
    closeSync(other);
  }
}

/** Texts of many lines, with what makes blocks end in odd places. */
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constant('2026-11-23T00:53:00.1Z mx dovecot: imap-login: hello\n') },
  { weight: 2, arbitrary: fc.constant('Nov 23 00:53:00 mx postfix/smtpd[9]: connect\n') },
  fc.constant('\n'),
  fc.constant('\n'.repeat(5000)),
  fc.constant('no end'),
  fc.integer({ min: -1, max: 1 }).map(more => `${'x'.repeat(MAX_LINE + more)}\n`),
  fc.constant('y'.repeat(300_000)),
  fc.constant(`${'Nov 23 00:53:00 mx imapd: hello, world\n'.repeat(7000)}`),
);
const text = fc.array(piece, { maxLength: 12 }).map(pieces => pieces.join(''));

test('in blocks, the lines are those of the whole text', async () => {
  await fc.assert(
    fc.asyncProperty(text, async content => {
      writeFileSync(path, content, 'latin1');
      assert.deepEqual(await readInBlocks(), readPlainly(content));
    }),
    { numRuns: 150 },
  );
});

test('in a thread, the blocks are the same', async () => {
  await fc.assert(
    fc.asyncProperty(text, async content => {
      writeFileSync(path, content, 'latin1');
      const [here, inThread] = await both();
      assert.deepEqual(inThread, here);
    }),
    { numRuns: 15 },
  );
});

describe('a thread', () => {
  test('tells what reading fails with', async () => {
    const fd = openSync(directory, 'r');
    try {
      await assert.rejects(blocksOf(siftInThread(fd, sieve())), /EISDIR/);
    } finally {
      closeSync(fd);
    }
  });

  test('ends when nobody wants more', async () => {
    writeFileSync(path, 'Nov 23 00:53:00 mx imapd: hello\n'.repeat(100_000));
    const fd = openSync(path, 'r');
    try {
      for await (const { content } of siftInThread(fd, sieve())) {
        assert.ok(content.lines > 0);
        break;
      }
    } finally {
      closeSync(fd);
    }
  });
});

test('what a batch ends with is its last line, whosever that is', async () => {
  writeFileSync(path, 'Nov 23 00:53:00 mx imapd: hello\nNov 23 00:53:07 mx cron: bye\n');
  const recogniser = new Recogniser(registry, new StampReader(() => NOW));
  const ends: (string | null)[] = [];
  for await (const batch of openFinishedLog(path).batches(recogniser.reading())) {
    ends.push(batch.last().program);
  }
  assert.deepEqual(ends, ['cron']);
});

test('a directory is no matter of permissions, and that of the journal is no file to watch', () => {
  const hintFor = (name: string): string => {
    try {
      openFinishedLog(name);
    } catch (error) {
      if (error instanceof Failure && error.code === 'LOG_DIRECTORY') return error.hint;
    }
    return '';
  };
  assert.equal(hintFor(directory), 'name the log of the POP3/IMAP server in it');
  assert.equal(remedyFor('/run/log/journal'), remedyFor('/var/log/journal/'));
  assert.match(remedyFor('/var/log/journal'), /--watchlog journal$/);
  assert.doesNotMatch(remedyFor('/var/log/journals'), /--watchlog/);
});
