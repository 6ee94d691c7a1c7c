/**
 * What a list of changes does to a table, worked out before anything is written.
 *
 * Promises: the changes count in their order, each upon what those before it have left; a row of the administrator's
 * is neither changed nor taken away; what is to be written in the end is told once for each address, and only where
 * it differs from what is there.
 */
import type { IpText } from '../base/address.ts';
import type { Change, Effect } from '../grant/change.ts';
import type { Row } from './map.ts';
import { grantOf, stampOf, stampText } from './row.ts';

export interface Plan {
  /** One for each change. */
  readonly effects: Effect[];
  /** The values that rows get; null for a row that goes. */
  readonly writes: ReadonlyMap<IpText, string | null>;
}

/** @param current the value in the table, or undefined without a row */
export function plan(
  changes: readonly Change[],
  current: (ip: IpText) => string | undefined,
): Plan {
  const writes = new Map<IpText, string | null>();
  const effects = changes.map(({ ip, stamp }): Effect => {
    const written = writes.get(ip);
    const value = (written === undefined ? current(ip) : written) ?? null;
    if (value !== null && stampOf(value) === null) return 'foreign';
    writes.set(ip, stamp === null ? null : stampText(stamp));
    if (stamp === null) return value === null ? 'absent' : 'removed';
    return value === null ? 'added' : 'renewed';
  });
  for (const [ip, value] of writes) {
    if (value === (current(ip) ?? null)) writes.delete(ip);
  }
  return { effects, writes };
}

export interface Revision {
  readonly effects: Effect[];
  /** All rows of ours that the table is to have, by their keys; null when it has just these. */
  readonly grants: ReadonlyMap<string, string> | null;
}

/** The same for a table that is written as a whole. */
export function revise(rows: readonly Row[], changes: readonly Change[]): Revision {
  const grants = new Map<string, string>();
  const foreign = new Map<string, string>();
  for (const row of rows) {
    const kind = grantOf(row) === null ? foreign : grants;
    kind.set(row.key, row.value);
  }
  const { effects, writes } = plan(changes, ip => foreign.get(ip) ?? grants.get(ip));
  for (const [ip, value] of writes) {
    if (value === null) grants.delete(ip);
    else grants.set(ip, value);
  }
  return { effects, grants: writes.size === 0 ? null : grants };
}
