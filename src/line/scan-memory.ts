/**
 * The memory of a scan: blocks of a log, the spans of their lines, and the tables in which their bytes are looked up, in
 * one piece, which the WebAssembly of scan/scan.ts works in and which threads share.
 *
 * Leaves to others: what the tables say (sieve.ts, automaton.ts).  Only one thread at a time takes more of it.
 */
import { OPEN } from './automaton.ts';
import { MAX_LINE } from './length.ts';
import { FIRST_LINES, SLOTS, SOME } from './sampling.ts';
import { CODE } from './scan/code.ts';
import { Spans } from './spans.ts';

/** Where things are; scan/scan.ts has the same numbers. */
const CLASSES = 0;
const ANSWER = 256;
const LIMITS = 272;
/** The number of the last stamp, with its length behind it, and its bytes. */
const SECOND = 288;
const STAMP = 296;
const SEEN = 8192;
const LEVELS = 16384;
const LEVEL_BYTES = 8192;
const FIRST = 24_576;
const FREE = 65_536;

const PAGE = 65_536;
const FIRST_PAGES = 4;
const MOST_PAGES = 4096;
/** What is put there begins at such a place. */
const ALIGNED = 16;
/** Behind a block: read, and not looked at. */
const SLACK = 64;

/** What scan/scan.ts exports. */
interface Code {
  scan(
    block: number,
    start: number,
    end: number,
    spans: number,
    capacity: number,
    isSampling: number,
    programs: number,
  ): number;
  walk(
    table: number,
    kinds: number,
    special: number,
    row: number,
    start: number,
    end: number,
  ): number;
}

/** A block of a log to look at, and the spans of the lines in it that may matter. */
export interface Block {
  readonly bytes: Buffer;
  readonly spans: Spans;
  /** Where its first byte is in the memory. */
  readonly place: number;
}

/** Where a block is, and what there is room for in it. */
interface BlockPlace {
  readonly bytes: number;
  readonly size: number;
  readonly spans: number;
  readonly lines: number;
}

/** What a scan asks of whoever reads the lines. */
export interface Asked {
  /** Whether the bytes are a stamp of the common shape in every byte. */
  isStamp(from: number, to: number): boolean;
  /** Which expression describes a message of a program; a matcher's number. */
  match(program: number, message: number, to: number): number;
}

/** For another thread, in which it is the same memory. */
export interface SharedScanMemory {
  readonly memory: WebAssembly.Memory;
  readonly places: readonly BlockPlace[];
  readonly used: number;
}

/** One that nobody needs any more: a memory takes milliseconds to make, and there may be hundreds of logs. */
let spare: ScanMemory | null = null;

export class ScanMemory {
  readonly #memory: WebAssembly.Memory;
  /** Made when it is first needed: who only shares the memory needs none. */
  #code: Code | null = null;
  readonly #answer: Int32Array;
  readonly #places: BlockPlace[];
  #used: number;
  /** Where the programs are. */
  #programs = 0;
  #asked: Asked | null = null;

  constructor({ memory, places, used }: SharedScanMemory = newMemory()) {
    this.#memory = memory;
    this.#places = [...places];
    this.#used = used;
    this.#answer = new Int32Array(memory.buffer, ANSWER, 2);
    this.#setLimits();
  }

  /** One with nothing in it. */
  static empty(): ScanMemory {
    const memory = spare ?? new ScanMemory();
    spare = null;
    return memory;
  }

  /** Nobody, in no thread, uses it or what is in it any more. */
  release(): void {
    new Uint8Array(this.#memory.buffer).fill(0);
    this.#places.length = 0;
    this.#used = FREE;
    this.#programs = 0;
    this.#asked = null;
    this.#setLimits();
    spare = this;
  }

  #setLimits(): void {
    new Int32Array(this.#memory.buffer, LIMITS, 3).set([MAX_LINE, FIRST_LINES, SOME]);
  }

  /** What each byte may be a part of, by bits. */
  get classes(): Uint8Array {
    return new Uint8Array(this.#memory.buffer, CLASSES, 256);
  }

  /** How many lines have been seen, by the lower bits of the hash of their tag (sampling.ts). */
  get seen(): Uint16Array {
    return new Uint16Array(this.#memory.buffer, SEEN, SLOTS);
  }

  /** A bit for each value of the lower 16 bits of a level's hash. */
  get levels(): Uint8Array {
    return new Uint8Array(this.#memory.buffer, LEVELS, LEVEL_BYTES);
  }

  get blocks(): readonly Block[] {
    return this.#places.map(({ bytes, size, spans, lines }) => ({
      bytes: Buffer.from(this.#memory.buffer, bytes, size),
      spans: new Spans(this.#memory.buffer, spans, lines),
      place: bytes,
    }));
  }

  /**
   * Makes room for a block of so many bytes, and for the spans of so many lines.
   *
   * @throws RangeError when there is no more memory
   */
  addBlock(size: number, lines: number): Block {
    const spans = this.take(Spans.bytesFor(lines));
    this.#places.push({ bytes: this.take(size + SLACK), size, spans, lines });
    const block = this.blocks.at(-1);
    if (block === undefined) throw new RangeError('no block was made');
    return block;
  }

  /**
   * Notes the tags to look for, by their hashes.
   *
   * @param programs their names, and the hashes of these
   */
  setPrograms(programs: readonly { readonly name: Buffer; readonly hash: number }[]): void {
    const first = new Uint16Array(this.#memory.buffer, FIRST, SLOTS).fill(0);
    const numbers = programs.flatMap(({ name, hash }, index) => {
      const place = this.take(name.length);
      this.bytes(place, name.length).set(name);
      const slot = hash & (SLOTS - 1);
      const next = first[slot] ?? 0;
      first[slot] = index + 1;
      return [hash, place, name.length, next];
    });
    this.#programs = this.take(numbers.length * Int32Array.BYTES_PER_ELEMENT);
    new Int32Array(this.#memory.buffer, this.#programs, numbers.length).set(numbers);
  }

  /** A stamp of the common shape, which lines may have as well but for the fraction. */
  setStamp(stamp: Uint8Array): void {
    const numbers = new Int32Array(this.#memory.buffer, SECOND, 2);
    numbers[0] = (numbers[0] ?? 0) + 1;
    numbers[1] = stamp.length;
    this.bytes(STAMP, stamp.length).set(stamp);
  }

  /** For another thread; this one is to take no more of it then. */
  share(): SharedScanMemory {
    return { memory: this.#memory, places: this.#places, used: this.#used };
  }

  /** Takes so many bytes, which are zero. @returns where they begin @throws RangeError when there is no more memory */
  take(bytes: number): number {
    const place = this.#used;
    this.#used += Math.ceil(bytes / ALIGNED) * ALIGNED;
    const missing = this.#used - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    return place;
  }

  /** Numbers of 32 bits in what was taken. */
  numbers(place: number, length: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, place, length);
  }

  bytes(place: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, place, length);
  }

  /** Walks the lines of a block: see scan/scan.ts. @param end where a line ends */
  scan(
    { place, spans }: Block,
    start: number,
    end: number,
    isSampling: boolean,
    asked: Asked,
  ): { readonly lines: number; readonly tooLong: number; readonly end: number } {
    const [from, to] = [place + start, place + end];
    const { place: at, capacity } = spans;
    this.#asked = asked;
    const programs = this.#programs;
    const lines = this.#run().scan(place, from, to, at, capacity, Number(isSampling), programs);
    return { lines, tooLong: this.#answer[0] ?? 0, end: this.#answer[1] ?? 0 };
  }

  /**
   * Goes through an automaton's table, byte by byte, from a row on: see scan/scan.ts.
   *
   * @param special rows up to this one end the walk
   * @returns the row at its end; `walked` and `before` tell where and behind which row a special one came
   */
  walk(
    table: number,
    kinds: number,
    special: number,
    row: number,
    start: number,
    end: number,
  ): number {
    return this.#run().walk(table, kinds, special, row, start, end);
  }

  #run(): Code {
    const isStamp = (from: number, to: number): number =>
      Number(this.#asked?.isStamp(from, to) ?? false);
    const match = (program: number, message: number, to: number): number =>
      this.#asked?.match(program, message, to) ?? OPEN;
    this.#code ??= new WebAssembly.Instance<Code>(compiled(), {
      env: { memory: this.#memory },
      scan: { isStamp, match },
    }).exports;
    return this.#code;
  }

  /** Where the last walk came upon a special row, in the bytes that were walked through. */
  get walked(): number {
    return this.#answer[0] ?? 0;
  }

  /** The row before that. */
  get before(): number {
    return this.#answer[1] ?? 0;
  }
}

const newMemory = (): SharedScanMemory => ({
  memory: new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MOST_PAGES, shared: true }),
  places: [],
  used: FREE,
});

let known: WebAssembly.Module | null = null;

/** Once for all logs. */
function compiled(): WebAssembly.Module {
  known ??= new WebAssembly.Module(Buffer.from(CODE, 'base64'));
  return known;
}
