/**
 * Finds, in a block of whole lines, those that may be a known program's, and the parts of their prefixes, without
 * decoding any.
 *
 * Reason: four lines of five in a mail log are other programs'.  Decoding them and running an expression over each
 * prefix took 80 % of the time of reading a log; a look at their bytes takes a twentieth of a microsecond.
 *
 * Promises: a line is left out only if the prefix has the common shape, `STAMP host tag:` or `STAMP host tag[pid]:`
 * (RFC 3164 stamp of 15 bytes, or RFC 3339 with or without fraction), and the tag is none of the programs; then the
 * parser would name that tag (prefix.ts).  What has any other shape is let through with no program, for the parser.
 * So are some lines of programs that are none, where these are of interest, an empty line, and one that is too long as an empty one, since pieces of a line may be among them (pieces.ts).
 * Where a program is told, the parts are the parser's.  test/line/sieve.test.ts compares both.
 */
import { MAX_LINE } from './length.ts';
import { FACILITY_LEVELS } from './levels.ts';
import { MessageMatcher } from './message-matcher.ts';
import { COMMON_STAMP, type Line } from './prefix.ts';
import { hashOf, type Sampling, SLOTS, step } from './sampling.ts';
import { NO_PROGRAM, type Spans } from './spans.ts';

const TAB = 9;
const NEWLINE = 10;
const SPACE = 32;
const DASH = 45;
const DOT = 46;
const COLON = 58;
const LETTER_T = 84;
const LETTER_Z = 90;
const OPEN = 91;
const CLOSE = 93;
/** Longer tags and hosts are left to the parser. */
const MAX_TOKEN = 64;
const MAX_PID = 10;
const MAX_FRACTION = 9;

/** Bytes that a host, and a tag, of the common shape consist of. */
const HOST = classOf(/[\w.-]/);
const TAG = classOf(/[^\s:[\]()<>"=,]/);
/** Solaris' message id behind the tag. */
const ID = Buffer.from('[ID ');
/** How long stamps are without fraction: RFC 3164's; RFC 3339's, and its zone as an offset. */
const CLASSIC_LENGTH = 15;
const ISO_LENGTH = 19;
const OFFSET_LENGTH = 6;
/** `2026-11-23`: of another stamp, behind what carries it. */
const DAY_LENGTH = 10;
const WHOLE_STAMP = new RegExp(`^(?:${COMMON_STAMP})$`);

const LEVELS: ReadonlySet<number> = new Set(FACILITY_LEVELS.map(hashOf));

function classOf(expression: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) =>
    expression.test(String.fromCharCode(code)) ? 1 : 0,
  );
}

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 48 && byte <= 57;

export interface Sieved {
  /** Lines gone through, whether let through or not. */
  readonly lines: number;
  /** Lines that were left out because they are longer than any line may be. */
  readonly tooLong: number;
  /** Where the next line begins: the end, or where the spans were full. */
  readonly end: number;
}

export class Sieve {
  /** The tags whose lines it lets through. */
  readonly programs: readonly string[];
  /** Which lines of other programs it lets through; null for none. */
  readonly sampling: Sampling | null;
  /** Looks at the messages of these programs; by their numbers. */
  readonly matcher: MessageMatcher;
  readonly #names: ReadonlySet<string>;
  /** Their bytes. */
  readonly #tags: readonly Buffer[];
  /** The programs by the hashes of their tags. */
  readonly #byHash = new Map<number, readonly number[]>();
  /** The lower bits of these hashes: says of nearly every other tag that it is none of them. */
  readonly #mayBe = new Uint8Array(SLOTS);
  /** The last stamp that was looked at, and how many there were. */
  #stamp = Buffer.alloc(0);
  #second = 0;

  constructor(
    programs: readonly string[],
    sampling: Sampling | null = null,
    matcher: MessageMatcher = new MessageMatcher([]),
  ) {
    this.programs = programs;
    this.sampling = sampling;
    this.matcher = matcher;
    this.#names = new Set(programs);
    this.#tags = programs.map(program => Buffer.from(program, 'latin1'));
    for (const [index, tag] of this.#tags.entries()) {
      const hash = tag.reduce(step, 0);
      this.#byHash.set(hash, [...(this.#byHash.get(hash) ?? []), index]);
      this.#mayBe[hash & (SLOTS - 1)] = 1;
    }
  }

  /**
   * Walks the lines of `block` from `start` to `end`, where a line ends, as far as there is room for spans.
   */
  sift(block: Buffer, start: number, end: number, spans: Spans): Sieved {
    let lines = 0;
    let tooLong = 0;
    let from = start;
    while (from < end && !spans.isFull) {
      const to = block.indexOf(NEWLINE, from);
      if (to - from > MAX_LINE) {
        tooLong++;
        spans.addWhole(lines, from, from);
      } else if (!this.#take(block, from, to, lines, spans)) spans.addWhole(lines, from, to);
      lines++;
      from = to + 1;
    }
    return { lines, tooLong, end: from };
  }

  /** Leaves out a line of another program, and adds the parts of one of ours; false if neither is certain. */
  #take(block: Buffer, from: number, to: number, index: number, spans: Spans): boolean {
    const host = hostStart(block, from);
    const tag = host < 0 ? -1 : tagStart(block, host);
    if (tag < 0 || isDay(block, tag)) return false;
    let tagEnd = tag;
    let hash = 0;
    for (let byte = block[tagEnd] ?? 0; TAG[byte] === 1; byte = block[tagEnd] ?? 0) {
      hash = step(hash, byte);
      tagEnd++;
    }
    const behind = behindTag(block, tagEnd);
    if (tagEnd === tag || tagEnd - tag > MAX_TOKEN || behind < 0 || behind > to) return false;
    const mayBe = this.#mayBe[hash & (SLOTS - 1)] === 1;
    const program = mayBe ? this.#programOf(hash, block, tag, tagEnd) : NO_PROGRAM;
    if (program === NO_PROGRAM) {
      if (this.sampling?.takes(hash) === true) spans.addStranger(index, from, to);
      return true;
    }
    const message = messageStart(block, behind);
    if (message < 0 || !this.#isStamp(block, from, host - 1)) return false;
    spans.add(index, from, to, program, host, tagEnd, message, this.#second);
    spans.describe(this.matcher.match(block, program, message, to));
    return true;
  }

  /** Whether a line that the parser has split, and not the sieve, is to be looked at as if it had been found here. */
  passes({ program }: Line): boolean {
    if (program === null || this.#names.has(program)) return true;
    return this.sampling?.takes(hashOf(program)) === true;
  }

  #programOf(hash: number, block: Buffer, from: number, to: number): number {
    for (const index of this.#byHash.get(hash) ?? []) {
      const tag = this.#tags[index];
      if (tag !== undefined && equals(tag, block, from, to)) return index;
    }
    return NO_PROGRAM;
  }

  /** Whether a stamp has the common shape in every byte; counts those that differ by more than the fraction. */
  #isStamp(block: Buffer, from: number, to: number): boolean {
    if (isSameSecond(this.#stamp, block, from, to)) return true;
    if (!WHOLE_STAMP.test(block.toString('latin1', from, to))) return false;
    this.#stamp = Buffer.from(block.subarray(from, to));
    this.#second++;
    return true;
  }
}

/** Whether bytes of a block are those of a word. */
function equals(word: Buffer, block: Buffer, from: number, to: number): boolean {
  if (word.length !== to - from) return false;
  for (let at = 0; at < word.length; at++) if (word[at] !== block[from + at]) return false;
  return true;
}

/** Whether a stamp is the known one but for the fraction, which must be one. */
function isSameSecond(known: Buffer, block: Buffer, from: number, to: number): boolean {
  if (known.length === CLASSIC_LENGTH) return equals(known, block, from, to);
  for (let at = 0; at < ISO_LENGTH; at++) if (known[at] !== block[from + at]) return false;
  const zone = known[known.length - 1] === LETTER_Z ? 1 : OFFSET_LENGTH;
  for (let back = 1; back <= zone; back++) {
    if (known[known.length - back] !== block[to - back]) return false;
  }
  return isFraction(block, from + ISO_LENGTH, to - zone);
}

/** Whether nothing stands there, or a point and up to nine digits. */
function isFraction(block: Buffer, from: number, to: number): boolean {
  if (from === to) return true;
  if (block[from] !== DOT || to - from < 2 || to - from > 1 + MAX_FRACTION) return false;
  for (let at = from + 1; at < to; at++) if (!isDigit(block[at])) return false;
  return true;
}

/** Where the host begins behind a stamp that looks like one of the two common shapes, else -1. */
function hostStart(block: Buffer, from: number): number {
  if (block[from + 4] === DASH && block[from + 7] === DASH && block[from + 10] === LETTER_T) {
    return isoEnd(block, from);
  }
  // `Mar 22 11:03:29 `: blanks and colons where they must be, a letter first.
  const letter = block[from] ?? 0;
  const common =
    block[from + 3] === SPACE &&
    block[from + 6] === SPACE &&
    block[from + 9] === COLON &&
    block[from + 12] === COLON &&
    block[from + 15] === SPACE;
  return common && letter >= 65 && letter <= 90 && isDigit(block[from + 14]) ? from + 16 : -1;
}

/** Behind `2026-11-23T00:53:00`, its fraction and its zone: no blank, and a digit or Z before the one that ends it. */
function isoEnd(block: Buffer, from: number): number {
  if (!isDigit(block[from]) || block[from + 13] !== COLON || block[from + 16] !== COLON) return -1;
  for (let at = from + ISO_LENGTH; at < from + 40; at++) {
    const byte = block[at];
    if (byte !== SPACE) continue;
    return isDigit(block[at - 1]) || block[at - 1] === LETTER_Z ? at + 1 : -1;
  }
  return -1;
}

/** Where the tag begins behind a plain host, else -1; a level there would move both by a place, as a day would. */
function tagStart(block: Buffer, host: number): number {
  let at = host;
  let hash = 0;
  for (let byte = block[at] ?? 0; HOST[byte] === 1; byte = block[at] ?? 0) {
    hash = step(hash, byte);
    at++;
  }
  if (at === host || block[at] !== SPACE || at - host > MAX_TOKEN || LEVELS.has(hash)) return -1;
  if (at - host === DAY_LENGTH && isDay(block, host)) return -1;
  return at + 1;
}

/** Whether what looks like the day of a stamp begins there: of what a carrier or a relay has put a header before. */
const isDay = (block: Buffer, at: number): boolean =>
  block[at + 4] === DASH && block[at + 7] === DASH;

/** Behind the `:` or `[pid]:` that ends the tag, else -1. */
function behindTag(block: Buffer, tagEnd: number): number {
  if (block[tagEnd] === COLON) return tagEnd + 1;
  if (block[tagEnd] !== OPEN) return -1;
  let at = tagEnd + 1;
  while (isDigit(block[at])) at++;
  const length = at - tagEnd - 1;
  const ends = length > 0 && length <= MAX_PID && block[at] === CLOSE && block[at + 1] === COLON;
  return ends ? at + 2 : -1;
}

/** Where the message begins, or -1 where Solaris' id may stand before it. */
function messageStart(block: Buffer, behind: number): number {
  const message = isBlank(block[behind]) ? behind + 1 : behind;
  const id = isBlank(block[message]) ? message + 1 : message;
  return equals(ID, block, id, id + ID.length) ? -1 : message;
}

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;
