/**
 * Rows as bytes: what a key and a value look like in the file.
 *
 * `postmap` writes keys and values with one NUL at the end (lmdb_table(5)), and so do we, since a
 * Postfix reader stays with the form that it meets first.  A value of digits alone is the time of a
 * login and so a row of ours; access(5) takes it as OK.  All else belongs to the administrator, also
 * a row whose key has no NUL, which neither of us would write.
 */
import { canonicalIp } from '../classifier/address.ts';
import { type EpochSeconds, epoch } from '../clock.ts';
import type { Grant } from '../grant/grant-table.ts';
import type { Row } from './map.ts';

const DIGITS = /^[0-9]+$/;

/** The bytes of a key or value. */
export const encode = (text: string): Buffer => Buffer.from(`${text}\0`);

const isTerminated = (bytes: Buffer): boolean => bytes.at(-1) === 0;

/** The text of a key or value; bytes that are not UTF-8 become U+FFFD. */
export function decode(bytes: Buffer): string {
  return bytes.toString('utf8', 0, isTerminated(bytes) ? bytes.length - 1 : bytes.length);
}

/** The value that a row of this time has: whole seconds. */
export const stampText = (stamp: EpochSeconds): string => String(Math.floor(stamp));

/** The time that a value tells, or null if it is the administrator's. */
export function stampOf(value: string): EpochSeconds | null {
  return DIGITS.test(value) ? epoch(Number(value)) : null;
}

export function rowOf(key: Buffer, value: Buffer): Row {
  const text = decode(value);
  return { key: decode(key), value: text, stamp: isTerminated(key) ? stampOf(text) : null };
}

/** The grants among rows: a whole address as its key, a time as its value.  All others are the administrator's. */
export function* grantsIn(rows: readonly Row[]): Generator<Grant> {
  for (const { key, stamp } of rows) {
    if (stamp === null) continue;
    const ip = canonicalIp(key);
    if (ip !== null && ip === key) yield { ip, stamp };
  }
}
