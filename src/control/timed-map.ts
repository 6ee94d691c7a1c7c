/**
 * A map that counts its commits and how long they take; all else is the map's own.
 */

import type { Change, Effect } from '../grant/change.ts';
import type { Grant } from '../grant/grant-table.ts';
import type { LookupMap, MapSpec, Row } from '../map/map.ts';
import type { Counters } from './counters.ts';

export class TimedMap implements LookupMap {
  readonly #map: LookupMap;
  readonly #counters: Counters;

  constructor(map: LookupMap, counters: Counters) {
    this.#map = map;
    this.#counters = counters;
  }

  get spec(): MapSpec {
    return this.#map.spec;
  }

  get identity(): string {
    return this.#map.identity;
  }

  async commit(changes: readonly Change[]): Promise<Effect[]> {
    const start = performance.now();
    try {
      const effects = await this.#map.commit(changes);
      this.#counters.committed((performance.now() - start) / 1000, changes.length);
      return effects;
    } catch (error) {
      this.#counters.commitFailed();
      throw error;
    }
  }

  rows(): Promise<Row[]> {
    return this.#map.rows();
  }

  eachGrant(take: (grant: Grant) => void, other?: (row: Row) => void): Promise<void> {
    return this.#map.eachGrant(take, other);
  }

  remove(rows: readonly Row[]): Promise<Effect[]> {
    return this.#map.remove(rows);
  }

  check(): void {
    this.#map.check();
  }

  reopen(): Promise<Row[]> {
    return this.#map.reopen();
  }

  close(): Promise<void> {
    return this.#map.close();
  }
}
