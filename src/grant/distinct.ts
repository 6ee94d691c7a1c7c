/**
 * Counts how many different others each one has been seen with lately: users of an address, addresses of a user.
 *
 * Promises: exact as long as it has room.  A pair counts until its time; of each one only the `most + 1` pairs that
 * count for longest are kept, which is all that it takes to know whether there are more than `most`, so that one
 * address with a million users costs no more than one with a few.  The pairs are bounded in all; when there
 * are more, those of whoever was not seen for longest are forgotten, and he is counted anew.
 * Noting is O(`most`), and mostly O(1), whatever the number of pairs.
 * Pure, with the time passed in.
 *
 * Whoever is seen is in the young generation.  It becomes the old one when it is full, or when nothing in the old
 * one counts any more, and what is in the old one then is forgotten all at once: taking single entries off the
 * front of a Map, the least lately used first, costs V8 ever longer walks over the places that they have left.
 */
import { type EpochSeconds, epoch } from '../base/clock.ts';

/** One that has been seen with more than `most` others. */
export interface Excess<V> {
  /** `most + 1` of them, those that count for longest. */
  readonly values: readonly V[];
  /** Whether this is news: once, and again when the pair that made it news counts no longer. */
  readonly isNews: boolean;
}

interface Pair<V> {
  readonly value: V;
  until: EpochSeconds;
}

interface Seen<V> {
  pairs: Pair<V>[];
  /** Until when it is no news. */
  toldUntil: EpochSeconds;
}

interface Generation<K, V> {
  readonly seen: Map<K, Seen<V>>;
  /** The number of all pairs in it. */
  size: number;
  /** No pair in it counts for longer. */
  until: EpochSeconds;
}

const NEVER = epoch(Number.NEGATIVE_INFINITY);

const generation = <K, V>(): Generation<K, V> => ({ seen: new Map(), size: 0, until: NEVER });

export class DistinctCounter<K, V> {
  #young = generation<K, V>();
  #old = generation<K, V>();
  readonly #capacity: number;

  /** @param capacity the most pairs that are kept; at least twice what is kept of one */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many pairs are kept. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /**
   * Takes note of a pair.
   *
   * @param until when it no longer counts, later than `now`
   * @returns null when `key` has not been seen with more than `most` others
   */
  note(
    { key, value, until }: { readonly key: K; readonly value: V; readonly until: EpochSeconds },
    most: number,
    now: EpochSeconds,
  ): Excess<V> | null {
    // One comes with all its pairs, and one more.
    const isFull = this.#young.size + most + 2 > this.#capacity / 2;
    if (isFull || this.#old.until <= now) this.#age();
    if (this.#old.until <= now) this.#age();
    const seen = this.#seen(key);
    const before = seen.pairs.length;
    add(seen.pairs, { value, until });
    if (seen.pairs.length > most) seen.pairs = longest(seen.pairs, most + 1, now);
    const young = this.#young;
    young.size += seen.pairs.length - before;
    if (young.until < until) young.until = until;
    if (seen.pairs.length <= most) return null;
    const isNews = seen.toldUntil <= now;
    if (isNews) seen.toldUntil = until;
    return { values: seen.pairs.map(pair => pair.value), isNews };
  }

  /** Forgets everything. */
  clear(): void {
    if (this.size === 0) return;
    this.#age();
    this.#age();
  }

  #age(): void {
    this.#old = this.#young;
    this.#young = generation();
  }

  /** What is known of one, in the young generation from now on. */
  #seen(key: K): Seen<V> {
    const [young, old] = [this.#young, this.#old];
    const known = young.seen.get(key);
    if (known !== undefined) return known;
    const seen = old.seen.get(key) ?? { pairs: [], toldUntil: NEVER };
    if (old.seen.delete(key)) old.size -= seen.pairs.length;
    young.seen.set(key, seen);
    young.size += seen.pairs.length;
    for (const { until } of seen.pairs) if (young.until < until) young.until = until;
    return seen;
  }
}

function add<V>(pairs: Pair<V>[], pair: Pair<V>): void {
  const known = pairs.find(({ value }) => value === pair.value);
  if (known === undefined) pairs.push(pair);
  else if (known.until < pair.until) known.until = pair.until;
}

/** Those that still count, and of them as many as may be, those that count for longest. */
function longest<V>(pairs: readonly Pair<V>[], most: number, now: EpochSeconds): Pair<V>[] {
  const live = pairs.filter(({ until }) => until > now);
  if (live.length <= most) return live;
  const last = live.map(({ until }) => until).sort((a, b) => b - a)[most - 1] ?? NEVER;
  const longer = live.filter(({ until }) => until > last);
  const equal = live.filter(({ until }) => until === last);
  return [...longer, ...equal.slice(longer.length - most)];
}
