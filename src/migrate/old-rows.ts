/**
 * What the old map's rows become.
 *
 * They tell no time.  A row was there when the map was written last, so it ends a grace period after that, or has ended: what is
 * carried over is open no longer than the Perl program would have had it, however often the migration is run.
 * Promises: looks only; what is not carried over is a remark.
 */
import { statSync } from 'node:fs';
import { canonicalIp, type IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { noun, quantity } from '../base/quantity.ts';
import { classifierFor } from '../daemon/rules.ts';
import type { RuleSettings } from '../daemon/settings.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { formatMapSpec, mapExists, mapPath, readRows } from '../map/map-types.ts';
import { exampleKeys } from '../map/row.ts';
import type { FormerSettings, Remark } from './former-settings.ts';

/** The rows of the old map. */
export interface OldRows {
  readonly carried: readonly IpText[];
  /** When they end; null when there are none. */
  readonly until: EpochSeconds | null;
}

/**
 * @param old null when it is not known
 * @param grace of the Perl program, in seconds; null when it is not known
 * @param rules of popbsmtp, by which an address may have a row
 * @param remarks gets what is not carried over
 */
export async function rowsOf(
  old: MapSpec | null,
  { dbvalue }: Pick<FormerSettings, 'dbvalue'>,
  grace: number | null,
  { rules, now }: { readonly rules: RuleSettings; readonly now: EpochSeconds },
  remarks: Remark[],
): Promise<OldRows> {
  if (old === null || !(await mapExists(old))) {
    if (old !== null) remarks.push({ where: formatMapSpec(old), text: 'there is no such map' });
    return NO_ROWS;
  }
  const where = formatMapSpec(old);
  if (grace === null || dbvalue.value === null) {
    const lacking = grace === null ? 'the grace period' : 'the value that the Perl program wrote';
    remarks.push({ where, text: `no row of it is carried over: ${lacking} is not known` });
    return NO_ROWS;
  }
  try {
    const rows = await readRows(old);
    const written = Math.min(statSync(mapPath(old)).mtimeMs / 1000, now);
    const until = epoch(Math.floor(written + grace));
    const found = sorted(rows, { where, value: dbvalue.value, until, now }, remarks);
    return { ...found, carried: await grantable(found.carried, rules, where, remarks) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    remarks.push({ where, text: `its rows are not carried over: ${error.message}` });
    return NO_ROWS;
  }
}

const NO_ROWS: OldRows = { carried: [], until: null };

interface About {
  readonly where: string;
  /** Of the rows of the Perl program. */
  readonly value: string;
  readonly until: EpochSeconds;
  readonly now: EpochSeconds;
}

function sorted(
  rows: readonly Row[],
  { where, value, until, now }: About,
  remarks: Remark[],
): OldRows {
  const theirs = rows.filter(row => row.value === value && canonicalIp(row.key) !== null);
  const others = rows.filter(row => !theirs.includes(row));
  if (others.length > 0)
    remarks.push({
      where,
      text: `${quantity(others.length, 'row is', 'rows are')} not the Perl program's, would have no end, and so ${noun(others.length, 'is', 'are')} not carried over: ${exampleKeys(others)}`,
    });
  if (theirs.length === 0) return NO_ROWS;
  if (until <= now) {
    remarks.push({
      where,
      text: `${quantity(theirs.length, 'row is', 'rows are')} past the end, and not carried over: it was last written a grace period ago, or longer`,
    });
    return NO_ROWS;
  }
  const carried = [...new Set(theirs.map(({ key }) => canonicalIp(key)).filter(ip => ip !== null))];
  return { carried, until };
}

/** Those that a login could open as well. */
async function grantable(
  ips: readonly IpText[],
  rules: RuleSettings,
  where: string,
  remarks: Remark[],
): Promise<readonly IpText[]> {
  if (ips.length === 0) return ips;
  const mynetworks = { value: 'none', origin: 'migrate' };
  const classifier = await classifierFor({ ...rules, mynetworks }, text =>
    remarks.push({ where: 'popbsmtp', text }),
  );
  return ips.filter(ip => {
    const verdict = classifier.classify(ip);
    if (verdict.kind === 'grantable') return true;
    remarks.push({ where, text: `${ip} is not carried over: ${verdict.reason}` });
    return false;
  });
}
