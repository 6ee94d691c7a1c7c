/**
 * What stands in an `lmdb:` map at one moment, in as little memory as it can be kept: the grants of IPv4 addresses are two numbers each.
 *
 * Reason: a start looks through the whole map to see that it is sound, and wants its grants then, a second walk through a million rows.
 */
import { type AddressKey, ipOf } from '../base/address-key.ts';
import type { EpochSeconds } from '../base/clock.ts';
import type { Grant } from '../grant/grant-table.ts';
import { readMeta } from './lmdb-meta.ts';
import { walk } from './lmdb-tree.ts';
import type { Row } from './map.ts';
import { takeQuick } from './quick-row.ts';
import { rowOf, sortOut } from './row.ts';

export class LmdbContent {
  /** Of the last transaction that is in it. */
  readonly txnid: number;
  /** Of the file. */
  readonly inode: bigint;
  readonly #keys: AddressKey[] = [];
  readonly #stamps: EpochSeconds[] = [];
  readonly #rows: Row[] = [];

  /**
   * @param image the whole file
   * @throws Damage
   */
  constructor(image: Buffer, inode: bigint) {
    this.inode = inode;
    this.txnid = readMeta(image).txnid;
    const take = (key: AddressKey, stamp: EpochSeconds): void => {
      this.#keys.push(key);
      this.#stamps.push(stamp);
    };
    walk(image, (key, keyEnd, value, valueEnd) => {
      if (takeQuick(image, key, keyEnd, value, valueEnd, take)) return;
      this.#rows.push(rowOf(image, key, keyEnd, value, valueEnd));
    });
  }

  /** Rows. */
  get size(): number {
    return this.#keys.length + this.#rows.length;
  }

  /** Tells the grants, in no order, and the rows that are none. */
  each(take: (grant: Grant) => void, other?: (row: Row) => void): void {
    for (const [index, key] of this.#keys.entries()) {
      const stamp = this.#stamps[index];
      if (stamp !== undefined) take({ ip: ipOf(key), stamp });
    }
    sortOut(this.#rows, take, other);
  }
}
