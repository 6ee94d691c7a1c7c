/**
 * A Map with a bound, which forgets the half of its entries that were not set for longest, all at once.
 *
 * Why not the single oldest one: taking entries off the front of a Map costs V8 ever longer walks (distinct.ts).
 */

export class Generations<K, V> {
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  readonly #capacity: number;

  /** @param capacity the most entries that are kept; half as many of the latest always are */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: K): V | undefined {
    return (this.#young.has(key) ? this.#young : this.#old).get(key);
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#capacity / 2 && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  /** Each key once, those that were set last at the end. */
  entries(): Map<K, V> {
    return new Map([...this.#old, ...this.#young]);
  }
}
