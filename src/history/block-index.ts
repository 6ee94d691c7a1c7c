/**
 * Which blocks of a history may have something about an address, a user, an order or the daemon, by their filters (text-filter.ts).
 *
 * Pure.  Promises: blocks that have no filter, from an earlier version, may have anything.
 */
import { mayHave, wantedOf } from './text-filter.ts';

/** Put into a filter beside the texts: no address and no name is such a text. */
export const OF_DAEMON = '\0daemon';
export const OF_ORDER = '\0order';

export class BlockIndex {
  readonly #keys: readonly Buffer[];
  readonly #filters: ReadonlyMap<string, Buffer>;

  /**
   * @param keys of the blocks, in their order
   * @param filters by the keys of their blocks, in hexadecimal
   */
  constructor(keys: readonly Buffer[], filters: ReadonlyMap<string, Buffer>) {
    this.#keys = keys;
    this.#filters = filters;
  }

  /** The keys of the blocks that may have all of one of the lists, in their order. */
  having(lists: readonly (readonly string[])[]): Buffer[] {
    const wanted = lists.map(texts => texts.map(wantedOf));
    return this.#keys.filter(key => {
      const filter = this.#filters.get(key.toString('hex'));
      if (filter === undefined) return true;
      return wanted.some(texts => texts.every(text => mayHave(filter, text)));
    });
  }
}
