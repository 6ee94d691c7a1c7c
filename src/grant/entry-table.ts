/**
 * What is known of each grant, by its address: a hash table of numbers for IPv4, a Map for IPv6.
 *
 * Reason: with a Map of objects a million grants took 82 MB that every garbage collection had to walk through, and half
 * a second to put in at a restart; in arrays of numbers they take 52 MB that none looks at, and a third of the time.
 *
 * Promises: as a Map does, for any order of steps; what `get` gives is a copy.  `keys` are those of the moment at which
 * it was called, whatever happens until they have been walked through.  Each step is O(1) amortised; where an address
 * stands depends on a number that is drawn at each start, so that nobody can choose addresses that are slow together.
 * Known limit: growing moves all entries at once, which takes some 50 ms for a million.
 */
import { randomInt } from 'node:crypto';
import type { AddressKey } from '../base/address-key.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import type { Held } from './holders.ts';
import { NONE } from './lists.ts';

export interface Entry extends Held {
  readonly stamp: EpochSeconds;
  /** When the grant ends, on the steady clock, in the ticks of grant-table.ts. */
  readonly due: number;
}

const EMPTY = 0;
const USED = 1;
const DELETED = 2;
const LEAST_BITS = 10;
/** Beyond this share of places that are not empty it grows, or is tidied. */
const FULL = 0.6;

export class EntryTable {
  readonly #others = new Map<AddressKey, Entry>();
  /** Odd. */
  readonly #multiplier = 2 * randomInt(2 ** 31) + 1;
  #bits = LEAST_BITS;
  #used = 0;
  /** Places that are not empty. */
  #taken = 0;
  #states = new Uint8Array(2 ** LEAST_BITS);
  #keys = new Int32Array(2 ** LEAST_BITS);
  #stamps = new Float64Array(2 ** LEAST_BITS);
  #dues = new Float64Array(2 ** LEAST_BITS);
  #users = new Int32Array(2 ** LEAST_BITS);

  get size(): number {
    return this.#used + this.#others.size;
  }

  get(key: AddressKey): Entry | undefined {
    if (typeof key !== 'number') return this.#others.get(key);
    const at = this.#find(key);
    if (at < 0) return undefined;
    const stamp = epoch(this.#stamps[at] ?? 0);
    return { stamp, due: this.#dues[at] ?? 0, user: this.#users[at] ?? NONE, network: NONE };
  }

  has(key: AddressKey): boolean {
    return typeof key === 'number' ? this.#find(key) >= 0 : this.#others.has(key);
  }

  set(key: AddressKey, entry: Entry): void {
    if (typeof key !== 'number') {
      this.#others.set(key, entry);
      return;
    }
    const found = this.#find(key);
    this.#write(found < 0 ? this.#add(key) : found, entry);
  }

  /** Makes room for so many at once: to grow on the way there would leave as much memory behind in pieces. */
  expect(count: number): void {
    let bits = this.#bits;
    while (count >= FULL * 2 ** bits) bits++;
    if (bits > this.#bits) this.#move(bits);
  }

  /** Like `set`, of a key that is known to have no entry. */
  add(key: AddressKey, entry: Entry): void {
    if (typeof key === 'number') this.#write(this.#add(key), entry);
    else this.#others.set(key, entry);
  }

  /** @returns whether there was one */
  delete(key: AddressKey): boolean {
    if (typeof key !== 'number') return this.#others.delete(key);
    const at = this.#find(key);
    if (at < 0) return false;
    this.#states[at] = DELETED;
    this.#used--;
    if (this.#bits > LEAST_BITS && this.#used < this.#keys.length / 16) this.#move(this.#bits - 2);
    return true;
  }

  keys(): Iterable<AddressKey> {
    const numbers = this.#keys.filter((_, at) => this.#states[at] === USED);
    return both(numbers, [...this.#others.keys()]);
  }

  #place(key: number): number {
    return Math.imul(key, this.#multiplier) >>> (32 - this.#bits);
  }

  /** Where a key stands, or -1. */
  #find(key: number): number {
    const [states, keys] = [this.#states, this.#keys];
    const last = keys.length - 1;
    for (let at = this.#place(key); states[at] !== EMPTY; at = (at + 1) & last) {
      if (keys[at] === key && states[at] === USED) return at;
    }
    return -1;
  }

  /** Takes a place for a key that has none. */
  #add(key: number): number {
    if (this.#taken >= FULL * this.#keys.length) {
      this.#move(this.#used > (FULL * this.#keys.length) / 2 ? this.#bits + 1 : this.#bits);
    }
    const last = this.#keys.length - 1;
    let at = this.#place(key);
    while (this.#states[at] === USED) at = (at + 1) & last;
    if (this.#states[at] === EMPTY) this.#taken++;
    this.#states[at] = USED;
    this.#keys[at] = key;
    this.#used++;
    return at;
  }

  #write(at: number, { stamp, due, user }: Entry): void {
    this.#stamps[at] = stamp;
    this.#dues[at] = due;
    this.#users[at] = user;
  }

  /** Puts all entries into new arrays of so many bits. */
  #move(bits: number): void {
    const [states, keys] = [this.#states, this.#keys];
    const [stamps, dues, users] = [this.#stamps, this.#dues, this.#users];
    this.#bits = bits;
    this.#used = 0;
    this.#taken = 0;
    this.#states = new Uint8Array(2 ** bits);
    this.#keys = new Int32Array(2 ** bits);
    this.#stamps = new Float64Array(2 ** bits);
    this.#dues = new Float64Array(2 ** bits);
    this.#users = new Int32Array(2 ** bits);
    for (let from = 0; from < keys.length; from++) {
      if (states[from] !== USED) continue;
      const at = this.#add(keys[from] ?? 0);
      this.#stamps[at] = stamps[from] ?? 0;
      this.#dues[at] = dues[from] ?? 0;
      this.#users[at] = users[from] ?? NONE;
    }
  }
}

function* both(numbers: Int32Array, others: readonly AddressKey[]): Generator<AddressKey> {
  // A number of this table has been a key of that sort before.
  for (const number of numbers) yield number as AddressKey;
  yield* others;
}
