/**
 * Entries of one hour as bytes: what a value of the history's file is.
 *
 * A block only ever grows at its end, so that what has happened since the last commit costs its own bytes.  Numbers are
 * of as many bytes as they need (7 bits each, the lowest first), texts stand where they come first and are numbers after that.
 * Leaves to others: reading (block-reader.ts).
 */
import { OF_DAEMON, OF_ORDER } from './block-index.ts';
import { ENTRY_KINDS, type Entry, type EntryKind } from './entry.ts';
import { filterOf } from './text-filter.ts';

/** Of the form that follows. */
export const VERSION = 1;
export const HOUR = 3600;

/** A text that comes again, a text that does not, a number, or what a login says of encryption. */
export type TextField = 'ip' | 'user' | 'server' | 'what';
export type NumberField = 'messages' | 'recipients' | 'bytes' | 'until';

interface Layout {
  readonly texts: readonly TextField[];
  readonly numbers: readonly NumberField[];
  readonly hasTls: boolean;
  readonly hasId: boolean;
}

const layout = (
  texts: readonly TextField[],
  numbers: readonly NumberField[] = [],
  more: Partial<Layout> = {},
): Layout => ({ texts, numbers, hasTls: false, hasId: false, ...more });

export const LAYOUTS: Readonly<Record<EntryKind, Layout>> = {
  login: layout(['ip', 'user', 'server', 'what'], [], { hasTls: true }),
  ended: layout(['ip', 'user', 'server', 'what']),
  order: layout(['ip', 'user', 'what'], ['until']),
  relayed: layout(['ip', 'user', 'server'], ['messages', 'recipients', 'bytes'], { hasId: true }),
  sent: layout(['ip', 'user'], [], { hasId: true }),
  refused: layout(['ip', 'what']),
  limit: layout(['ip', 'user', 'server', 'what']),
  daemon: layout(['what']),
};

const KIND_NUMBERS = new Map(ENTRY_KINDS.map((kind, number) => [kind, number]));

const MARKS: Readonly<Partial<Record<EntryKind, string>>> = { daemon: OF_DAEMON, order: OF_ORDER };

/** Of a reference to a text. */
export const NULL = 0;
const NEW = 1;
export const FIRST = 2;

const MOST_TEXT = 1024;

export const KEY_BYTES = 10;

/** The key of a block. @param serial that no other of the hour has; below 2 to the 48th */
export function blockKey(hour: number, serial: number): Buffer {
  const key = Buffer.alloc(KEY_BYTES);
  key.writeUInt32BE(hour, 0);
  key.writeUIntBE(serial, 4, 6);
  return key;
}

export const serialOf = (key: Buffer): number => key.readUIntBE(4, 6);

/** For the serials of a run: greater than those of earlier ones. @param now in Unix time */
export const firstSerial = (now: number): number => Math.floor(now * 16_000);

/** Bytes after which another block is begun. */
export const BLOCK_BYTES = 16_384;

export const hourOf = (time: number): number => Math.floor(time / HOUR);

/** A block as it is written. */
export interface StoredBlock {
  readonly key: Buffer;
  readonly bytes: Buffer;
  readonly filter: Buffer;
}

export class BlockWriter {
  readonly hour: number;
  readonly #texts = new Map<string, number>();
  readonly #marks = new Set<string>();
  #bytes = Buffer.allocUnsafe(1024);
  #length = 0;

  constructor(hour: number) {
    this.hour = hour;
    this.#number(VERSION);
    this.#number(hour);
  }

  get length(): number {
    return this.#length;
  }

  /** Which texts, and what else, may be looked for in it (block-index.ts). */
  filter(): Buffer {
    return filterOf([...this.#texts.keys(), ...this.#marks]);
  }

  /** The block as it is to be written now. */
  stored(key: Buffer): StoredBlock {
    return { key, bytes: this.bytes(), filter: this.filter() };
  }

  /** The block as it is now; a copy. */
  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  /** @param entry of this hour */
  add(entry: Entry): void {
    const { texts, numbers, hasTls, hasId } = LAYOUTS[entry.kind];
    const mark = MARKS[entry.kind];
    if (mark !== undefined) this.#marks.add(mark);
    this.#number(KIND_NUMBERS.get(entry.kind) ?? 0);
    this.#number(Math.max(0, Math.round((entry.time - this.hour * HOUR) * 1000)));
    for (const field of texts) this.#text(entry[field]);
    if (hasTls) this.#number(entry.tls === null ? 0 : entry.tls ? 2 : 1);
    if (hasId) this.#inline(entry.id ?? '');
    for (const field of numbers) this.#number(Math.max(0, Math.floor(entry[field])));
  }

  #text(text: string | null): void {
    if (text === null) {
      this.#number(NULL);
      return;
    }
    const known = this.#texts.get(text);
    if (known !== undefined) {
      this.#number(known);
      return;
    }
    this.#texts.set(text, this.#texts.size + FIRST);
    this.#number(NEW);
    this.#inline(text);
  }

  #inline(text: string): void {
    const short = text.length > MOST_TEXT ? text.slice(0, MOST_TEXT) : text;
    const length = Buffer.byteLength(short);
    this.#number(length);
    this.#room(length);
    this.#length += this.#bytes.write(short, this.#length);
  }

  #number(number: number): void {
    this.#room(10);
    let rest = number;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(2 * (this.#length + more));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
