/**
 * The addresses by which this machine, or its way out, stands for everybody: its own, and its default gateways.
 *
 * Behind a container's proxy, a port forward or a load balancer without the PROXY protocol, all clients log in from such a
 * one, and a grant for it opens the relay for all of them.
 *
 * Promises: what is answered was read no more than a few seconds ago, so that an interface that comes up later counts
 * without a signal; asked for each login, it costs a look at the clock.  A watch would need netlink, which Node has not got,
 * or a process; reading takes 0.2 ms.
 * In the service's sandbox the network is another one, so its unit shows the machine's tables in `SHOWN`, and both count.
 * Known limits: Linux; elsewhere the interfaces that Node knows.  What has a grant when its address becomes one of these keeps
 * it until the grace period is over.
 */
import { readFileSync } from 'node:fs';
import { endianness, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { canonicalIp, type IpText } from '../base/address.ts';
import { errnoOf, reasonOf } from '../base/errors.ts';
import { ipv4Gateways, ipv6Gateways, isLoopback, ownIpv4, ownIpv6 } from './network-tables.ts';

export interface OwnAddresses {
  readonly own: ReadonlySet<IpText>;
  readonly gateways: ReadonlySet<IpText>;
}

/** Where init/popbsmtp.service shows the tables of the machine's own network. */
export const SHOWN = '/run/popbsmtp-net';
const TABLES: readonly string[] = ['/proc/net', SHOWN];

const FRESH_MS = 5000;

/**
 * @param warn told what cannot be read, once
 * @param read the names of directories that have the tables
 * @returns what they are now
 */
export function ownAddresses(
  warn: (text: string) => void,
  directories: readonly string[] = TABLES,
  now: () => number = () => performance.now(),
): () => OwnAddresses {
  const troubles = new Set<string>();
  const tell = (text: string): void => {
    if (!troubles.has(text)) warn(text);
    troubles.add(text);
  };
  let known: OwnAddresses | null = null;
  let until = 0;
  return () => {
    if (known === null || now() >= until) {
      known = readOwnAddresses(directories, tell);
      until = now() + FRESH_MS;
    }
    return known;
  };
}

function readOwnAddresses(
  directories: readonly string[],
  warn: (text: string) => void,
): OwnAddresses {
  const own = new Set(interfaceAddresses(warn).filter(ip => !isLoopback(ip)));
  const gateways = new Set<IpText>();
  const littleEndian = endianness() === 'LE';
  const read = (directory: string, name: string): string => textOf(join(directory, name), warn);
  for (const directory of directories) {
    for (const ip of ownIpv4(read(directory, 'fib_trie'))) own.add(ip);
    for (const ip of ownIpv6(read(directory, 'if_inet6'))) own.add(ip);
    for (const ip of ipv4Gateways(read(directory, 'route'), littleEndian)) gateways.add(ip);
    for (const ip of ipv6Gateways(read(directory, 'ipv6_route'))) gateways.add(ip);
  }
  return { own, gateways };
}

function interfaceAddresses(warn: (text: string) => void): IpText[] {
  try {
    const interfaces = Object.values(networkInterfaces()).flatMap(found => found ?? []);
    return interfaces.map(({ address }) => canonicalIp(address)).filter(ip => ip !== null);
  } catch (error) {
    warn(`the addresses of this machine's interfaces cannot be read: ${reasonOf(error)}`);
    return [];
  }
}

/** Where a mount point of the unit's is seen from outside its sandbox, it is an empty file, or one that may not be read. */
const isMountPoint = (path: string): boolean => path.startsWith(`${SHOWN}/`);

/** Empty where there is no such table: without IPv6, outside the service's sandbox, on other systems. */
function textOf(path: string, warn: (text: string) => void): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'ENOENT' && !(code === 'EACCES' && isMountPoint(path)))
      warn(
        `this machine's own addresses are not all known: cannot read ${path}: ${reasonOf(error)}`,
      );
    return '';
  }
}
