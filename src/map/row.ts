/**
 * Rows as bytes: what a key and a value look like in the file.
 *
 * `postmap` writes keys and values with one NUL at the end (lmdb_table(5)), and so do we, since a
 * Postfix reader stays with the form that it meets first.  A value of digits alone is the time of a
 * login and so a row of ours; access(5) takes it as OK.  All else belongs to the administrator, also
 * a row whose key has no NUL, which neither of us would write.
 */
import { canonicalIp } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
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

/** The grants among rows. */
export function* grantsIn(rows: readonly Row[]): Generator<Grant> {
  for (const row of rows) {
    const grant = grantOf(row);
    if (grant !== null) yield grant;
  }
}
