/**
 * Who has how many of the grants, and whose turn it is when one must go.
 *
 * A holder is whatever has a name: a user, a network.  Each grant that a holder has is an entry with a number, which
 * whoever adds it keeps.
 * Promises: who has most, and which of his grants has not been touched for longest, is known at any moment; every step
 * is O(1) amortised, whatever the numbers; a grant costs 28 bytes, a holder 40, in arrays that no garbage collection looks
 * at.
 * Known limit: holders are told apart by 32 bits of a hash, so that some hundred of a million names count as one with
 * another; which they are depends on a number that is drawn at each start, so that nobody can choose them.
 */
import { randomInt } from 'node:crypto';
import type { AddressKey } from '../base/address-key.ts';
import { Lists, NONE, reaching } from './lists.ts';

const LEAST_BITS = 10;

export class Shares {
  /** Odd. */
  readonly #factor = 2 * randomInt(2 ** 31) + 1;
  /** The entries of each holder, that which was not touched for longest first. */
  readonly #entries = new Lists();
  /** The holders of each number of entries. */
  readonly #sizes = new Lists();
  /** The holders of each hash, by some of its bits. */
  #chains = new Lists();
  #bits = LEAST_BITS;
  /** By entry. */
  readonly #keys: AddressKey[] = [];
  #holders = new Int32Array();
  /** By holder. */
  #hashes = new Int32Array();
  #counts = new Int32Array();
  readonly #freeEntries: number[] = [];
  readonly #freeHolders: number[] = [];
  #holderCount = 0;
  #most = 0;

  /** How many whoever has most has. */
  get most(): number {
    return this.#most;
  }

  /** Of whoever has most, the grant that was not touched for longest; undefined when there is none. */
  get next(): AddressKey | undefined {
    const holder = this.#sizes.first(this.#most);
    return holder === NONE ? undefined : this.#keys[this.#entries.first(holder)];
  }

  /** How many a holder has. */
  sizeOf(name: string): number {
    const holder = this.#find(this.#hash(name));
    return holder === NONE ? 0 : this.#count(holder);
  }

  /** How many the holder of an entry has, this one among them. */
  sizeAt(entry: number): number {
    return this.#count(this.#holders[entry] ?? NONE);
  }

  /** The grants of a holder. */
  *of(name: string): Generator<AddressKey> {
    const holder = this.#find(this.#hash(name));
    if (holder === NONE) return;
    for (let at = this.#entries.first(holder); at !== NONE; at = this.#entries.after(at)) {
      const key = this.#keys[at];
      if (key !== undefined) yield key;
    }
  }

  /** @returns the number of the entry, from 0 on */
  add(name: string, key: AddressKey): number {
    const entry = this.#freeEntries.pop() ?? this.#keys.length;
    this.#keys[entry] = key;
    this.#enter(entry, this.#hash(name));
    return entry;
  }

  /** Gives an entry to a holder, from the one who has it. */
  move(entry: number, name: string): void {
    this.#leave(entry);
    this.#enter(entry, this.#hash(name));
  }

  touch(entry: number): void {
    const holder = this.#holders[entry] ?? NONE;
    this.#entries.remove(holder, entry);
    this.#entries.push(holder, entry);
  }

  remove(entry: number): void {
    this.#leave(entry);
    this.#freeEntries.push(entry);
  }

  #enter(entry: number, hash: number): void {
    const found = this.#find(hash);
    const holder = found === NONE ? this.#newHolder(hash) : found;
    this.#holders = reaching(this.#holders, entry);
    this.#holders[entry] = holder;
    this.#entries.push(holder, entry);
    this.#resize(holder, this.#count(holder) + 1);
  }

  #leave(entry: number): void {
    const holder = this.#holders[entry] ?? NONE;
    this.#entries.remove(holder, entry);
    this.#resize(holder, this.#count(holder) - 1);
    if (this.#count(holder) > 0) return;
    this.#chains.remove(this.#chainOf(this.#hashes[holder] ?? 0), holder);
    this.#freeHolders.push(holder);
    this.#holderCount--;
  }

  /** By one at a time, so that whoever had most is never more than one away from whoever has. */
  #resize(holder: number, count: number): void {
    const before = this.#count(holder);
    if (before > 0) this.#sizes.remove(before, holder);
    this.#counts[holder] = count;
    if (count > 0) this.#sizes.push(count, holder);
    if (count > this.#most) this.#most = count;
    else if (this.#sizes.first(this.#most) === NONE) this.#most = count;
  }

  #newHolder(hash: number): number {
    if (this.#holderCount >= 2 ** this.#bits) this.#grow();
    const holder = this.#freeHolders.pop() ?? this.#holderCount;
    this.#holderCount++;
    this.#hashes = reaching(this.#hashes, holder);
    this.#counts = reaching(this.#counts, holder);
    this.#hashes[holder] = hash;
    this.#counts[holder] = 0;
    this.#chains.push(this.#chainOf(hash), holder);
    return holder;
  }

  /** All numbers of holders are in use when it is called. */
  #grow(): void {
    this.#bits++;
    this.#chains = new Lists();
    for (let holder = 0; holder < this.#holderCount; holder++) {
      this.#chains.push(this.#chainOf(this.#hashes[holder] ?? 0), holder);
    }
  }

  #find(hash: number): number {
    let holder = this.#chains.first(this.#chainOf(hash));
    while (holder !== NONE && this.#hashes[holder] !== hash) holder = this.#chains.after(holder);
    return holder;
  }

  #chainOf(hash: number): number {
    return hash >>> (32 - this.#bits);
  }

  #count(holder: number): number {
    return this.#counts[holder] ?? 0;
  }

  #hash(name: string): number {
    const factor = this.#factor;
    let hash = name.length;
    for (let at = 0; at < name.length; at++) {
      hash = Math.imul(hash ^ name.charCodeAt(at), factor);
      hash ^= hash >>> 15;
    }
    return Math.imul(hash, factor);
  }
}
