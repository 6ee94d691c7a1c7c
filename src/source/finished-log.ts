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
import { MAX_LINE } from '../line/length.ts';
import type { Sieve } from '../line/sieve.ts';

const BLOCK = 256 * 1024;
const NEWLINE = 10;

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
  /** In bytes; null when it is no regular file. */
  readonly size: number | null;
  /** Bytes read so far. */
  bytes(): number;
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
  if (path === '-') return new ByteLog(path, streamReader(process.stdin), Date.now(), null);
  const fd = openForReading(path);
  const status = fstatSync(fd);
  return new ByteLog(path, fileReader(fd), status.mtimeMs, status.isFile() ? status.size : null);
}

/** Puts the next bytes into a buffer, and tells how many there were; none at the end. */
type Reader = (into: Buffer) => number | Promise<number>;

class ByteLog implements FinishedLog {
  readonly modified: EpochSeconds;
  readonly size: number | null;
  readonly #path: string;
  readonly #read: Reader;
  /** One buffer for the whole log: what a block held has been decoded before the next one is read. */
  readonly #buffer = Buffer.allocUnsafe(BLOCK);
  /** The end of a line that is too long is being looked for. */
  #skipping = false;
  #bytes = 0;
  #lines = 0;
  #tooLong = 0;

  constructor(path: string, read: Reader, modifiedMs: number, size: number | null) {
    this.size = size;
    this.modified = epoch(modifiedMs / 1000);
    this.#path = path;
    this.#read = read;
  }

  bytes(): number {
    return this.#bytes;
  }

  lines(): number {
    return this.#lines;
  }

  tooLong(): number {
    return this.#tooLong;
  }

  async *batches(sieve: Sieve): AsyncGenerator<Batch> {
    const buffer = this.#buffer;
    /** Bytes at the front of the buffer: the beginning of a line whose end has not been read. */
    let rest = 0;
    for (let count = await this.#fill(0); count > 0; count = await this.#fill(rest)) {
      const length = rest + count;
      const end = buffer.lastIndexOf(NEWLINE, length - 1) + 1;
      if (end > 0) {
        const start = this.#skipping ? buffer.indexOf(NEWLINE) + 1 : 0;
        this.#skipping = false;
        yield this.#sift(sieve, start, end);
      }
      rest = this.#keep(end, length);
    }
    if (rest === 0) return;
    buffer[rest] = NEWLINE;
    yield this.#sift(sieve, 0, rest + 1);
  }

  async #fill(rest: number): Promise<number> {
    try {
      const count = await this.#read(this.#buffer.subarray(rest));
      this.#bytes += count;
      return count;
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

  #sift(sieve: Sieve, start: number, end: number): Batch {
    const block = this.#buffer;
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
