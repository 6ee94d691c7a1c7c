/**
 * Lines out of a block of bytes, where the sieve has told where their parts stand.
 *
 * Promises: a line is what the parser makes of its text (prefix.ts), at a third of the cost; the stamps are read in
 * the order of the lines.  But for a SeenLine, nothing that is handed out refers to the block, which may be used again.
 */
import type { EpochSeconds } from '../base/clock.ts';
import { OPEN } from './automaton.ts';
import { Pieces } from './pieces.ts';
import { type Beginnings, type Line, parseLine, present } from './prefix.ts';
import type { Sieve } from './sieve.ts';
import { NO_PROGRAM, type Span, type Spans, STRANGER } from './spans.ts';
import type { StampReader } from './stamp.ts';

/** What makes lines of the bytes of one log. */
export interface Reading {
  readonly sieve: Sieve;
  readonly lines: BlockLines;
}

/** A pid stands so behind the tag: `[123]:`. */
const BRACKET = 91;
const CLOSE = 93;

/** A line of a known program whose message has been looked at already (message-matcher.ts). */
export interface SeenLine {
  readonly program: string;
  /** The number of the expression of its program that describes it, or NONE. */
  readonly expression: number;
  /** The line itself, for as long as the block is not used again. */
  whole(): Line;
}

export class BlockLines {
  readonly #sieve: Sieve;
  readonly #stamps: StampReader;
  readonly #beginnings: Beginnings;
  readonly #pieces = new Pieces();
  /** Which second was read last, and its time; none after a line of another shape, whose stamp was another. */
  #second = Number.NaN;
  #time: EpochSeconds | null = null;
  /** Most lines are one host's. */
  #host = '';
  #hostBytes = Buffer.alloc(0);

  /** @param sieve the one that lets the lines through, or one that shares its memory */
  constructor(sieve: Sieve, stamps: StampReader, beginnings: Beginnings) {
    this.#sieve = sieve;
    this.#stamps = stamps;
    this.#beginnings = beginnings;
  }

  /** @returns null for a line of another program that the sieve would have left out, had it understood the prefix */
  line(block: Buffer, span: Span): Line | null {
    const { from, to, program } = span;
    if (program === STRANGER) return this.#parsed(block.toString('latin1', from, to));
    if (program === NO_PROGRAM) {
      const line = this.#parsed(this.#pieces.whole(block.toString('latin1', from, to)));
      return this.#sieve.passes(line) ? line : null;
    }
    return this.#plain(block, span, this.#sieve.programs[program] ?? '');
  }

  #plain(block: Buffer, span: Span, program: string): Line {
    const { to, host, tagEnd, message } = span;
    return {
      time: this.#timeOf(block, span),
      host: present(this.#hostOf(block, host, tagEnd - program.length - 1)),
      program,
      pid: pidOf(block, tagEnd, message),
      message: block.toString('latin1', message, to),
    };
  }

  /**
   * What is known of a line without decoding it; for each line either this or `line` first, in the order of the lines.
   *
   * @param index which of the spans
   * @returns null for a line whose message was not looked at
   */
  seen(block: Buffer, spans: Spans, index: number): SeenLine | null {
    const span = spans.get(index);
    const program = this.#sieve.programs[span.program];
    const expression = spans.expression(index);
    if (program === undefined || expression === OPEN) return null;
    // In the order of the lines.
    this.#timeOf(block, span);
    return { program, expression, whole: () => this.#plain(block, span, program) };
  }

  /** What is written in one line, whether that is in the order of the lines or not. */
  whole(block: Buffer, from: number, to: number): Line {
    return this.#parsed(block.toString('latin1', from, to));
  }

  #parsed(text: string): Line {
    this.#second = Number.NaN;
    return parseLine(text, this.#stamps, this.#beginnings);
  }

  /** Lines that were skipped for their length came before those that are asked for next. */
  skipped(): void {
    this.#pieces.whole('');
  }

  #timeOf(block: Buffer, { from, host, second }: Span): EpochSeconds | null {
    if (second !== this.#second) {
      this.#time = this.#stamps.read(block.toString('latin1', from, host - 1));
      this.#second = second;
    }
    return this.#time;
  }

  #hostOf(block: Buffer, from: number, to: number): string {
    const known = this.#hostBytes;
    let at = 0;
    if (known.length === to - from)
      while (at < known.length && known[at] === block[from + at]) at++;
    if (at === 0 || at < known.length) {
      this.#hostBytes = Buffer.from(block.subarray(from, to));
      this.#host = block.toString('latin1', from, to);
    }
    return this.#host;
  }
}

function pidOf(block: Buffer, tagEnd: number, message: number): string | null {
  if (block[tagEnd] !== BRACKET) return null;
  const close = block.lastIndexOf(CLOSE, message - 1);
  return block.toString('latin1', tagEnd + 1, close);
}
