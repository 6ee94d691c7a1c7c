/**
 * A finished log, read from its beginning to its end as fast as it can be dealt with.
 *
 * Promises: whole blocks of bytes are looked at, and only the lines that may be a known program's are decoded
 * (line/sieve.ts); memory does not grow with the log; a line of more than MAX_LINE bytes is skipped and counted; a
 * last line without an end is a line.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type EpochSeconds, epoch } from '../clock.ts';
import { errnoOf, failure, reasonOf } from '../errors.ts';
import type { Sieve } from '../line/sieve.ts';
import { MAX_LINE } from './splitter.ts';

const BLOCK = 256 * 1024;
const NEWLINE = 10;
const EMPTY = Buffer.alloc(0);

/** What one block of the log has brought. */
export interface Batch {
  /** Lines that may matter, as latin1. */
  readonly lines: readonly string[];
  /** Their numbers in the log, from 1. */
  readonly numbers: readonly number[];
  /** The block's last line, which may matter for its stamp. */
  readonly last: string;
}

export interface FinishedLog {
  /** To be walked through once. */
  batches(sieve: Sieve): AsyncIterable<Batch>;
  /** Lines read so far. */
  lines(): number;
  /** Lines of more than MAX_LINE bytes so far, which were skipped. */
  tooLong(): number;
  /** When it was last written to, which tells the year of stamps that have none. */
  readonly modified: EpochSeconds;
}

/**
 * @param path `-` is standard input, last written to now
 * @throws Failure LOG_MISSING, LOG_UNREADABLE
 */
export function openFinishedLog(path: string): FinishedLog {
  if (path === '-') return new ByteLog(path, chunksOf(process.stdin), Date.now());
  const fd = openForReading(path);
  return new ByteLog(path, chunksOfFile(fd), fstatSync(fd).mtimeMs);
}

class ByteLog implements FinishedLog {
  readonly modified: EpochSeconds;
  readonly #path: string;
  readonly #chunks: AsyncIterable<Buffer>;
  /** The beginning of a line whose end has not been read. */
  #rest: Buffer = EMPTY;
  /** The end of a line that is too long is being looked for. */
  #skipping = false;
  #lines = 0;
  #tooLong = 0;

  constructor(path: string, chunks: AsyncIterable<Buffer>, modifiedMs: number) {
    this.modified = epoch(modifiedMs / 1000);
    this.#path = path;
    this.#chunks = chunks;
  }

  lines(): number {
    return this.#lines;
  }

  tooLong(): number {
    return this.#tooLong;
  }

  async *batches(sieve: Sieve): AsyncGenerator<Batch> {
    try {
      yield* this.#read(sieve);
    } catch (error) {
      throw failure('LOG_UNREADABLE', { path: this.#path, reason: reasonOf(error) }, error);
    }
  }

  async *#read(sieve: Sieve): AsyncGenerator<Batch> {
    for await (const chunk of this.#chunks) {
      const block = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
      const end = block.lastIndexOf(NEWLINE) + 1;
      if (end > 0) {
        const start = this.#skipping ? block.indexOf(NEWLINE) + 1 : 0;
        this.#skipping = false;
        yield this.#sift(sieve, block, start, end);
      }
      this.#keep(block.subarray(end));
    }
    const last = Buffer.concat([this.#rest, Buffer.from('\n')]);
    if (last.length > 1) yield this.#sift(sieve, last, 0, last.length);
  }

  /** Keeps the beginning of a line for the next chunk, unless the line is too long already. */
  #keep(rest: Buffer): void {
    this.#rest = EMPTY;
    if (this.#skipping) return;
    if (rest.length <= MAX_LINE) {
      this.#rest = Buffer.from(rest);
      return;
    }
    this.#skipping = true;
    this.#tooLong++;
    this.#lines++;
  }

  #sift(sieve: Sieve, block: Buffer, start: number, end: number): Batch {
    const lines: string[] = [];
    const numbers: number[] = [];
    const before = this.#lines + 1;
    const sieved = sieve.sift(block, start, end, (text, index) => {
      lines.push(text);
      numbers.push(before + index);
    });
    this.#lines += sieved.lines;
    this.#tooLong += sieved.tooLong;
    const last = block.lastIndexOf(NEWLINE, end - 2) + 1;
    return {
      lines,
      numbers,
      last: block.toString('latin1', last, Math.min(end - 1, last + MAX_LINE)),
    };
  }
}

async function* chunksOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* stream;
}

/** Synchronous reads into a buffer of its own for each: a stream's events cost more than the reading. */
async function* chunksOfFile(fd: number): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(BLOCK);
      const count = readSync(fd, buffer, 0, BLOCK, null);
      if (count === 0) return;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}

/** @throws Failure LOG_MISSING, LOG_UNREADABLE */
export function openForReading(path: string): number {
  const fd = openOrFail(path);
  if (!fstatSync(fd).isDirectory()) return fd;
  closeSync(fd);
  throw failure('LOG_UNREADABLE', { path, reason: 'it is a directory' });
}

function openOrFail(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw failure('LOG_MISSING', { path }, error);
    throw failure('LOG_UNREADABLE', { path, reason: reasonOf(error) }, error);
  }
}
