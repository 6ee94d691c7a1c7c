/** What turns one table into another. */
import type { IpText } from '../base/address.ts';
import type { Change } from '../grant/change.ts';
import type { Row } from './map.ts';
import { grantsIn } from './row.ts';

/** The changes that give a table the grants of another; rows of the administrator's in either are not in question. */
export function difference(before: readonly Row[], after: readonly Row[]): Change[] {
  const changes = new Map<IpText, Change>();
  for (const { ip } of grantsIn(before)) changes.set(ip, { ip, stamp: null });
  for (const grant of grantsIn(after)) changes.set(grant.ip, grant);
  return [...changes.values()];
}
