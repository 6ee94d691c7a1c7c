/**
 * First in, first out, each step O(1) amortised.
 *
 * A Map in the order of insertion looks like one and is none: V8 walks over all entries that were deleted since it
 * last grew, so that the first key of a busy Map costs thousands of steps (seen: 80 % of the time of a replay).
 */

/** Entries taken before the array is moved up. */
const SLACK = 1024;

export class Fifo<T> {
  #entries: T[] = [];
  #head = 0;

  /** The oldest entry. */
  get first(): T | undefined {
    return this.#entries[this.#head];
  }

  get size(): number {
    return this.#entries.length - this.#head;
  }

  /** So many of the oldest entries, in their order. */
  oldest(count: number): T[] {
    return this.#entries.slice(this.#head, this.#head + count);
  }

  /** Leaves only some of the entries, in their order. */
  keep(isWanted: (entry: T) => boolean): void {
    this.#entries = this.#entries.slice(this.#head).filter(isWanted);
    this.#head = 0;
  }

  push(entry: T): void {
    this.#entries.push(entry);
  }

  /** Takes the oldest entry away. */
  drop(): void {
    if (this.#head === this.#entries.length) return;
    this.#head++;
    if (this.#head < SLACK || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
