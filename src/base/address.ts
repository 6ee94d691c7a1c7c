/**
 * Addresses as text, in the one form that Postfix looks up, and as numbers, to compare with networks.
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

/** An address as numbers: four octets, or eight parts of 16 bits; an IPv4-mapped one is IPv6 here. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Reads a full address, or gives null if the text is not one.
 *
 * Strict: no zone (`fe80::1%eth0` cannot be authorised), no brackets, no leading zeros in a quad
 * (some programs read `010.0.0.1` as octal, others do not, so it names no address for certain).
 */
export function parseAddress(text: string): Address | null {
  if (isIPv4(text)) return ipaddr.IPv4.parse(text);
  return isIPv6(text) && !text.includes('%') ? parseIpv6(text) : null;
}

/** The numbers of an address in canonical form. */
export function addressOf(ip: IpText): Address {
  return ip.includes(':') ? parseIpv6(ip) : new ipaddr.IPv4(octetsOf(ip));
}

const DOT = 46;
const DIGIT_ZERO = 48;

/** The octets of a dotted quad; the library's parser, which allows for other forms, takes ten times as long. */
export function octetsOf(quad: IpText): [number, number, number, number] {
  const octets: [number, number, number, number] = [0, 0, 0, 0];
  let index = 0;
  for (let at = 0; at < quad.length; at++) {
    const code = quad.charCodeAt(at);
    if (code === DOT) index++;
    else octets[index] = (octets[index] ?? 0) * 10 + code - DIGIT_ZERO;
  }
  return octets;
}

const MAPPED = '::ffff:';

/** The canonical form of a full address, or null if `parseAddress` does not take the text. */
export function canonicalIp(text: string): IpText | null {
  if (isIPv4(text)) return text as IpText;
  // The form in which servers that listen on IPv6 write every IPv4 client.
  const quad = text.startsWith(MAPPED) ? text.slice(MAPPED.length) : '';
  if (isIPv4(quad)) return quad as IpText;
  const address = parseAddress(text);
  return address && (inetNtop(folded(address)) as IpText);
}

/** An IPv4-mapped IPv6 address as the IPv4 address that it stands for; any other as it is. */
export function folded(address: Address): Address {
  return address instanceof ipaddr.IPv6 && isMapped(address) ? address.toIPv4Address() : address;
}

/**
 * What glibc's `inet_ntop` prints: the first longest run of two or more zero groups becomes `::`, and an
 * address that is IPv4-compatible (96 zero bits, then not 16 more) or IPv4-mapped ends in a quad.
 */
export function inetNtop(address: Address): string {
  if (address instanceof ipaddr.IPv4) return address.octets.join('.');
  const { parts } = address;
  const { start, length } = longestZeroRun(parts);
  if (start === 0 && length === 6) return `::${quad(parts)}`;
  if (isMapped(address)) return `::ffff:${quad(parts)}`;
  return compressed(address, 2);
}

/**
 * In hexadecimal groups, with `::` for the first longest run of zero groups.
 *
 * @param shortest how many groups a run has at least
 */
export function compressed({ parts }: ipaddr.IPv6, shortest: number): string {
  const { start, length } = longestZeroRun(parts);
  const hex = parts.map(part => part.toString(16));
  if (length < shortest) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** Whether the first 96 bits are those of IPv4-mapped addresses (RFC 4291, section 2.5.5.2). */
export function isMapped({ parts }: ipaddr.IPv6): boolean {
  return parts[5] === 0xffff && parts.slice(0, 5).every(part => part === 0);
}

/** ipaddr.js 2.5 reads the IPv4-compatible `::192.0.2.1` as IPv4-mapped, so it must not see a quad. */
function parseIpv6(text: string): ipaddr.IPv6 {
  return ipaddr.IPv6.parse(text.replace(QUAD_AT_END, asGroups));
}

const QUAD_AT_END = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/;

/** Four octets as two groups of hexadecimal digits. */
function asGroups(_quad: string, ...octets: string[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** The last 32 bits as a dotted quad. */
function quad(parts: readonly number[]): string {
  const [high = 0, low = 0] = parts.slice(6);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
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
