/**
 * Finds, in a block of whole lines, those that may be a known program's, and the parts of their prefixes, without
 * decoding any.
 *
 * Reason: four lines of five in a mail log are other programs'.  Decoding them and running an expression over each
 * prefix took 80 % of the time of reading a log; a look at their bytes takes a twentieth of a microsecond.
 *
 * Lines, prefixes and tags are looked for by scan/scan.ts; what is left is looked at here.
 *
 * Promises: a line is left out only if the prefix has the common shape, `STAMP host tag:` or `STAMP host tag[pid]:`
 * (RFC 3164 stamp of 15 bytes, or RFC 3339 with or without fraction), and the tag is none of the programs; then the
 * parser would name that tag (prefix.ts).  What has any other shape is let through with no program, for the parser.
 * So are some lines of programs that are none, where these are of interest, an empty line, and one that is too long as an empty one, since pieces of a line may be among them (pieces.ts).
 * Where a program is told, the parts are the parser's.  test/line/sieve.test.ts compares both.
 */
import { FACILITY_LEVELS } from './levels.ts';
import { type Expressions, MessageMatcher } from './message-matcher.ts';
import { COMMON_STAMP, type Line } from './prefix.ts';
import { hashOf, Sampling, SLOTS, step } from './sampling.ts';
import type { Block } from './scan-memory.ts';
import { ScanMemory } from './scan-memory.ts';
import { CANDIDATE, NO_PROGRAM, STRANGER } from './spans.ts';

const TAB = 9;
const SPACE = 32;
const DOT = 46;
const LETTER_Z = 90;
const MAX_FRACTION = 9;

/** Bytes that a host, and a tag, of the common shape consist of, by bits. */
const HOST = { bit: 1, bytes: /[\w.-]/ };
const TAG = { bit: 2, bytes: /[^\s:[\]()<>"=,]/ };
/** Solaris' message id behind the tag. */
const ID = Buffer.from('[ID ');
/** How long stamps are without fraction: RFC 3164's; RFC 3339's, and its zone as an offset. */
const CLASSIC_LENGTH = 15;
const ISO_LENGTH = 19;
const OFFSET_LENGTH = 6;
const WHOLE_STAMP = new RegExp(`^(?:${COMMON_STAMP})$`);

/** Of a hash: the lower bits by which a level is known. */
const LEVEL_BITS = 0xffff;

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

/** What a sieve is for; plain data, which threads can hand on. */
export interface SieveSettings {
  /** The tags whose lines it lets through. */
  readonly programs: readonly string[];
  /** Whether it lets some lines of other programs through (sampling.ts). */
  readonly isSampling: boolean;
  /** What their messages are looked up in, in the same order; none where nobody wants to know. */
  readonly expressions: readonly (Expressions | null)[];
}

export class Sieve {
  readonly settings: SieveSettings;
  readonly memory: ScanMemory;
  /** Which lines of other programs it lets through; null for none. */
  readonly sampling: Sampling | null;
  readonly #names: ReadonlySet<string>;
  /** Their bytes. */
  readonly #tags: readonly Buffer[];
  /** The programs by the hashes of their tags. */
  readonly #byHash = new Map<number, readonly number[]>();
  readonly #matcher: MessageMatcher;
  /** The last stamp that was looked at, and how many there were. */
  #stamp = Buffer.alloc(0);
  #second = 0;

  /** @param memory that of a sieve of the same settings in another thread, which sifts no more then */
  constructor(settings: SieveSettings, memory: ScanMemory = new ScanMemory()) {
    const { programs, isSampling, expressions } = settings;
    this.settings = settings;
    this.memory = memory;
    this.sampling = isSampling ? new Sampling(memory.seen) : null;
    this.#names = new Set(programs);
    this.#tags = programs.map(program => Buffer.from(program, 'latin1'));
    this.#matcher = new MessageMatcher(expressions, memory);
    const { mayBe, classes, levels } = memory;
    for (const [index, tag] of this.#tags.entries()) {
      const hash = tag.reduce(step, 0);
      this.#byHash.set(hash, [...(this.#byHash.get(hash) ?? []), index]);
      mayBe[hash & (SLOTS - 1)] = 1;
    }
    for (let byte = 0; byte < 256; byte++)
      for (const { bit, bytes } of [HOST, TAG])
        if (bytes.test(String.fromCharCode(byte))) classes[byte] = (classes[byte] ?? 0) | bit;
    for (const level of FACILITY_LEVELS) {
      const low = hashOf(level) & LEVEL_BITS;
      levels[low >> 3] = (levels[low >> 3] ?? 0) | (1 << (low & 7));
    }
  }

  get programs(): readonly string[] {
    return this.settings.programs;
  }

  /**
   * Walks the lines of a block of this sieve's memory from `start` to `end`, where a line ends, as far as there is room for
   * spans.
   */
  sift(block: Block, start: number, end: number): Sieved {
    const sieved = this.memory.scan(block, start, end, this.settings.isSampling);
    block.spans.keep(line => this.#settle(block, line));
    return sieved;
  }

  /** Looks at a line that may be a program's; false for another program's. */
  #settle({ bytes, spans }: Block, line: number): boolean {
    if (spans.program(line) !== CANDIDATE) return true;
    const hash = spans.hash(line);
    const program = this.#programOf(hash, bytes, spans.tag(line), spans.tagEnd(line));
    if (program === NO_PROGRAM) {
      spans.setProgram(line, STRANGER);
      return this.sampling?.takes(hash) === true;
    }
    const message = messageStart(bytes, spans.behind(line));
    const isPlain =
      message >= 0 && this.#isStamp(bytes, spans.from(line), spans.host(line) - 1);
    spans.setProgram(line, isPlain ? program : NO_PROGRAM);
    if (isPlain) {
      const expression = this.#matcher.match(bytes, program, message, spans.to(line));
      spans.setMessage(line, message, this.#second, expression);
    }
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

/** Where the message begins, or -1 where Solaris' id may stand before it. */
function messageStart(block: Buffer, behind: number): number {
  const message = isBlank(block[behind]) ? behind + 1 : behind;
  const id = isBlank(block[message]) ? message + 1 : message;
  return equals(ID, block, id, id + ID.length) ? -1 : message;
}

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;
