/**
 * The row of a grant of an IPv4 address, read from its bytes as numbers.
 *
 * Reason: a start with a million grants spent most of its time on texts of keys and values, which were turned into these numbers next
 * and thrown away.
 *
 * Promises: what is found is what `grantOf(rowOf(…))` finds (row.ts, against which it is tested); of all else, which that
 * has to look at then, it says that it does not know.
 */
import type { IpText } from '../base/address.ts';
import { epoch } from '../base/clock.ts';
import type { Grant } from '../grant/grant-table.ts';

const NUL = 0;
const DOT = 46;
const ZERO = 48;
/** As many digits are exact as a number. */
const MOST_DIGITS = 15;

/** @returns null for a row that may be anything else */
export function quickGrant(
  bytes: Buffer,
  key: number,
  keyEnd: number,
  value: number,
  valueEnd: number,
): Grant | null {
  if (!isQuad(bytes, key, keyEnd)) return null;
  const stamp = stampIn(bytes, value, valueEnd);
  if (stamp < 0) return null;
  // What was looked at is ASCII, and a canonical address.
  return { ip: bytes.toString('latin1', key, keyEnd - 1) as IpText, stamp: epoch(stamp) };
}

/** Whether there is a dotted quad without leading zeros, and one NUL behind it. */
function isQuad(bytes: Buffer, from: number, to: number): boolean {
  const end = to - 1;
  if (end < from || bytes[end] !== NUL) return false;
  let octets = 0;
  let start = from;
  for (let at = from; at <= end; at++) {
    if (bytes[at] !== DOT && at < end) continue;
    if (!isOctet(bytes, start, at)) return false;
    octets++;
    start = at + 1;
  }
  return octets === 4;
}

function isOctet(bytes: Buffer, from: number, to: number): boolean {
  const digits = to - from;
  if (digits < 1 || digits > 3 || (digits > 1 && bytes[from] === ZERO)) return false;
  const octet = numberIn(bytes, from, to);
  return octet >= 0 && octet <= 255;
}

/** The time that a value tells; below 0 when that is for others to say. */
function stampIn(bytes: Buffer, from: number, to: number): number {
  const end = to > from && bytes[to - 1] === NUL ? to - 1 : to;
  return end === from || end - from > MOST_DIGITS ? -1 : numberIn(bytes, from, end);
}

/** What digits say; below 0 when there is anything else. */
function numberIn(bytes: Buffer, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] ?? NUL) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    number = 10 * number + digit;
  }
  return number;
}
