/**
 * Rows as bytes: what a key and a value look like in the file.
 *
 * `postmap` writes keys and values with one NUL at the end (lmdb_table(5)), and so do we, since a
 * Postfix reader stays with the form that it meets first.  A value of digits alone is the time of a
 * login and so a row of ours; access(5) takes it as OK.  All else belongs to the administrator, also
 * a row whose key has no NUL, which neither of us would write.
 *
 * A row of the administrator's that lets clients relay never ends.  By its key it may be about one address, or about
 * more: `smtpd` looks a client up by its name, by the domains that this is in, by `unknown`, and by its address and
 * what is left of that when parts are taken off its end (access(5), hostaddr lookups), so `10` opens a whole network.
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { excerpt } from '../base/excerpt.ts';
import type { Change, Effect } from '../grant/change.ts';
import type { Grant } from '../grant/grant-table.ts';
import type { Row } from './map.ts';

const DIGITS = /^[0-9]+$/;

/** The bytes of a key or value. */
export const encode = (text: string): Buffer => Buffer.from(`${text}\0`);

/** The text of a key or value that stands in `bytes`; what is not UTF-8 becomes U+FFFD. */
export function decode(bytes: Buffer, from = 0, to: number = bytes.length): string {
  return bytes.toString('utf8', from, isTerminated(bytes, from, to) ? to - 1 : to);
}

const isTerminated = (bytes: Buffer, from: number, to: number): boolean =>
  to > from && bytes[to - 1] === 0;

/** The value that a row of this time has: whole seconds. */
export const stampText = (stamp: EpochSeconds): string => String(Math.floor(stamp));

/** The time that a value tells, or null if it is the administrator's. */
export function stampOf(value: string): EpochSeconds | null {
  return DIGITS.test(value) ? epoch(Number(value)) : null;
}

/** The row whose key and value stand in `bytes`. */
export function rowOf(
  bytes: Buffer,
  key: number,
  keyEnd: number,
  value: number,
  valueEnd: number,
): Row {
  const text = decode(bytes, value, valueEnd);
  const stamp = isTerminated(bytes, key, keyEnd) ? stampOf(text) : null;
  return { key: decode(bytes, key, keyEnd), value: text, stamp };
}

/** The order of rows: by UTF-16, which is the order of the bytes for every key that can be looked up. */
export const byKey = (one: Row, other: Row): number => (one.key < other.key ? -1 : 1);

/** The grant that a row is: a whole address as its key, a time as its value.  Null for the administrator's. */
export function grantOf({ key, stamp }: Row): Grant | null {
  if (stamp === null) return null;
  const ip = canonicalIp(key);
  return ip !== null && ip === key ? { ip, stamp } : null;
}

/** The actions of access(5) that let nobody relay; a restriction or class of main.cf may. */
const NO_PERMIT =
  /^(?:[45]\d\d\s|(?:REJECT|DEFER|DEFER_IF_REJECT|DEFER_IF_PERMIT|DISCARD|DUNNO|BCC|FILTER|HOLD|INFO|PREPEND|REDIRECT|WARN)(?:\s|$))/i;

/** Whether a row that is no grant may let a client relay; nothing will ever end that. */
export const isEndless = (row: Row): boolean =>
  grantOf(row) === null && row.harmless !== true && !NO_PERMIT.test(row.value);

/** Whether the key of a row is one whole address as Postfix looks it up; any other one may stand for many clients. */
export const isWhole = ({ key }: Row): boolean => canonicalIp(key) === key;

/**
 * Whether a row is one that the Perl daemon pop-before-smtp has left: an address with its value (its `$dbvalue`, 1.42).
 * `OK` in capitals is what administrators write by hand.
 */
export const isPerlRow = (row: Row): boolean => row.value === 'ok' && isWhole(row);

/** As many are named. */
const EXAMPLES = 3;
const MOST_CHARACTERS = 100;

/** The first keys, for people to read: `192.0.2, 198.51.100.1, 198.51.100.2, …`; those that may open networks before others. */
export function exampleKeys(rows: readonly Row[]): string {
  const wide = rows.filter(row => !isWhole(row));
  const first = [...wide, ...rows.filter(isWhole)].slice(0, EXAMPLES);
  const shown = first.map(({ key }) =>
    excerpt(Buffer.from(key).toString('latin1'), MOST_CHARACTERS),
  );
  return [...shown, ...(rows.length > EXAMPLES ? ['…'] : [])].join(', ');
}

/** Tells grants and other rows apart. */
export function sortOut(
  rows: readonly Row[],
  take: (grant: Grant) => void,
  other?: (row: Row) => void,
): void {
  for (const row of rows) {
    const grant = grantOf(row);
    if (grant === null) other?.(row);
    else take(grant);
  }
}

/** Whether a row is one of these, with the same value. */
export function among(rows: readonly Row[]): (row: Row) => boolean {
  const texts = new Set(rows.map(textOf));
  return row => texts.has(textOf(row));
}

const textOf = ({ key, value }: Row): string => `${key}\0${value}`;

/** What becomes of rows that are to be taken away from among these. */
export function removals(rows: readonly Row[], gone: readonly Row[]): Effect[] {
  const isThere = among(rows);
  return gone.map(row => (isThere(row) ? 'removed' : 'absent'));
}

/** The grants among rows. */
export function* grantsIn(rows: readonly Row[]): Generator<Grant> {
  for (const row of rows) {
    const grant = grantOf(row);
    if (grant !== null) yield grant;
  }
}

/** The changes that give a table the grants of another; rows of the administrator's in either are not in question. */
export function difference(before: readonly Row[], after: readonly Row[]): Change[] {
  const changes = new Map<IpText, Change>();
  for (const { ip } of grantsIn(before)) changes.set(ip, { ip, stamp: null });
  for (const grant of grantsIn(after)) changes.set(grant.ip, grant);
  return [...changes.values()];
}
