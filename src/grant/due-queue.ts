/**
 * What falls due when: a calendar of quarter seconds.
 *
 * Promises: adding and taking are O(1) amortised, whatever the number of entries; an entry is handed
 * out at the first `take` after its time, and never more than a quarter second late if `take` is called
 * that often, or when `next` says; nothing is handed out early.
 * Leaves to others: entries whose time has moved meanwhile.  They are handed out at the old time, and the
 * owner adds them again: a grant that is refreshed a thousand times still has one entry here.
 */
import { type EpochSeconds, epoch } from '../base/clock.ts';

const SLOTS_A_SECOND = 4;

export class DueQueue<T> {
  readonly #slots = new Map<number, T[]>();
  /** All slots up to and including this one are empty. */
  #taken = Number.NEGATIVE_INFINITY;
  #size = 0;

  /** Entries, those among them whose time has moved or whose owner has let go of them. */
  get size(): number {
    return this.#size;
  }

  clear(): void {
    this.#slots.clear();
    this.#size = 0;
  }

  add(entry: T, due: EpochSeconds): void {
    // An entry in a slot that has been taken already would wait for ever.
    const slot = Math.max(Math.ceil(due * SLOTS_A_SECOND), this.#taken + 1);
    const entries = this.#slots.get(slot);
    if (entries === undefined) this.#slots.set(slot, [entry]);
    else entries.push(entry);
    this.#size++;
  }

  /** Everything that was due by `now`, oldest first. */
  take(now: EpochSeconds): T[] {
    const last = Math.floor(now * SLOTS_A_SECOND);
    if (last <= this.#taken) return [];
    const due = this.#dueSlots(last).flatMap(slot => {
      const entries = this.#slots.get(slot) ?? [];
      this.#slots.delete(slot);
      return entries;
    });
    this.#taken = last;
    this.#size -= due.length;
    return due;
  }

  /**
   * When `take` will next have something, if that is within so many seconds; null if it is not.
   *
   * @param within few: each quarter of a second is looked at
   */
  next(now: EpochSeconds, within: number): EpochSeconds | null {
    const last = Math.floor((now + within) * SLOTS_A_SECOND);
    for (let slot = Math.ceil(now * SLOTS_A_SECOND); slot <= last; slot++)
      if (this.#slots.has(slot)) return epoch(slot / SLOTS_A_SECOND);
    return null;
  }

  /** Takes what is due first, all of one quarter second; `until` is the latest that it was added for. */
  takeEarliest(): { readonly entries: readonly T[]; readonly until: EpochSeconds } {
    let earliest = Number.POSITIVE_INFINITY;
    for (const slot of this.#slots.keys()) earliest = Math.min(earliest, slot);
    const entries = this.#slots.get(earliest) ?? [];
    this.#slots.delete(earliest);
    this.#size -= entries.length;
    return { entries, until: epoch(earliest / SLOTS_A_SECOND) };
  }

  /** Walks the time since the last call, or the slots when there are fewer of them. */
  #dueSlots(last: number): number[] {
    if (last - this.#taken > this.#slots.size) {
      return [...this.#slots.keys()].filter(slot => slot <= last).sort((a, b) => a - b);
    }
    const passed = Array.from(
      { length: last - this.#taken },
      (_, index) => this.#taken + 1 + index,
    );
    return passed.filter(slot => this.#slots.has(slot));
  }
}
