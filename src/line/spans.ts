/**
 * Where the parts of some lines stand in a block of bytes: what the sieve finds, for who reads the lines.
 *
 * Numbers in one array and no objects, so that nothing is made for a line before it is known to matter, and so that
 * threads can share them.
 */

/** Which number of a line is what, as in Span and `expression`. */
const FROM = 1;
const TO = 2;
const PROGRAM = 3;
const HOST = 4;
const TAG_END = 5;
const MESSAGE = 6;
const SECOND = 7;
const EXPRESSION = 8;
const WIDTH = EXPRESSION + 1;

/** What is known of one line; the parts of its prefix only where `program` is one. */
export interface Span {
  /** The line's number in its block, from 0. */
  readonly index: number;
  readonly from: number;
  /** Behind its last byte. */
  readonly to: number;
  /** Which of the sieve's programs its tag is. */
  readonly program: number;
  /** Where the host begins; a blank is before it and behind it. */
  readonly host: number;
  /** Behind the tag. */
  readonly tagEnd: number;
  readonly message: number;
  /** Changes from line to line where the stamp does, by more than its fraction. */
  readonly second: number;
}

/** Instead of a program: the prefix is none that the sieve understands. */
export const NO_PROGRAM = -1;
/** Instead of a program: it is none of the sieve's, and the line is one of those that are let through. */
export const STRANGER = -2;

/** Spans of up to a number of lines. */
export class Spans {
  /** Where they are in their memory. */
  readonly place: number;
  readonly capacity: number;
  /** How many there are, then the numbers of each. */
  readonly #numbers: Int32Array;

  /** @param memory that has `bytesFor` so many lines from `place` on, of zeros or with spans in it */
  constructor(memory: ArrayBufferLike, place: number, lines: number) {
    this.place = place;
    this.capacity = lines;
    this.#numbers = new Int32Array(memory, place, 1 + lines * WIDTH);
  }

  /** @param lines the most lines that there is to be room for */
  static bytesFor(lines: number): number {
    return Int32Array.BYTES_PER_ELEMENT * (1 + lines * WIDTH);
  }

  get size(): number {
    return this.#numbers[0] ?? 0;
  }

  clear(): void {
    this.#numbers[0] = 0;
  }

  /** Of a line whose program is known: the number of its expression, or a matcher's NONE or OPEN. */
  expression(line: number): number {
    return this.#numbers[1 + line * WIDTH + EXPRESSION] ?? 0;
  }

  /** @param line which of them, from 0 */
  get(line: number): Span {
    const numbers = this.#numbers;
    const at = 1 + line * WIDTH;
    return {
      index: numbers[at] ?? 0,
      from: numbers[at + FROM] ?? 0,
      to: numbers[at + TO] ?? 0,
      program: numbers[at + PROGRAM] ?? NO_PROGRAM,
      host: numbers[at + HOST] ?? 0,
      tagEnd: numbers[at + TAG_END] ?? 0,
      message: numbers[at + MESSAGE] ?? 0,
      second: numbers[at + SECOND] ?? 0,
    };
  }
}
