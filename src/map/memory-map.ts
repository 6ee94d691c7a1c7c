/**
 * A map that lives in memory: for dry runs, for the replay of a log, and for tests.
 *
 * Promises: does what the maps that Postfix reads do, down to the order of the rows and the effects.
 */
import type { IpText } from '../classifier/address.ts';
import type { EpochSeconds } from '../clock.ts';
import type { Change, Effect, LookupMap, MapSpec, Row } from './map.ts';
import { stampOf, stampText } from './row.ts';

const byKey = (one: Row, other: Row): number =>
  Buffer.compare(Buffer.from(one.key), Buffer.from(other.key));

export class MemoryMap implements LookupMap {
  readonly spec: MapSpec;
  readonly identity = 'memory';
  readonly #values: Map<string, string>;

  constructor(spec: MapSpec, rows: readonly Row[] = []) {
    this.spec = spec;
    this.#values = new Map(rows.map(({ key, value }) => [key, value]));
  }

  async rows(): Promise<Row[]> {
    const rows = [...this.#values].map(([key, value]) => ({ key, value, stamp: stampOf(value) }));
    return rows.sort(byKey);
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
    const value = this.#values.get(ip);
    if (value !== undefined && stampOf(value) === null) return 'foreign';
    if (stamp === null) return this.#values.delete(ip) ? 'removed' : 'absent';
    this.#values.set(ip, stampText(stamp));
    return value === undefined ? 'added' : 'renewed';
  }
}
