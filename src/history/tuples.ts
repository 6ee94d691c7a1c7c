/** Rows by three whole numbers each: the same row for the same three, in the order in which they came first. */

import { doubled } from './doubled.ts';

/** Numbers of a row. */
const WIDTH = 3;

export class Tuples {
  /** Row after row, so that the processor fetches one at once. */
  #rows = new Int32Array(1024 * WIDTH);
  #size = 0;
  /** Rows and one; 0 for none.  Twice as many as there are rows at least. */
  #slots = new Int32Array(1024);

  get size(): number {
    return this.#size;
  }

  /** @param third below 2 to the 31st, as are the others */
  row(first: number, second: number, third: number): number {
    const rows = this.#rows;
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(first, second, third) & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#slots[slot] ?? 0) - 1;
      if (row < 0) return this.#add(first, second, third, slot);
      const at = row * WIDTH;
      if (rows[at] === first && rows[at + 1] === second && rows[at + 2] === third) return row;
    }
  }

  of(row: number): readonly [first: number, second: number, third: number] {
    const at = row * WIDTH;
    return [this.#rows[at] ?? 0, this.#rows[at + 1] ?? 0, this.#rows[at + 2] ?? 0];
  }

  #add(first: number, second: number, third: number, slot: number): number {
    const row = this.#size++;
    const at = row * WIDTH;
    if (at === this.#rows.length) this.#rows = doubled(this.#rows);
    this.#rows[at] = first;
    this.#rows[at + 1] = second;
    this.#rows[at + 2] = third;
    this.#slots[slot] = row + 1;
    if (2 * this.size > this.#slots.length) this.#rehash();
    return row;
  }

  #rehash(): void {
    const slots = new Int32Array(4 * this.#slots.length);
    const mask = slots.length - 1;
    for (let row = 0; row < this.size; row++) {
      let slot = hashOf(...this.of(row)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#slots = slots;
  }
}

function hashOf(first: number, second: number, third: number): number {
  let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) ^ Math.imul(third, 0x27d4eb2f);
  return hash ^ (hash >>> 16);
}
