/**
 * A map that lives in memory: for dry runs, for the replay of a log, and for tests.
 *
 * Promises: does what the maps that Postfix reads do, down to the order of the rows and the effects.
 */

import { canonicalIp, type IpText } from '../base/address.ts';
import { type AddressKey, ipOf, keyOf } from '../base/address-key.ts';
import type { EpochSeconds } from '../base/clock.ts';
import type { Change, Effect } from '../grant/change.ts';
import type { Grant } from '../grant/grant-table.ts';
import type { LookupMap, MapSpec, Row } from './map.ts';
import { byKey, grantsIn, removals, sortOut, stampText } from './row.ts';

export class MemoryMap implements LookupMap {
  readonly spec: MapSpec;
  readonly identity = 'memory';
  readonly #stamps = new Map<AddressKey, EpochSeconds>();
  /** Rows that are none of ours, by their keys. */
  readonly #foreign = new Map<string, Row>();

  constructor(spec: MapSpec, rows: readonly Row[] = []) {
    this.spec = spec;
    for (const row of rows) this.#foreign.set(row.key, row);
    for (const { ip, stamp } of grantsIn(rows)) {
      this.#foreign.delete(ip);
      this.#stamps.set(keyOf(ip), stamp);
    }
  }

  async rows(): Promise<Row[]> {
    const rows = [...this.#stamps].map(([key, stamp]): Row => {
      return { key: ipOf(key), value: stampText(stamp), stamp };
    });
    return [...rows, ...this.#foreign.values()].sort(byKey);
  }

  async eachGrant(take: (grant: Grant) => void, other?: (row: Row) => void): Promise<void> {
    sortOut(await this.rows(), take, other);
  }

  async remove(rows: readonly Row[]): Promise<Effect[]> {
    const effects = removals(await this.rows(), rows);
    for (const [index, { key }] of rows.entries()) {
      if (effects[index] === 'absent') continue;
      const ip = canonicalIp(key);
      if (!this.#foreign.delete(key) && ip !== null) this.#stamps.delete(keyOf(ip));
    }
    return effects;
  }

  async commit(changes: readonly Change[]): Promise<Effect[]> {
    return changes.map(({ ip, stamp }) => this.#apply(ip, stamp));
  }

  check(): void {}

  reopen(): Promise<Row[]> {
    return this.rows();
  }

  async close(): Promise<void> {}

  #apply(ip: IpText, stamp: EpochSeconds | null): Effect {
    if (this.#foreign.has(ip)) return 'foreign';
    const key = keyOf(ip);
    if (stamp === null) return this.#stamps.delete(key) ? 'removed' : 'absent';
    const isNew = !this.#stamps.has(key);
    this.#stamps.set(key, stamp);
    return isNew ? 'added' : 'renewed';
  }
}
