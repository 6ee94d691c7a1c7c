/**
 * Addresses as text, in the one form that Postfix looks up.
 *
 * `smtpd` looks a client up by what `inet_ntop` prints, with an IPv4-mapped IPv6 address folded to
 * IPv4 (Postfix src/util/sane_sockaddr_to_hostaddr.c), so that is the only form a map row may have:
 * another spelling would never be found, and a partial one such as `10` would allow a whole network.
 */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

declare const ipText: unique symbol;

/** A canonical address: dotted quad, or IPv6 lower case with the longest zero run compressed. */
export type IpText = string & { readonly [ipText]: true };

/**
 * The canonical form of a full address, or null if the text is not one.
 *
 * Strict: no zone (`fe80::1%eth0` cannot be authorised), no brackets, no leading zeros in a quad
 * (some programs read `010.0.0.1` as octal, others do not, so it names no address for certain).
 */
export function canonicalIp(text: string): IpText | null {
  if (isIPv4(text)) return text as IpText;
  if (!isIPv6(text) || text.includes('%')) return null;
  const { parts } = ipaddr.IPv6.parse(text);
  return (isMapped(parts) ? quad(parts) : inetNtop(parts)) as IpText;
}

const isZero = (part: number): boolean => part === 0;

function isMapped(parts: readonly number[]): boolean {
  return parts.slice(0, 5).every(isZero) && parts[5] === 0xffff;
}

/** The last 32 bits as a dotted quad. */
function quad(parts: readonly number[]): string {
  const [high = 0, low = 0] = parts.slice(6);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/**
 * What glibc's `inet_ntop` prints: the first longest run of two or more zero groups becomes `::`, and an
 * IPv4-compatible address (96 zero bits, then not 16 more) ends in a dotted quad.
 */
function inetNtop(parts: readonly number[]): string {
  const run = longestZeroRun(parts);
  if (run.start === 0 && run.length === 6) return `::${quad(parts)}`;
  const hex = parts.map(part => part.toString(16));
  if (run.length < 2) return hex.join(':');
  return `${hex.slice(0, run.start).join(':')}::${hex.slice(run.start + run.length).join(':')}`;
}

function longestZeroRun(parts: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, part] of parts.entries()) {
    length = part === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  }
  return best;
}
