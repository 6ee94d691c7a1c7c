/**
 * Many lists of numbers, each number in one of them at most: doubly linked, in arrays of numbers.
 *
 * Reason: as objects a million entries cost 100 MB that every garbage collection walks through; so they cost 16 MB that
 * none looks at.
 *
 * Promises: every step is O(1) amortised.  Lists and entries are numbered from 0 on, the lower the less memory.
 */

/** No entry. */
export const NONE = -1;

export class Lists {
  /** By list, and by entry. */
  #first = new Int32Array();
  #last = new Int32Array();
  #next = new Int32Array();
  #previous = new Int32Array();

  /** The first entry of a list, or NONE. */
  first(list: number): number {
    return this.#first[list] ?? NONE;
  }

  /** The entry behind this one in its list, or NONE. */
  after(entry: number): number {
    return this.#next[entry] ?? NONE;
  }

  /** Puts an entry that is in no list at the end of one. */
  push(list: number, entry: number): void {
    this.#first = reaching(this.#first, list);
    this.#last = reaching(this.#last, list);
    this.#next = reaching(this.#next, entry);
    this.#previous = reaching(this.#previous, entry);
    const last = this.#last[list] ?? NONE;
    this.#previous[entry] = last;
    this.#next[entry] = NONE;
    this.#last[list] = entry;
    if (last === NONE) this.#first[list] = entry;
    else this.#next[last] = entry;
  }

  /** Takes an entry out of the list that it is in. */
  remove(list: number, entry: number): void {
    const previous = this.#previous[entry] ?? NONE;
    const next = this.#next[entry] ?? NONE;
    if (previous === NONE) this.#first[list] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#last[list] = previous;
    else this.#previous[next] = previous;
  }
}

const LEAST = 16;

/** The array, or a longer one with the same beginning and NONE behind it, so that it has such a place. */
export function reaching(numbers: Int32Array<ArrayBuffer>, at: number): Int32Array<ArrayBuffer> {
  if (at < numbers.length) return numbers;
  const longer = new Int32Array(Math.max(LEAST, at + 1, 2 * numbers.length)).fill(NONE);
  longer.set(numbers);
  return longer;
}
