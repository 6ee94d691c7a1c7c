/**
 * Finds, in a block of whole lines, those that may be a known program's, and the parts of their prefixes, without
 * decoding any.
 *
 * Reason: four lines of five in a mail log are other programs'.  Decoding them and running an expression over each
 * prefix took 80 % of the time of reading a log; a look at their bytes takes a twentieth of a microsecond.
 *
 * Lines and their prefixes are looked for by scan/scan.ts.
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
import { hashOf, Sampling } from './sampling.ts';
import { type Asked, type Block, ScanMemory } from './scan-memory.ts';

/** Bytes that a host, and a tag, of the common shape consist of, by bits. */
const HOST = { bit: 1, bytes: /[\w.-]/ };
const TAG = { bit: 2, bytes: /[^\s:[\]()<>"=,]/ };
const WHOLE_STAMP = new RegExp(`^(?:${COMMON_STAMP})$`);

/** Of a hash: the lower bits by which a level is known. */
const LEVEL_BITS = 0xffff;

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
  /** After how many lines of a program its messages are looked up (message-matcher.ts). */
  readonly firstLines: number;
}

/** What the messages of a sieve's programs are looked up in, in the same order; asked for when that is worth it. */
export type ExpressionsOf = () => readonly (Expressions | null)[];

export class Sieve {
  readonly settings: SieveSettings;
  readonly expressions: ExpressionsOf;
  readonly memory: ScanMemory;
  /** Which lines of other programs it lets through; null for none. */
  readonly sampling: Sampling | null;
  readonly #names: ReadonlySet<string>;
  readonly #asked: (block: Block) => Asked;

  /** @param memory that of a sieve of the same settings in another thread, which sifts no more then */
  constructor(
    settings: SieveSettings,
    expressions: ExpressionsOf,
    memory: ScanMemory = ScanMemory.empty(),
  ) {
    const { programs, isSampling } = settings;
    this.settings = settings;
    this.expressions = expressions;
    this.memory = memory;
    this.sampling = isSampling ? new Sampling(memory.seen) : null;
    this.#names = new Set(programs);
    const matcher = new MessageMatcher(expressions, settings.firstLines, memory);
    this.#asked = ({ bytes, place }) => ({
      isStamp: (from, to) => isStamp(memory, from, to),
      match: (program, message, to) => matcher.match(bytes, program, message - place, to - place),
    });
    memory.setPrograms(
      programs.map(name => ({ name: Buffer.from(name, 'latin1'), hash: hashOf(name) })),
    );
    const { classes, levels } = memory;
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
    return this.memory.scan(block, start, end, this.settings.isSampling, this.#asked(block));
  }

  /** Whether a line that the parser has split, and not the sieve, is to be looked at as if it had been found here. */
  passes({ program }: Line): boolean {
    if (program === null || this.#names.has(program)) return true;
    return this.sampling?.takes(hashOf(program)) === true;
  }
}

/** Whether a stamp has the common shape in every byte, which the memory has for the known one then. */
function isStamp(memory: ScanMemory, from: number, to: number): boolean {
  const stamp = memory.bytes(from, to - from);
  if (!WHOLE_STAMP.test(Buffer.from(stamp).toString('latin1'))) return false;
  memory.setStamp(stamp);
  return true;
}
