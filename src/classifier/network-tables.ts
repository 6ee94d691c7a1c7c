/**
 * Linux's tables of addresses and routes (proc(5), /proc/net), read for what a machine stands for many others by: its own
 * addresses, and the gateways of its default routes.
 *
 * Pure: texts go in.  A line of another form says nothing; so does an address of the loopback, which is `--exclude`'s.
 * Sources: Linux 6 net/ipv4/fib_trie.c (fib_trie, route), net/ipv6/addrconf.c (if_inet6), net/ipv6/route.c (ipv6_route).
 * Known limits: of the routes to everywhere, those of the main table are seen (`ip rule` may name others); of a route with
 * several next hops the first one.
 */
import { canonicalIp, type IpText } from '../base/address.ts';

/** include/uapi/linux/route.h: the next hop is a gateway; the route refuses. */
const RTF_GATEWAY = 0x2;
const RTF_REJECT = 0x200;

/** `fib_trie`: an address of its own is a leaf, `|-- 192.0.2.2`, with `/32 host LOCAL` below it. */
export const ownIpv4 = (fibTrie: string): IpText[] =>
  addresses(fibTrie.matchAll(/\|-- ([\d.]+)\n(?: +\/.*\n)*? +\/32 host LOCAL$/gm));

/** `if_inet6`: an address as 32 hexadecimal digits, then five fields. */
export const ownIpv6 = (ifInet6: string): IpText[] =>
  addresses(ifInet6.matchAll(/^([\da-f]{32}) [\da-f]+ [\da-f]+ [\da-f]+ [\da-f]+ +\S+$/gm), ipv6);

/**
 * `route`: interface, destination, gateway, flags, three numbers, mask; addresses as the 32-bit number that they are in memory.
 *
 * @param littleEndian whether this machine has the lowest byte of a number first
 */
export const ipv4Gateways = (route: string, littleEndian: boolean): IpText[] =>
  addresses(
    filter(
      route.matchAll(/^\S+\s+0{8}\s+([\dA-F]{8})\s+([\dA-F]+)\s+\d+\s+\d+\s+\d+\s+0{8}\s/gm),
      flags => (flags & RTF_GATEWAY) !== 0,
    ),
    hex => quad(littleEndian ? octets(hex).toReversed() : octets(hex)),
  );

/** `ipv6_route`: destination, its length, source, its length, next hop, three numbers, flags, interface. */
export const ipv6Gateways = (ipv6Route: string): IpText[] =>
  addresses(
    filter(
      ipv6Route.matchAll(
        /^0{32} 00 [\da-f]{32} [\da-f]{2} ([\da-f]{32}) [\da-f]{8} [\da-f]{8} [\da-f]{8} ([\da-f]{8}) +\S+$/gm,
      ),
      flags => (flags & RTF_GATEWAY) !== 0 && (flags & RTF_REJECT) === 0,
    ),
    ipv6,
  );

function* filter(
  lines: Iterable<RegExpMatchArray>,
  isMeant: (flags: number) => boolean,
): Generator<RegExpMatchArray> {
  for (const line of lines) if (isMeant(Number.parseInt(line[2] ?? '', 16))) yield line;
}

/** @param textOf makes an address of what stands in the first group */
function addresses(
  lines: Iterable<RegExpMatchArray>,
  textOf: (found: string) => string = found => found,
): IpText[] {
  const found = Array.from(lines, ([, text = '']) => canonicalIp(textOf(text)));
  return found.filter(ip => ip !== null).filter(ip => !isLoopback(ip));
}

/** RFC 1122, 3.2.1.3; RFC 4291, 2.5.3. */
export const isLoopback = (ip: IpText): boolean => ip.startsWith('127.') || ip === '::1';

const octets = (hex: string): number[] =>
  Array.from(hex.matchAll(/../g), ([digits]) => Number.parseInt(digits, 16));

const quad = (bytes: readonly number[]): string => bytes.join('.');

const ipv6 = (hex: string): string =>
  Array.from(hex.matchAll(/.{4}/g), ([digits]) => digits).join(':');
