/**
 * Reads a log in blocks of whole lines, and finds the lines in them that may matter.
 *
 * Promises: every line is in exactly one block; a line of more than MAX_LINE bytes is skipped and counted; a last
 * line without an end is a line; memory does not grow with the log.
 * Leaves to others: in which thread that happens (sifter-thread.ts), and what is made of the lines.
 */
import { readSync } from 'node:fs';
import { MAX_LINE } from '../line/length.ts';
import type { Block } from '../line/scan-memory.ts';
import type { Sieve } from '../line/sieve.ts';

const NEWLINE = 10;
const BLOCK_BYTES = 256 * 1024;
/** More lines than matter in any block, unless they are very short; what follows them waits for the next one. */
const MAX_SPANS = 4096;

/** Makes room for one more block. */
export const addBlock = ({ memory }: Sieve): Block => memory.addBlock(BLOCK_BYTES, MAX_SPANS);

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
  async next(block: Block): Promise<Content | null> {
    const { bytes, spans } = block;
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
      if (count === 0) return this.#last(block, length);
      length += count;
      end = bytes.subarray(0, length).lastIndexOf(NEWLINE) + 1;
    }
    return this.#sift(block, end, length);
  }

  #sift(block: Block, end: number, length: number): Content {
    const { bytes } = block;
    const skipped = this.#skipping;
    this.#skipping = false;
    const start = skipped ? bytes.indexOf(NEWLINE) + 1 : 0;
    const sieved = this.#sieve.sift(block, start, end);
    this.#restLength = bytes.copy(this.#rest, 0, sieved.end, length);
    return { skipped, ...sieved };
  }

  /** @param length of the line that has no end */
  #last(block: Block, length: number): Content | null {
    if (!this.#skipping && length === 0) return null;
    block.bytes[length] = NEWLINE;
    return this.#sift(block, length + 1, length + 1);
  }
}

/** All blocks of a log, one in the place of the other. */
export async function* sift(read: Reader, sieve: Sieve): AsyncGenerator<Sifted> {
  const block = addBlock(sieve);
  const sifter = new Sifter(read, sieve);
  for (;;) {
    const content = await sifter.next(block);
    if (content === null) return;
    yield { block, content };
  }
}
