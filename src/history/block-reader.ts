/**
 * Reads a block (block.ts) entry by entry, into numbers: texts are those of a pool, and nothing is made anew for an entry.
 *
 * Promises: a block that is damaged ends where it stops making sense, and is never an error.
 */
import type { IpText } from '../base/address.ts';
import { FIRST, HOUR, LAYOUTS, NULL, type NumberField, type TextField, VERSION } from './block.ts';
import { ENTRY_KINDS, type Entry, type EntryKind } from './entry.ts';
import { TextPool, viewOf } from './text-pool.ts';

const TLS = [null, false, true] as const;
/** By the numbers of the kinds. */
const LAYOUT_OF = ENTRY_KINDS.map(kind => LAYOUTS[kind]);
/** Texts beyond which a pool that nobody else uses is given up. */
const MOST_POOLED = 100_000;

export class BlockReader {
  readonly pool: TextPool;
  /** The fields of the entry that was read last: texts by their numbers in the pool, 0 for null; what its kind has not is 0. */
  kind: EntryKind = 'daemon';
  time = 0;
  ip = 0;
  user = 0;
  server = 0;
  what = 0;
  /** 0 for null, 1 for false, 2 for true. */
  tls = 0;
  messages = 0;
  recipients = 0;
  bytes = 0;
  until = 0;
  #block: Buffer = Buffer.alloc(0);
  #view = viewOf(this.#block);
  #start = 0;
  #at = 0;
  #isBroken = false;
  /** The numbers in the pool of the texts that stand in the block so far. */
  #texts: number[] = [];
  #idStart = 0;
  #idEnd = 0;

  constructor(pool: TextPool) {
    this.pool = pool;
  }

  /** Begins with a block. */
  open(block: Buffer): void {
    this.#block = block;
    this.#view = viewOf(block);
    this.#at = 0;
    this.#isBroken = false;
    this.#texts.length = 0;
    const version = this.#number();
    this.#start = this.#number() * HOUR;
    if (version !== VERSION) this.#at = block.length;
  }

  /** Reads the next entry. @returns false when there is none */
  next(): boolean {
    if (this.#at >= this.#block.length) return false;
    const index = this.#number();
    const kind = ENTRY_KINDS[index];
    const layout = LAYOUT_OF[index];
    if (kind === undefined || layout === undefined) return false;
    this.kind = kind;
    this.time = this.#start + this.#number() / 1000;
    this.ip = 0;
    this.user = 0;
    this.server = 0;
    this.what = 0;
    this.tls = 0;
    this.messages = 0;
    this.recipients = 0;
    this.bytes = 0;
    this.until = 0;
    for (const field of layout.texts) this.#textField(field);
    if (layout.hasTls) this.tls = this.#number();
    if (layout.hasId) this.#skipId();
    for (const field of layout.numbers) this.#numberField(field);
    return !this.#isBroken;
  }

  /** What was read last, as an entry. */
  entry(): Entry {
    const { kind, time, messages, recipients, bytes, until } = this;
    return {
      kind,
      time,
      // What was written there was one.
      ip: this.#named(this.ip) as IpText | null,
      user: this.#named(this.user),
      server: this.#named(this.server),
      what: this.#named(this.what),
      tls: TLS[this.tls] ?? null,
      id: LAYOUTS[kind].hasId ? this.#block.toString('utf8', this.#idStart, this.#idEnd) : null,
      ...{ messages, recipients, bytes, until },
    };
  }

  #textField(field: TextField): void {
    const text = this.#text();
    if (field === 'ip') this.ip = text;
    else if (field === 'user') this.user = text;
    else if (field === 'server') this.server = text;
    else this.what = text;
  }

  #numberField(field: NumberField): void {
    const number = this.#number();
    if (field === 'messages') this.messages = number;
    else if (field === 'recipients') this.recipients = number;
    else if (field === 'bytes') this.bytes = number;
    else this.until = number;
  }

  #named(id: number): string | null {
    return id === 0 ? null : this.pool.text(id);
  }

  #number(): number {
    const first = this.#block[this.#at++] ?? 0;
    if (first < 128 && this.#at <= this.#block.length) return first;
    let number = first - 128;
    let factor = 128;
    for (;;) {
      const byte = this.#block[this.#at++];
      if (byte === undefined || factor > Number.MAX_SAFE_INTEGER) {
        this.#isBroken = true;
        return 0;
      }
      if (byte < 128) return number + byte * factor;
      number += (byte - 128) * factor;
      factor *= 128;
    }
  }

  #text(): number {
    const reference = this.#number();
    if (reference === NULL) return 0;
    if (reference >= FIRST) {
      const text = this.#texts[reference - FIRST];
      if (text === undefined) this.#isBroken = true;
      return text ?? 0;
    }
    const end = this.#number() + this.#at;
    if (end > this.#block.length) {
      this.#isBroken = true;
      return 0;
    }
    const text = this.pool.of(this.#view, this.#at, end);
    this.#at = end;
    this.#texts.push(text);
    return text;
  }

  #skipId(): void {
    this.#idStart = this.#at;
    const length = this.#number();
    this.#idStart = this.#at;
    this.#idEnd = this.#at + length;
    if (this.#idEnd > this.#block.length) this.#isBroken = true;
    this.#at = this.#idEnd;
  }
}

/** Goes through the entries of blocks, in the order in which they were written. */
export function entryReader(take: (entry: Entry) => void): (block: Buffer) => void {
  let reader = new BlockReader(new TextPool());
  return block => {
    if (reader.pool.size > MOST_POOLED) reader = new BlockReader(new TextPool());
    reader.open(block);
    while (reader.next()) take(reader.entry());
  };
}
