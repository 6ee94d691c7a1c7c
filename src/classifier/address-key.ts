/**
 * Addresses as keys of large tables: IPv4 as a number, IPv6 as its text.
 *
 * Reason: a million texts as keys cost 80 MB and a second to put in, numbers a quarter of both; and V8 keeps a
 * text that was cut out of a log line as a view of the whole line, which such a key would hold in memory.
 *
 * Promises: two addresses have the same key only if they are the same; keys hold on to nothing else.
 */
import type { IpText } from './address.ts';

declare const addressKey: unique symbol;

/** A number of 32 bits with sign, which V8 stores in place, or an IPv6 address. */
export type AddressKey = (number | string) & { readonly [addressKey]: true };

const DOT = 46;
const DIGIT_ZERO = 48;

export function keyOf(ip: IpText): AddressKey {
  return (ip.includes(':') ? detached(ip) : numberOf(ip)) as AddressKey;
}

export function ipOf(key: AddressKey): IpText {
  return (typeof key === 'number' ? quadOf(key) : key) as IpText;
}

function numberOf(quad: IpText): number {
  let number = 0;
  let octet = 0;
  for (let at = 0; at < quad.length; at++) {
    const code = quad.charCodeAt(at);
    if (code === DOT) {
      number = (number << 8) | octet;
      octet = 0;
    } else octet = octet * 10 + code - DIGIT_ZERO;
  }
  return (number << 8) | octet;
}

const quadOf = (number: number): string =>
  `${number >>> 24}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

const detached = (ip: IpText): string => Buffer.from(ip, 'latin1').toString('latin1');
