/**
 * What this host has to publish, until the engine has taken it.
 *
 * Promises: bounded: beyond it the oldest goes first, and is counted; the same text twice within a second goes once
 * (a mail client opens several connections at a time); order is kept.  Each has a number, by which the
 * daemon knows when all that a part of the log has led to is out, and the place may be noted.
 * Pure: no connection, no clock.
 */
import type { Fields } from './entry.ts';
import type { StreamName } from './position.ts';

/** Entries; some 50 MB when nothing can be published. */
export const MAX_WAITING = 100_000;

export interface Posting {
  readonly stream: StreamName;
  readonly fields: Fields;
}

interface Numbered extends Posting {
  readonly key: string;
  readonly number: number;
  /** By a clock that only goes forward. */
  readonly second: number;
}

export class Outbox {
  readonly #capacity: number;
  readonly #waiting = new Map<string, Numbered>();
  /** What went out in the present second. */
  readonly #recent = new Set<string>();
  #second = Number.NEGATIVE_INFINITY;
  #added = 0;
  #dropped = 0;
  #published = 0;

  constructor(capacity: number = MAX_WAITING) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** How many have been lost for want of room. */
  get dropped(): number {
    return this.#dropped;
  }

  get published(): number {
    return this.#published;
  }

  /** @param steady seconds of a clock that only goes forward */
  add({ stream, fields }: Posting, steady: number): void {
    const key = [stream, ...fields].join('\0');
    const second = Math.floor(steady);
    this.#moveOn(second);
    if (this.#waiting.has(key) || this.#recent.has(key)) return;
    this.#added++;
    this.#waiting.set(key, { stream, fields, key, number: this.#added, second });
    if (this.#waiting.size > this.#capacity) this.#drop();
  }

  /** The oldest, which stay until `settle`. */
  first(count: number): readonly Numbered[] {
    const found: Numbered[] = [];
    for (const posting of this.#waiting.values()) {
      if (found.length === count) break;
      found.push(posting);
    }
    return found;
  }

  /** The engine has it. */
  settle({ key, second }: Numbered): void {
    this.#published++;
    this.#waiting.delete(key);
    if (second === this.#second) this.#recent.add(key);
  }

  /** The engine may have lost what it had. */
  forget(): void {
    this.#recent.clear();
  }

  /** All that was added so far. */
  get mark(): number {
    return this.#added;
  }

  /** Whether what was added up to the mark is out, or lost. */
  isPast(mark: number): boolean {
    const [oldest] = this.#waiting.values();
    return oldest === undefined || oldest.number > mark;
  }

  #moveOn(second: number): void {
    if (second <= this.#second) return;
    this.#second = second;
    this.#recent.clear();
  }

  #drop(): void {
    const [oldest] = this.#waiting.keys();
    if (oldest === undefined) return;
    this.#waiting.delete(oldest);
    this.#dropped++;
  }
}
