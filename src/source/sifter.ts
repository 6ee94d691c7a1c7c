/**
 * Reads a log in blocks of whole lines, and finds the lines in them that may matter.
 *
 * Promises: every line is in exactly one block; a line of more than MAX_LINE bytes is skipped and counted; a last
 * line without an end is a line; memory does not grow with the log.
 * Leaves to others: in which thread that happens (sifter-thread.ts), and what is made of the lines.
 */
import { readSync } from 'node:fs';
import { MAX_LINE } from '../line/length.ts';
import type { Sieve } from '../line/sieve.ts';
import { Spans } from '../line/spans.ts';

const NEWLINE = 10;
const BLOCK_BYTES = 256 * 1024;
/** More lines than matter in any block, unless they are very short; what follows them waits for the next one. */
const MAX_SPANS = 4096;

/** The memory of a block, which threads may share. */
export interface BlockMemory {
  readonly bytes: ArrayBufferLike;
  readonly spans: ArrayBufferLike;
}

/** @param make what makes the memory, of so many bytes */
export const blockMemory = (make: (bytes: number) => ArrayBufferLike): BlockMemory => ({
  bytes: make(BLOCK_BYTES),
  spans: make(Spans.bytesFor(MAX_SPANS)),
});

/** A block of a log to look at. */
export class Block {
  readonly bytes: Buffer;
  readonly spans: Spans;

  constructor({ bytes, spans }: BlockMemory) {
    this.bytes = Buffer.from(bytes);
    this.spans = new Spans(spans);
  }
}

/** What a block holds, besides the spans of the lines that may matter. */
export interface Content {
  /** Whether a line that is too long came before its first one. */
  readonly skipped: boolean;
  /** Lines in it, whether they matter or not. */
  readonly lines: number;
  /** Lines among them that are too long. */
  readonly tooLong: number;
  /** Behind its last line. */
  readonly end: number;
}

/** A block, and what it holds until the next one is asked for. */
export interface Sifted {
  readonly block: Block;
  readonly content: Content;
}

/** Puts the next bytes into a buffer, and tells how many there were; none at the end. */
export type Reader = (into: Buffer) => number | Promise<number>;

/** Synchronous: a stream's events cost more than the reading. */
export const fileReader =
  (fd: number): Reader =>
  into =>
    readSync(fd, into, 0, into.length, null);

export class Sifter {
  readonly #read: Reader;
  readonly #sieve: Sieve;
  /** What followed the last block's lines. */
  readonly #rest = Buffer.allocUnsafe(BLOCK_BYTES);
  #restLength = 0;
  /** The end of a line that is too long is being looked for. */
  #skipping = false;

  constructor(read: Reader, sieve: Sieve) {
    this.#read = read;
    this.#sieve = sieve;
  }

  /**
   * Fills a block with the next lines.
   *
   * @returns null at the end of the log
   * @throws what the reader throws
   */
  async next({ bytes, spans }: Block): Promise<Content | null> {
    spans.clear();
    let length = this.#rest.copy(bytes, 0, 0, this.#restLength);
    this.#restLength = 0;
    let end = bytes.subarray(0, length).lastIndexOf(NEWLINE) + 1;
    while (end === 0) {
      if (length > MAX_LINE || this.#skipping) {
        this.#skipping = true;
        length = 0;
      }
      const count = await this.#read(bytes.subarray(length));
      if (count === 0) return this.#last(bytes, spans, length);
      length += count;
      end = bytes.subarray(0, length).lastIndexOf(NEWLINE) + 1;
    }
    return this.#sift(bytes, spans, end, length);
  }

  #sift(bytes: Buffer, spans: Spans, end: number, length: number): Content {
    const skipped = this.#skipping;
    this.#skipping = false;
    const start = skipped ? bytes.indexOf(NEWLINE) + 1 : 0;
    const sieved = this.#sieve.sift(bytes, start, end, spans);
    this.#restLength = bytes.copy(this.#rest, 0, sieved.end, length);
    return { skipped, ...sieved };
  }

  /** @param length of the line that has no end */
  #last(bytes: Buffer, spans: Spans, length: number): Content | null {
    if (!this.#skipping && length === 0) return null;
    bytes[length] = NEWLINE;
    return this.#sift(bytes, spans, length + 1, length + 1);
  }
}

/** All blocks of a log, one in the place of the other. */
export async function* sift(read: Reader, sieve: Sieve): AsyncGenerator<Sifted> {
  const block = new Block(blockMemory(bytes => new ArrayBuffer(bytes)));
  const sifter = new Sifter(read, sieve);
  for (;;) {
    const content = await sifter.next(block);
    if (content === null) return;
    yield { block, content };
  }
}
