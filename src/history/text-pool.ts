/**
 * Texts as numbers: the same number for the same bytes, without a string being made of them.
 *
 * For whoever goes through millions of entries, in which some thousands of names and addresses come again and again.
 * Promises: a number is the text's as long as the pool is there; 0 is none's, and stands for no text.
 */

import { doubled } from './doubled.ts';

const EMPTY = 0;
/** Bytes that are looked at in one step: one at a time took three times as long. */
const WORD = 4;

export const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView =>
  new DataView(buffer, byteOffset, length);

function hashOf(view: DataView, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + WORD <= end; at += WORD) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x01000193);
  return hash ^ (hash >>> 16);
}

export class TextPool {
  #arena = Buffer.allocUnsafeSlow(65_536);
  #view = viewOf(this.#arena);
  #used = 0;
  /** By numbers: where each ends in the arena. */
  #ends = new Int32Array(2048);
  readonly #texts: (string | undefined)[] = [''];
  /** By hashes: the hash and the number, side by side for the processor's cache; room for twice as many texts as there are at least. */
  #slots = new Int32Array(2 * 4096);

  get size(): number {
    return this.#texts.length - 1;
  }

  /** The number of a text in UTF-8. @param view of all bytes that it stands in */
  of(view: DataView, start: number, end: number): number {
    const hash = hashOf(view, start, end);
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const known = slots[slot + 1] ?? EMPTY;
      if (known === EMPTY) return this.#add(view, start, end, { hash, slot });
      if (slots[slot] === hash && this.#is(known, view, start, end)) return known;
    }
  }

  /** The number of a text. */
  idOf(text: string): number {
    const bytes = Buffer.from(text);
    return this.of(viewOf(bytes), 0, bytes.length);
  }

  /** @param id of a text */
  text(id: number): string {
    const known = this.#texts[id];
    if (known !== undefined) return known;
    const text = this.#arena.toString('utf8', this.#ends[id - 1], this.#ends[id]);
    this.#texts[id] = text;
    return text;
  }

  #is(id: number, view: DataView, start: number, end: number): boolean {
    const from = this.#ends[id - 1] ?? 0;
    if ((this.#ends[id] ?? 0) - from !== end - start) return false;
    const shift = from - start;
    let at = start;
    for (; at + WORD <= end; at += WORD)
      if (this.#view.getInt32(at + shift, true) !== view.getInt32(at, true)) return false;
    for (; at < end; at++) if (this.#view.getUint8(at + shift) !== view.getUint8(at)) return false;
    return true;
  }

  #add(
    view: DataView,
    start: number,
    end: number,
    { hash, slot }: { readonly hash: number; readonly slot: number },
  ): number {
    const length = end - start;
    if (this.#used + length > this.#arena.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (this.#used + length));
      this.#arena.copy(larger, 0, 0, this.#used);
      this.#arena = larger;
      this.#view = viewOf(larger);
    }
    this.#arena.set(new Uint8Array(view.buffer, view.byteOffset + start, length), this.#used);
    this.#used += length;
    const id = this.#texts.push(undefined) - 1;
    if (id === this.#ends.length) this.#ends = doubled(this.#ends);
    this.#ends[id] = this.#used;
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = id;
    if (4 * id > this.#slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const former = this.#slots;
    const slots = new Int32Array(4 * former.length);
    const mask = slots.length - 1;
    for (let at = 0; at < former.length; at += 2) {
      const [hash = 0, id = EMPTY] = former.subarray(at, at + 2);
      if (id === EMPTY) continue;
      let slot = (hash << 1) & mask;
      while (slots[slot + 1] !== EMPTY) slot = (slot + 2) & mask;
      slots[slot] = hash;
      slots[slot + 1] = id;
    }
    this.#slots = slots;
  }
}
