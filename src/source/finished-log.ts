/**
 * A finished log, read from its beginning to its end as fast as it can be dealt with.
 *
 * Promises: whole blocks of bytes are looked at, and only the lines that may be a known program's are decoded
 * (line/sieve.ts); memory does not grow with the log; lines that are too long and the end of the log are dealt with
 * as sifter.ts says.  A file that is compressed is unpacked on the way, whatever its name; what is no text is refused,
 * since "no logins" would be a wrong answer.
 */
import { closeSync, fstatSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { Failure, failure, reasonOf } from '../base/errors.ts';
import type { BlockLines, Reading, SeenLine } from '../line/block-lines.ts';
import { MAX_LINE } from '../line/length.ts';
import type { Line } from '../line/prefix.ts';
import type { Sieve } from '../line/sieve.ts';
import { openForReading, piecesOf, requireLog, requireText } from './readable-log.ts';
import { fileReader, type Reader, type Sifted, sift } from './sifter.ts';
import { siftInThread } from './sifter-thread.ts';

const NEWLINE = 10;
/** What a thread pays for: starting it takes as long as some 16 MiB of log do. */
const LARGE_BYTES = 32 * 1024 * 1024;

/** What a part of the log has brought; to be read before the next one is asked for. */
export interface Batch {
  /** How many lines may matter. */
  readonly size: number;
  /** @param line which of these, from 0, in this order and once */
  line(line: number): Line | null;
  /** The same where its message has been looked at already, for as long as the next part is not asked for; null otherwise. */
  seen(line: number): SeenLine | null;
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
  /** In bytes; null when it is no regular file, or is compressed. */
  readonly size: number | null;
  /** Bytes gone through so far, but for those of lines that are too long. */
  bytes(): number;
  /** Lines read so far. */
  lines(): number;
  /** Lines of more than MAX_LINE bytes so far, which were skipped. */
  tooLong(): number;
  /** When it had last been written to, at the latest read: no line is younger, and it tells the year of stamps without. */
  readonly modified: EpochSeconds;
}

/**
 * @param path `-` is standard input, last written to now
 * @throws Failure LOG_MISSING, LOG_UNREADABLE, LOG_DIRECTORY, LOG_BINARY, LOG_PACKED
 */
export function openFinishedLog(path: string): FinishedLog {
  if (path === '-')
    return streamLog(path, requireText('standard input', streamReader(process.stdin)));
  const fd = openForReading(path);
  const status = fstatSync(fd);
  const packing = status.isFile() ? requireLog(path, fd) : null;
  const size = status.isFile() && packing === null ? status.size : null;
  const isLarge = size !== null && size >= LARGE_BYTES && availableParallelism() > 1;
  const modifiedMs = (): number => fstatSync(fd).mtimeMs;
  const blocksOf = (sieve: Sieve): AsyncGenerator<Sifted> => {
    if (isLarge) return closing(fd, siftInThread(fd, sieve));
    if (packing !== null)
      return closing(fd, sift(streamReader(piecesOf(path, fd, packing)), sieve));
    const read = fileReader(fd);
    return closing(fd, sift(status.isFile() ? read : requireText(path, read), sieve));
  };
  return new BlockLog(path, modifiedMs, size, blocksOf);
}

/**
 * What comes by a stream, last written to now.
 *
 * @param name for errors
 */
export const streamLog = (name: string, read: Reader): FinishedLog =>
  new BlockLog(
    name,
    () => Date.now(),
    null,
    sieve => sift(read, sieve),
  );

async function* closing(fd: number, blocks: AsyncGenerator<Sifted>): AsyncGenerator<Sifted> {
  try {
    yield* blocks;
  } finally {
    closeSync(fd);
  }
}

class BlockLog implements FinishedLog {
  readonly size: number | null;
  readonly #path: string;
  readonly #sift: (sieve: Sieve) => AsyncIterable<Sifted>;
  readonly #modifiedMs: () => number;
  #modified: EpochSeconds;
  #bytes = 0;
  #lines = 0;
  #tooLong = 0;

  /** @param modifiedMs when it was last written to as of now, in milliseconds; asked while it is open */
  constructor(
    path: string,
    modifiedMs: () => number,
    size: number | null,
    blocksOf: (sieve: Sieve) => AsyncIterable<Sifted>,
  ) {
    this.size = size;
    this.#modifiedMs = modifiedMs;
    this.#modified = this.#lastChange();
    this.#path = path;
    this.#sift = blocksOf;
  }

  get modified(): EpochSeconds {
    return this.#modified;
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

  async *batches({ sieve, lines }: Reading): AsyncGenerator<Batch> {
    const blocks = this.#sift(sieve)[Symbol.asyncIterator]();
    try {
      for (
        let sifted = await this.#next(blocks);
        sifted !== null;
        sifted = await this.#next(blocks)
      ) {
        const { skipped, lines: count, tooLong, end } = sifted.content;
        this.#bytes += end;
        this.#tooLong += tooLong + Number(skipped);
        this.#lines += Number(skipped);
        if (skipped) lines.skipped();
        const batch = new BlockBatch(sifted, lines, this.#lines + 1);
        this.#lines += count;
        yield batch;
      }
    } finally {
      await blocks.return?.();
      sieve.memory.release();
    }
  }

  /** Rounded up, since the kernel's clock for files is a few milliseconds late. */
  #lastChange(): EpochSeconds {
    return epoch(Math.ceil(this.#modifiedMs() / 1000));
  }

  async #next(blocks: AsyncIterator<Sifted>): Promise<Sifted | null> {
    try {
      const { done, value } = await blocks.next();
      if (done === true) return null;
      // A log may be written to while it is read.
      this.#modified = this.#lastChange();
      return value;
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw failure('LOG_UNREADABLE', { path: this.#path, reason: reasonOf(error) }, error);
    }
  }
}

class BlockBatch implements Batch {
  readonly #sifted: Sifted;
  readonly #lines: BlockLines;
  /** The number of the first line in the log. */
  readonly #first: number;

  constructor(sifted: Sifted, lines: BlockLines, first: number) {
    this.#sifted = sifted;
    this.#lines = lines;
    this.#first = first;
  }

  get size(): number {
    return this.#sifted.block.spans.size;
  }

  line(line: number): Line | null {
    const { bytes, spans } = this.#sifted.block;
    return this.#lines.line(bytes, spans.get(line));
  }

  seen(line: number): SeenLine | null {
    const { bytes, spans } = this.#sifted.block;
    return this.#lines.seen(bytes, spans, line);
  }

  number(line: number): number {
    return this.#first + this.#sifted.block.spans.get(line).index;
  }

  text(line: number): string {
    const { bytes, spans } = this.#sifted.block;
    const { from, to } = spans.get(line);
    return bytes.toString('latin1', from, to);
  }

  last(): Line {
    const { block, content } = this.#sifted;
    if (content.lines === 0) return this.#lines.whole(block.bytes, 0, 0);
    const end = content.end - 1;
    const from = block.bytes.subarray(0, end).lastIndexOf(NEWLINE) + 1;
    return this.#lines.whole(block.bytes, from, Math.min(end, from + MAX_LINE));
  }
}

export function streamReader(stream: AsyncIterable<Buffer>): Reader {
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
