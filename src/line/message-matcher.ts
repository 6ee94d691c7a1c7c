/**
 * Finds, in the bytes of a block, which of its program's expressions describes a message.
 *
 * Reason: automaton.ts tells it; and it is work that needs no line before it, so that the thread that sifts
 * can do it (source/sifter-thread.ts).
 *
 * Promises: the number of an expression only where the plain path (recogniser/recogniser.ts) would take the same one by the bytes of the
 * message alone, and NONE only where it would find none.  Whatever else may be in such a message, one that is repeated, a
 * server's own line behind a tag, a piece of a torn line, is left to that path (OPEN).
 * test/recogniser/message-matcher.test.ts compares both.
 * Leaves to others: all that depends on the lines before it; programs of servers that tell an address in one line and
 * the login in another have no expressions here.
 */
import { type Alternative, Automaton, OPEN } from './automaton.ts';
import type { ScanMemory } from './scan-memory.ts';

/** The expressions of a program's messages, in the order in which they count; plain data, which threads can hand on. */
export interface Expressions {
  readonly alternatives: readonly Alternative[];
  /** A longer message may be none of some of them. */
  readonly maxLength: number;
  /** Whether a line of its server's own log may stand behind its tag. */
  readonly hasOwnLog: boolean;
  /** Lengths of which a message may be a piece of a longer one; null where the server tears none. */
  readonly tornLengths: readonly [least: number, most: number] | null;
  /** Beginnings of which that is to be looked at. */
  readonly tornBeginnings: readonly Uint8Array[];
}

const RETURN = 13;
const BLANK = 32;
const COLON = 58;
const AT = 64;
/** Instead of a carriage return, as rsyslog writes it. */
const ESCAPED_RETURN = Buffer.from('#015');
const REPEATED = Buffer.from('message repeated ');
/** A message that says no more is the end of a line that was cut. */
const NOTHING = 1;
const LONGEST_NAME = 32;

export class MessageMatcher {
  readonly #expressions: () => readonly (Expressions | null)[];
  readonly #memory: ScanMemory;
  /** How many lines of each program have come. */
  readonly #lines: number[] = [];
  readonly #automata: (Automaton | undefined)[] = [];
  /** By the numbers of the sieve's programs; null for one whose messages are left to the plain path. */
  #programs: readonly (Expressions | null)[] = [];

  readonly #first: number;

  /**
   * @param expressions asked for when there is something to match
   * @param first so many lines of each program are left to the plain path first: a short log is not worth an automaton
   * @param memory that has the blocks
   */
  constructor(
    expressions: () => readonly (Expressions | null)[],
    first: number,
    memory: ScanMemory,
  ) {
    this.#expressions = expressions;
    this.#first = first;
    this.#memory = memory;
  }

  /** @returns the number of the expression among the program's, NONE or OPEN */
  match(block: Buffer, program: number, message: number, end: number): number {
    const lines = (this.#lines[program] ?? 0) + 1;
    this.#lines[program] = lines;
    if (lines <= this.#first) return OPEN;
    if (this.#programs.length === 0) this.#programs = this.#expressions();
    const expressions = this.#programs[program] ?? null;
    if (expressions === null || !isWhole(block, expressions, message, end)) return OPEN;
    this.#automata[program] ??= new Automaton(expressions.alternatives, this.#memory);
    return this.#automata[program].match(block, message, end);
  }
}

/** Whether a message says what the server has said, as it was said, and all of it. */
function isWhole(
  block: Buffer,
  { maxLength, hasOwnLog, tornLengths, tornBeginnings }: Expressions,
  message: number,
  end: number,
): boolean {
  const length = end - message;
  if (length <= NOTHING || length > maxLength || block[end - 1] === RETURN) return false;
  if (stands(ESCAPED_RETURN, block, end - ESCAPED_RETURN.length)) return false;
  if (stands(REPEATED, block, message)) return false;
  if (hasOwnLog && mayHoldStamp(block, message, end)) return false;
  if (tornLengths === null) return true;
  const [least, most] = tornLengths;
  if (length >= least && length <= most) return false;
  return !tornBeginnings.some(text => stands(text, block, message));
}

function stands(text: Uint8Array, block: Buffer, at: number): boolean {
  for (let index = 0; index < text.length; index++)
    if (block[at + index] !== text[index]) return false;
  return true;
}

/** Whether a time stamp may stand at the beginning, or behind a name of a process and `: `. */
function mayHoldStamp(block: Buffer, message: number, end: number): boolean {
  if (mayBeStamp(block, message)) return true;
  const last = Math.min(end, message + LONGEST_NAME + 1);
  let at = message;
  while (at < last && block[at] !== COLON) at++;
  return block[at] === COLON && block[at + 1] === BLANK && mayBeStamp(block, at + 2);
}

/** Any that is known begins with a digit, with a label's `@`, or with a day or a month of three letters. */
function mayBeStamp(block: Buffer, at: number): boolean {
  const byte = block[at] ?? 0;
  return (byte >= 48 && byte <= 57) || byte === AT || block[at + 3] === BLANK;
}
