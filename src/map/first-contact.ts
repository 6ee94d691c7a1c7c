/**
 * The first contact with a map that popbsmtp has never owned: what another program has left in it gets an end.
 *
 * The Perl daemon pop-before-smtp writes its grants as `ok`, without a time; as rows of the administrator's they would
 * let their addresses relay for ever.  So they become grants that begin now, and end as such.
 * Promises: it happens once in the life of a map, to whoever looks after it first, also when that one is stopped in the
 * middle; rows that the administrator adds later are never touched.
 * Known limits: a map counts as never owned when the file of its owner is missing (owner.ts), so also after somebody has
 * removed that; in a mirror such rows end at once, since it has no grants but those of the first map.
 */
import { canonicalIp } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import type { Grant } from '../grant/grant-table.ts';
import type { Row } from './map.ts';
import { formatMapSpec } from './map-types.ts';
import type { HeldMap } from './mirror.ts';
import { exampleKeys, isPerlRow } from './row.ts';

/**
 * @param others the rows of the map that are no grants
 * @param now the time that the rows get
 * @returns the grants that were made of rows
 * @throws Failure of the map
 */
export async function meetMap(
  { map, owner }: HeldMap,
  others: readonly Row[],
  now: EpochSeconds,
  warn: (text: string) => void,
): Promise<readonly Grant[]> {
  if (owner?.isFirst !== true) return [];
  const rows = others.filter(isPerlRow);
  const grants = rows.flatMap(({ key }): Grant[] => {
    const ip = canonicalIp(key);
    return ip === null ? [] : [{ ip, stamp: now }];
  });
  if (grants.length > 0) {
    // Two steps: who is stopped between them has closed too much.
    await map.remove(rows);
    await map.commit(grants);
    warn(
      `${formatMapSpec(map.spec)} was another program's: ${grants.length} of its rows said "ok" and had no end; they end ` +
        `after the grace period now: ${exampleKeys(rows)}`,
    );
  }
  await owner.meet();
  return grants;
}

/**
 * The same for a mirror, which somebody else looks after.
 *
 * @throws Failure of the map
 */
export async function meetMirror(
  { map, owner }: HeldMap,
  warn: (text: string) => void,
): Promise<void> {
  if (owner?.isFirst !== true) return;
  const rows: Row[] = [];
  await map.eachGrant(
    () => undefined,
    row => {
      if (isPerlRow(row)) rows.push(row);
    },
  );
  if (rows.length > 0) {
    await map.remove(rows);
    warn(
      `${formatMapSpec(map.spec)} was another program's: ${rows.length} of its rows said "ok" and had no end; they are ` +
        `gone, since it follows the first map: ${exampleKeys(rows)}`,
    );
  }
  await owner.meet();
}
