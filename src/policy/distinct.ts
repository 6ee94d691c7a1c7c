/**
 * Counts how many different others each one has been seen with lately: users of an address, addresses of a user.
 *
 * Promises: exact as long as it has room.  A pair counts until its time; of each one only the `most + 1` pairs that
 * count for longest are kept, which is all that it takes to know whether there are more than `most`, so that one
 * address with a million users costs no more than one with a few.  The pairs are bounded in all; when there
 * are more, those of whoever was not seen for longest are forgotten, and he is counted anew.
 * Noting is O(1) amortised, and O(`most`) for one that has more than it may.
 * Pure, with the time passed in.
 */
import { type EpochSeconds, epoch } from '../clock.ts';

/** One that has been seen with more than `most` others. */
export interface Excess<V> {
  /** `most + 1` of them, those that count for longest. */
  readonly values: readonly V[];
  /** Whether this is news: once, and again when the pair that made it news counts no longer. */
  readonly isNews: boolean;
}

interface Seen<V> {
  /** Until when each counts. */
  readonly values: Map<V, EpochSeconds>;
  /** None counts for longer. */
  until: EpochSeconds;
  /** Until when it is no news. */
  toldUntil: EpochSeconds;
}

const NEVER = epoch(Number.NEGATIVE_INFINITY);

export class DistinctCounter<K, V> {
  /** Whoever was seen last is last. */
  readonly #seen = new Map<K, Seen<V>>();
  readonly #capacity: number;
  #size = 0;

  /** @param capacity the most pairs that are kept */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many pairs are kept. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes note of a pair.
   *
   * @param until when it no longer counts, later than `now`
   * @returns null when `key` has not been seen with more than `most` others
   */
  note(
    pair: { readonly key: K; readonly value: V; readonly until: EpochSeconds },
    most: number,
    now: EpochSeconds,
  ): Excess<V> | null {
    const seen = this.#add(pair);
    if (seen.values.size > most) this.#trim(seen.values, most + 1, now);
    this.#sweep(now);
    if (seen.values.size <= most) return null;
    const isNews = seen.toldUntil <= now;
    if (isNews) seen.toldUntil = pair.until;
    return { values: [...seen.values.keys()], isNews };
  }

  /** Forgets everything. */
  clear(): void {
    if (this.#size === 0) return;
    this.#seen.clear();
    this.#size = 0;
  }

  #add({ key, value, until }: { key: K; value: V; until: EpochSeconds }): Seen<V> {
    const known = this.#seen.get(key);
    const seen = known ?? { values: new Map<V, EpochSeconds>(), until, toldUntil: NEVER };
    if (known !== undefined) this.#seen.delete(key);
    this.#seen.set(key, seen);
    const before = seen.values.get(value);
    if (before === undefined) this.#size++;
    if (before === undefined || before < until) seen.values.set(value, until);
    if (seen.until < until) seen.until = until;
    return seen;
  }

  /** Takes out what no longer counts, and then what counts for the shortest time. */
  #trim(values: Map<V, EpochSeconds>, most: number, now: EpochSeconds): void {
    for (const [value, until] of values) if (until <= now) this.#drop(values, value);
    while (values.size > most) {
      let first: [V, EpochSeconds] | null = null;
      for (const entry of values) if (first === null || entry[1] < first[1]) first = entry;
      if (first !== null) this.#drop(values, first[0]);
    }
  }

  #drop(values: Map<V, EpochSeconds>, value: V): void {
    values.delete(value);
    this.#size--;
  }

  /** Forgets those not seen for longest: as far as none of theirs counts, and as many as there is no room for. */
  #sweep(now: EpochSeconds): void {
    for (const [key, { values, until }] of this.#seen) {
      if (until > now && this.#size <= this.#capacity) return;
      this.#seen.delete(key);
      this.#size -= values.size;
    }
  }
}
