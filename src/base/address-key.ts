/**
 * Addresses as keys of large tables: IPv4 as a number, IPv6 as its text.
 *
 * Reason: a million texts as keys cost 80 MB and a second to put in, numbers a quarter of both.
 *
 * Promises: two addresses have the same key only if they are the same; keys hold on to nothing else.
 */

import { type IpText, octetsOf } from './address.ts';
import { ownCopy } from './text.ts';

declare const addressKey: unique symbol;

/** A number of 32 bits with sign, which V8 stores in place, or an IPv6 address. */
export type AddressKey = (number | string) & { readonly [addressKey]: true };

export function keyOf(ip: IpText): AddressKey {
  return (ip.includes(':') ? ownCopy(ip) : numberOf(ip)) as AddressKey;
}

export function ipOf(key: AddressKey): IpText {
  return (typeof key === 'number' ? quadOf(key) : key) as IpText;
}

function numberOf(quad: IpText): number {
  const [a, b, c, d] = octetsOf(quad);
  return (a << 24) | (b << 16) | (c << 8) | d;
}

const quadOf = (number: number): string =>
  `${number >>> 24}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
