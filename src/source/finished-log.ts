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
import type { BlockLines, Reading } from '../line/block-lines.ts';
import { MAX_LINE } from '../line/length.ts';
import type { Line } from '../line/prefix.ts';
import { Spans } from '../line/spans.ts';

const BLOCK = 256 * 1024;
const NEWLINE = 10;
/** More lines than a block has, unless they are very short. */
const MAX_BATCH = 4096;

/** What a part of the log has brought; to be read before the next one is asked for. */
export interface Batch {
  /** How many lines may matter. */
  readonly size: number;
  /** @param line which of these, from 0, in this order and once */
  line(line: number): Line;
  /** The number of a line in the log, from 1. */
  number(line: number): number;
  /** A line as it was written, as latin1. */
  text(line: number): string;
  /** What the last line that was gone through says, whosever it is; to be asked after all others. */
  last(): Line;
}

export interface FinishedLog {
  /** To be walked through once. */
  batches(reading: Reading): AsyncIterable<Batch>;
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
  if (path === '-') return new ByteLog(path, streamReader(process.stdin), Date.now());
  const fd = openForReading(path);
  return new ByteLog(path, fileReader(fd), fstatSync(fd).mtimeMs);
}

/** Puts the next bytes into a buffer, and tells how many there were; none at the end. */
type Reader = (into: Buffer) => number | Promise<number>;

class ByteLog implements FinishedLog {
  readonly modified: EpochSeconds;
  readonly #path: string;
  readonly #read: Reader;
  /** One buffer for the whole log: what a block held has been decoded before the next one is read. */
  readonly #buffer = Buffer.allocUnsafe(BLOCK);
  readonly #spans = new Spans(MAX_BATCH);
  /** The end of a line that is too long is being looked for. */
  #skipping = false;
  #lines = 0;
  #tooLong = 0;

  constructor(path: string, read: Reader, modifiedMs: number) {
    this.modified = epoch(modifiedMs / 1000);
    this.#path = path;
    this.#read = read;
  }

  lines(): number {
    return this.#lines;
  }

  tooLong(): number {
    return this.#tooLong;
  }

  async *batches(reading: Reading): AsyncGenerator<Batch> {
    const buffer = this.#buffer;
    /** Bytes at the front of the buffer: the beginning of a line whose end has not been read. */
    let rest = 0;
    for (let count = await this.#fill(0); count > 0; count = await this.#fill(rest)) {
      const length = rest + count;
      const end = buffer.lastIndexOf(NEWLINE, length - 1) + 1;
      if (end > 0) {
        const start = this.#skipping ? buffer.indexOf(NEWLINE) + 1 : 0;
        this.#skipping = false;
        yield* this.#sift(reading, start, end);
      }
      rest = this.#keep(end, length);
    }
    if (rest === 0) return;
    buffer[rest] = NEWLINE;
    yield* this.#sift(reading, 0, rest + 1);
  }

  async #fill(rest: number): Promise<number> {
    try {
      return await this.#read(this.#buffer.subarray(rest));
    } catch (error) {
      throw failure('LOG_UNREADABLE', { path: this.#path, reason: reasonOf(error) }, error);
    }
  }

  /** Moves the beginning of a line to the front, unless it is too long already; returns its length. */
  #keep(from: number, to: number): number {
    if (this.#skipping) return 0;
    if (to - from <= MAX_LINE) {
      this.#buffer.copyWithin(0, from, to);
      return to - from;
    }
    this.#skipping = true;
    this.#tooLong++;
    this.#lines++;
    return 0;
  }

  *#sift({ sieve, lines }: Reading, start: number, end: number): Generator<Batch> {
    const spans = this.#spans;
    for (let from = start; from < end; ) {
      spans.clear();
      const sieved = sieve.sift(this.#buffer, from, end, spans);
      const batch = new BlockBatch(this.#buffer, spans, lines, this.#lines + 1, sieved.end);
      this.#lines += sieved.lines;
      this.#tooLong += sieved.tooLong;
      from = sieved.end;
      yield batch;
    }
  }
}

class BlockBatch implements Batch {
  readonly #block: Buffer;
  readonly #spans: Spans;
  readonly #lines: BlockLines;
  /** The number of the first line in the log. */
  readonly #first: number;
  /** Behind the last line. */
  readonly #end: number;

  constructor(block: Buffer, spans: Spans, lines: BlockLines, first: number, end: number) {
    this.#block = block;
    this.#spans = spans;
    this.#lines = lines;
    this.#first = first;
    this.#end = end;
  }

  get size(): number {
    return this.#spans.size;
  }

  line(line: number): Line {
    return this.#lines.line(this.#block, this.#spans.get(line));
  }

  number(line: number): number {
    return this.#first + this.#spans.get(line).index;
  }

  text(line: number): string {
    const { from, to } = this.#spans.get(line);
    return this.#block.toString('latin1', from, to);
  }

  last(): Line {
    const end = this.#end - 1;
    const from = end === 0 ? 0 : this.#block.lastIndexOf(NEWLINE, end - 1) + 1;
    return this.#lines.whole(this.#block, from, Math.min(end, from + MAX_LINE));
  }
}

/** Synchronous: a stream's events cost more than the reading. */
function fileReader(fd: number): Reader {
  return into => {
    const count = readSync(fd, into, 0, into.length, null);
    if (count === 0) closeSync(fd);
    return count;
  };
}

function streamReader(stream: AsyncIterable<Buffer>): Reader {
  const chunks = stream[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0);
  return async into => {
    while (chunk.length === 0) {
      const next = await chunks.next();
      if (next.done === true) return 0;
      chunk = next.value;
    }
    const count = chunk.copy(into);
    chunk = chunk.subarray(count);
    return count;
  };
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
