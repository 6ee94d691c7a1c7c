/**
 * Addresses as keys of large tables: IPv4 as a number, IPv6 as its text.
 *
 * Reason: a million texts as keys cost 80 MB and a second to put in, numbers a quarter of both; and V8 keeps a
 * text that was cut out of a log line as a view of the whole line, which such a key would hold in memory.
 *
 * Promises: two addresses have the same key only if they are the same; keys hold on to nothing else.
 */
import { type IpText, octetsOf } from './address.ts';

declare const addressKey: unique symbol;

/** A number of 32 bits with sign, which V8 stores in place, or an IPv6 address. */
export type AddressKey = (number | string) & { readonly [addressKey]: true };

export function keyOf(ip: IpText): AddressKey {
  return (ip.includes(':') ? detached(ip) : numberOf(ip)) as AddressKey;
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

/** An address that holds on to nothing else. */
export const detached = (ip: IpText): IpText =>
  Buffer.from(ip, 'latin1').toString('latin1') as IpText;
