/**
 * The memory of a scan: blocks of a log, the spans of their lines, and the tables in which their bytes are looked up, in
 * one piece, which the WebAssembly of scan/scan.ts works in and which threads share.
 *
 * Leaves to others: what the tables say (sieve.ts, automaton.ts).  Only one thread at a time takes more of it.
 */
import { MAX_LINE } from './length.ts';
import { FIRST_LINES, SLOTS, SOME } from './sampling.ts';
import { CODE } from './scan/code.ts';
import { Spans } from './spans.ts';

/** Where things are; scan/scan.ts has the same numbers. */
const CLASSES = 0;
const ANSWER = 256;
const LIMITS = 272;
const MAY_BE = 4096;
const SEEN = 8192;
const LEVELS = 16384;
const LEVEL_BYTES = 8192;
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

/** For another thread, in which it is the same memory. */
export interface SharedScanMemory {
  readonly memory: WebAssembly.Memory;
  readonly places: readonly BlockPlace[];
  readonly used: number;
}

export class ScanMemory {
  readonly #memory: WebAssembly.Memory;
  /** Made when it is first needed: who only shares the memory needs none. */
  #code: Code | null = null;
  readonly #answer: Int32Array;
  readonly #places: BlockPlace[];
  #used: number;

  constructor({ memory, places, used }: SharedScanMemory = newMemory()) {
    this.#memory = memory;
    this.#places = [...places];
    this.#used = used;
    this.#answer = new Int32Array(memory.buffer, ANSWER, 2);
    new Int32Array(memory.buffer, LIMITS, 3).set([MAX_LINE, FIRST_LINES, SOME]);
  }

  /** What each byte may be a part of, by bits. */
  get classes(): Uint8Array {
    return new Uint8Array(this.#memory.buffer, CLASSES, 256);
  }

  /** Of the lower bits of a tag's hash: 1 where a program has the same. */
  get mayBe(): Uint8Array {
    return new Uint8Array(this.#memory.buffer, MAY_BE, SLOTS);
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
  ): { readonly lines: number; readonly tooLong: number; readonly end: number } {
    const [from, to] = [place + start, place + end];
    const { place: at, capacity } = spans;
    const lines = this.#run().scan(place, from, to, at, capacity, Number(isSampling));
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
    this.#code ??= new WebAssembly.Instance<Code>(
      new WebAssembly.Module(Buffer.from(CODE, 'base64')),
      { env: { memory: this.#memory } },
    ).exports;
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
