/**
 * What counts as one client where clients are counted: an IPv4 address, or the /64 of an IPv6 address.
 *
 * A host has all addresses of its /64 for the taking, and changes them by itself (RFC 4291, section 2.5.1; RFC 8981).
 * Known limits: whoever has more than a /64 counts once for each; a translator's own prefix cannot be known, only the
 * well-known one.
 */
import ipaddr from 'ipaddr.js';
import { addressOf, type IpText, inetNtop } from './address.ts';

/** Behind it stands an IPv4 address, another one for each (RFC 6052, section 2.1). */
const TRANSLATED = '64:ff9b::';

/** @returns the address itself, or its network such as `2001:db8::/64` */
export function subnetOf(ip: IpText): string {
  if (!ip.includes(':') || ip.startsWith(TRANSLATED)) return ip;
  const address = addressOf(ip);
  if (address instanceof ipaddr.IPv4) return ip;
  return `${inetNtop(new ipaddr.IPv6([...address.parts.slice(0, 4), 0, 0, 0, 0]))}/64`;
}
