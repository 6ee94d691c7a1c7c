/**
 * The row of a grant of an IPv4 address, read from its bytes as numbers.
 *
 * Reason: a start with a million grants spent most of its time on texts of keys and values, which were turned into these numbers next
 * and thrown away.
 *
 * Promises: what is found is what `grantOf(rowOf(…))` finds (row.ts, against which it is tested); of all else, which that
 * has to look at then, it says that it does not know.
 */
import type { AddressKey } from '../base/address-key.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';

const NUL = 0;
const DOT = 46;
const ZERO = 48;
/** As many digits are exact as a number. */
const MOST_DIGITS = 15;
const NONE = Number.NaN;

/** @returns whether it was given to `take`; it may be anything else */
export function takeQuick(
  bytes: Buffer,
  key: number,
  keyEnd: number,
  value: number,
  valueEnd: number,
  take: (key: AddressKey, stamp: EpochSeconds) => void,
): boolean {
  const stamp = stampIn(bytes, value, valueEnd);
  const address = stamp < 0 ? NONE : quadIn(bytes, key, keyEnd);
  if (Number.isNaN(address)) return false;
  take(address as AddressKey, epoch(stamp));
  return true;
}

/** The number of a dotted quad without leading zeros, and with one NUL behind it (address-key.ts). */
function quadIn(bytes: Buffer, from: number, to: number): number {
  const end = to - 1;
  if (end < from || bytes[end] !== NUL) return NONE;
  let number = 0;
  let octets = 0;
  let start = from;
  for (let at = from; at <= end; at++) {
    if (bytes[at] !== DOT && at < end) continue;
    const octet = octetIn(bytes, start, at);
    if (octet < 0) return NONE;
    number = (number << 8) | octet;
    octets++;
    start = at + 1;
  }
  return octets === 4 ? number : NONE;
}

/** Below 0 when it is none. */
function octetIn(bytes: Buffer, from: number, to: number): number {
  const digits = to - from;
  if (digits < 1 || digits > 3 || (digits > 1 && bytes[from] === ZERO)) return -1;
  const octet = numberIn(bytes, from, to);
  return octet <= 255 ? octet : -1;
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
