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
  /** Values, with what they tell. */
  readonly #values: Map<string, Pick<Row, 'value' | 'stamp'>>;

  constructor(spec: MapSpec, rows: readonly Row[] = []) {
    this.spec = spec;
    this.#values = new Map(rows.map(({ key, value }) => [key, { value, stamp: stampOf(value) }]));
  }

  async rows(): Promise<Row[]> {
    const rows = [...this.#values].map(([key, content]) => ({ key, ...content }));
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
    const before = this.#values.get(ip);
    if (before?.stamp === null) return 'foreign';
    if (stamp === null) return this.#values.delete(ip) ? 'removed' : 'absent';
    this.#values.set(ip, { value: stampText(stamp), stamp });
    return before === undefined ? 'added' : 'renewed';
  }
}
