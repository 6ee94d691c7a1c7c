/**
 * Addresses as keys of large tables: IPv4 as a number, IPv6 as its text.
 *
 * Reason: a million texts as keys cost 80 MB and a second to put in, numbers a quarter of both.
 *
 * Promises: two addresses have the same key only if they are the same; keys hold on to nothing else.
 */

import type { IpText } from './address.ts';
import { ownCopy } from './text.ts';

const DOT = 46;
const ZERO = 48;

declare const addressKey: unique symbol;

/** A number of 32 bits with sign, which V8 stores in place, or an IPv6 address. */
export type AddressKey = (number | string) & { readonly [addressKey]: true };

export function keyOf(ip: IpText): AddressKey {
  return (ip.includes(':') ? ownCopy(ip) : numberOf(ip)) as AddressKey;
}

export function ipOf(key: AddressKey): IpText {
  return (typeof key === 'number' ? quadOf(key) : key) as IpText;
}

/** Without the list of `octetsOf`: a start asks for a million. */
function numberOf(quad: IpText): number {
  let number = 0;
  let octet = 0;
  for (let at = 0; at < quad.length; at++) {
    const code = quad.charCodeAt(at);
    if (code !== DOT) {
      octet = 10 * octet + code - ZERO;
      continue;
    }
    number = (number << 8) | octet;
    octet = 0;
  }
  return (number << 8) | octet;
}

const quadOf = (number: number): string =>
  `${number >>> 24}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
