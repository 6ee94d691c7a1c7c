/**
 * What this host has to publish, until the engine has taken it.
 *
 * Promises: bounded: beyond it the oldest goes first, and is counted; the same text twice within a second goes once
 * (a mail client opens several connections at a time); order is kept; each step takes as long with many as with few.  Each has a number,
 * by which the daemon knows when all that a part of the log has led to is out, and the place may be noted.
 * Pure: no connection, no clock.
 */
import { Fifo } from '../grant/fifo.ts';

/** Postings; some 50 MB when nothing can be published. */
export const MAX_WAITING = 100_000;

export interface Waiting<T> {
  readonly value: T;
  readonly key: string;
  readonly number: number;
  /** When it was added, in seconds of a clock that only goes forward. */
  readonly since: number;
  /** With the engine, or dropped. */
  isGone: boolean;
}

export class Outbox<T> {
  readonly #capacity: number;
  /** The first is not gone. */
  readonly #queue = new Fifo<Waiting<T>>();
  readonly #keys = new Set<string>();
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
    return this.#keys.size;
  }

  /** Whether there is room for what a part of the log may lead to. */
  get hasRoom(): boolean {
    return 2 * this.size < this.#capacity;
  }

  /** How many have been lost for want of room. */
  get dropped(): number {
    return this.#dropped;
  }

  get published(): number {
    return this.#published;
  }

  /**
   * @param key what says the same has the same
   * @param steady seconds of a clock that only goes forward
   */
  add(key: string, value: T, steady: number): void {
    this.#moveOn(Math.floor(steady));
    if (this.#keys.has(key) || this.#recent.has(key)) return;
    this.#added++;
    this.#keys.add(key);
    this.#queue.push({ value, key, number: this.#added, since: steady, isGone: false });
    if (this.size > this.#capacity) this.#drop();
  }

  /** The oldest, at most so many, which stay until `settle`. */
  first(count: number): readonly Waiting<T>[] {
    return this.#queue.oldest(count).filter(({ isGone }) => !isGone);
  }

  /** Since when the oldest has waited; null when there is none. */
  get oldest(): number | null {
    return this.#queue.first?.since ?? null;
  }

  /** The engine has it. */
  settle(waiting: Waiting<T>): void {
    if (waiting.isGone) return;
    this.#published++;
    this.#remove(waiting);
    if (Math.floor(waiting.since) === this.#second) this.#recent.add(waiting.key);
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
    const oldest = this.#queue.first;
    return oldest === undefined || oldest.number > mark;
  }

  #moveOn(second: number): void {
    if (second <= this.#second) return;
    this.#second = second;
    this.#recent.clear();
  }

  #drop(): void {
    const oldest = this.#queue.first;
    if (oldest === undefined) return;
    this.#remove(oldest);
    this.#dropped++;
  }

  #remove(waiting: Waiting<T>): void {
    waiting.isGone = true;
    this.#keys.delete(waiting.key);
    while (this.#queue.first?.isGone === true) this.#queue.drop();
  }
}
