/**
 * Where the parts of some lines stand in a block of bytes: what the sieve finds, for who reads the lines.
 *
 * Numbers in one array and no objects, so that nothing is made for a line before it is known to matter, and so that
 * threads can share them.
 */

/** How many numbers there are for each line: those of Span, and that of its expression. */
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
  /** How many there are, then the numbers of each. */
  readonly #numbers: Int32Array;
  readonly #capacity: number;

  /** @param memory of so many bytes as `bytesFor` tells, of zeros or with spans in it */
  constructor(memory: ArrayBufferLike) {
    this.#numbers = new Int32Array(memory);
    this.#capacity = Math.floor((this.#numbers.length - 1) / WIDTH);
  }

  /** @param lines the most lines that there is to be room for */
  static bytesFor(lines: number): number {
    return Int32Array.BYTES_PER_ELEMENT * (1 + lines * WIDTH);
  }

  get size(): number {
    return this.#numbers[0] ?? 0;
  }

  get isFull(): boolean {
    return this.size === this.#capacity;
  }

  clear(): void {
    this.#numbers[0] = 0;
  }

  /** A line whose prefix the sieve understands; the parameters are as in Span. */
  add(
    index: number,
    from: number,
    to: number,
    program: number,
    host: number,
    tagEnd: number,
    message: number,
    second: number,
  ): void {
    const numbers = this.#numbers;
    const size = this.size;
    numbers[0] = size + 1;
    const at = 1 + size * WIDTH;
    numbers[at] = index;
    numbers[at + 1] = from;
    numbers[at + 2] = to;
    numbers[at + 3] = program;
    numbers[at + 4] = host;
    numbers[at + 5] = tagEnd;
    numbers[at + 6] = message;
    numbers[at + 7] = second;
  }

  /** Notes which expression describes the message of the line that was added last (message-matcher.ts). */
  describe(expression: number): void {
    this.#numbers[1 + (this.size - 1) * WIDTH + EXPRESSION] = expression;
  }

  /** Of a line whose program is known: the number of its expression, or a matcher's NONE or OPEN. */
  expression(line: number): number {
    return this.#numbers[1 + line * WIDTH + EXPRESSION] ?? 0;
  }

  /** A line whose prefix it does not understand. */
  addWhole(index: number, from: number, to: number): void {
    this.add(index, from, to, NO_PROGRAM, 0, 0, 0, 0);
  }

  /** A line of another program that is let through. */
  addStranger(index: number, from: number, to: number): void {
    this.add(index, from, to, STRANGER, 0, 0, 0, 0);
  }

  /** @param line which of them, from 0 */
  get(line: number): Span {
    const numbers = this.#numbers;
    const at = 1 + line * WIDTH;
    return {
      index: numbers[at] ?? 0,
      from: numbers[at + 1] ?? 0,
      to: numbers[at + 2] ?? 0,
      program: numbers[at + 3] ?? NO_PROGRAM,
      host: numbers[at + 4] ?? 0,
      tagEnd: numbers[at + 5] ?? 0,
      message: numbers[at + 6] ?? 0,
      second: numbers[at + 7] ?? 0,
    };
  }
}
