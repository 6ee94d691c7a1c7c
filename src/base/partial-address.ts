/**
 * Which other addresses a row opens: Postfix looks a client up as text, and then without its last group, again and again.
 *
 * access(5), "HOST NAME/ADDRESS PATTERNS"; Postfix 3.7 src/smtpd/smtpd_check.c, check_addr_access, cuts at the last colon:
 * `fd00::5:1` is looked up as `fd00::5:1`, `fd00::5`, `fd00:`, `fd00`; `::192.0.2.10` as itself, then as `:`.  So the row of
 * an address is also found for every client whose text goes on behind it with a colon.  An IPv4 row is a whole quad,
 * with which no other one begins.  Tables of patterns (`cidr:`, `regexp:`) are asked for whole addresses only.
 *
 * Promises: false only for a key that is no such beginning of any address outside its own /64, the network of one
 * customer or site (RFC 4291, section 2.5.4); true for no key of which four groups or more stand before its `::`.  The one
 * exception is the loopback's `::1`, with which only addresses of ::/32 begin: they are nobody's (IANA has 0000::/8 reserved),
 * and `--exclude` decides about it.
 * Rests on: what `inet_ntop` of glibc and musl prints (address.ts): `::` is written once, for two groups or more.
 */
import type { IpText } from './address.ts';

/** What all groups are at most beside a `::`. */
const MOST_WRITTEN = 6;

const LOOPBACK = '::1';

/**
 * Whether a row of this address also opens the relay for addresses in other networks, where Postfix looks up parts of addresses.
 *
 * With a group behind it, `::` stands for fewer zeros, and what is behind moves to the front: into the first four groups
 * when fewer than two stand before, since two of them remain zero.
 */
export function opensOtherNetworks(key: IpText): boolean {
  if (key === LOOPBACK) return false;
  const gap = key.indexOf('::');
  // All eight groups; or nothing behind the zeros, so that no address goes on after it; or a quad, which is the end.
  if (gap < 0 || gap === key.length - 2 || key.includes('.')) return false;
  const before = groups(key.slice(0, gap));
  const behind = groups(key.slice(gap + 2));
  return before < 2 && before + behind < MOST_WRITTEN;
}

const groups = (text: string): number => (text === '' ? 0 : text.split(':').length);
