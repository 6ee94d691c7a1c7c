/**
 * Networks in CIDR notation, and the list of those that never get a grant (`--exclude`).
 *
 * Promises: strict reading, so that a slip of the pen is an error and not another network: no bits may be
 * set behind the prefix, no zone, no partial quads (Postfix, src/util/cidr_match.c, is as strict).
 * Looking up costs a comparison of a few numbers for each network.
 * Known limit: a list is searched one by one; it is meant for tens of networks.
 */
import ipaddr from 'ipaddr.js';
import { type Address, inetNtop, isMapped, parseAddress } from './address.ts';
import { failure } from './errors.ts';

export class Network {
  readonly #base: Address;
  readonly #bits: number;

  /**
   * @param base the first address of the network
   * @param bits how many of its bits are the prefix
   */
  constructor(base: Address, bits: number) {
    this.#base = base;
    this.#bits = bits;
  }

  /** How many bits are the prefix. */
  get bits(): number {
    return this.#bits;
  }

  /** As `parseNetwork` reads it: `192.0.2.0/24`. */
  toString(): string {
    return `${inetNtop(this.#base)}/${this.#bits}`;
  }

  contains(address: Address): boolean {
    const base = this.#base;
    return base.kind() === address.kind() && address.match(base, this.#bits);
  }

  /** Whether every address of this network is one of the other. */
  within(other: Network): boolean {
    return this.#bits >= other.#bits && other.contains(this.#base);
  }

  get family(): 'ipv4' | 'ipv6' {
    return this.#base.kind();
  }

  /** The network of IPv4 addresses that one of IPv4-mapped addresses stands for; others as they are. */
  folded(): Network {
    const base = this.#base;
    if (!(base instanceof ipaddr.IPv6) || !isMapped(base) || this.#bits < 96) return this;
    return new Network(base.toIPv4Address(), this.#bits - 96);
  }
}

/** A network, or what is wrong with the text, as the end of a sentence. */
export type ParsedNetwork = { readonly network: Network } | { readonly problem: string };

/** Brackets around the address or around all; Postfix takes both, around IPv4 as well. */
const BRACKETS = /^\[([^\]]*)\](\/.*)?$/;

/** Reads `address/bits` or a single address, in brackets or not. */
export function parseNetwork(text: string): ParsedNetwork {
  const bracketed = BRACKETS.exec(text);
  if (text.startsWith('[') && bracketed === null) return { problem: 'its brackets do not match' };
  const bare = bracketed === null ? text : `${bracketed[1]}${bracketed[2] ?? ''}`;
  const [, base = '', bits] = /^([^/]*)(?:\/(.*))?$/s.exec(bare) ?? [];
  const address = parseAddress(base);
  if (address === null) return { problem: 'it does not begin with a full IPv4 or IPv6 address' };
  const width = address.kind() === 'ipv4' ? 32 : 128;
  return checked(address, bits ?? String(width), width);
}

function checked(address: Address, digits: string, width: number): ParsedNetwork {
  const bits = Number(digits);
  if (!/^\d+$/.test(digits) || bits > width) {
    return { problem: `the number of bits after the slash must be from 0 to ${width}` };
  }
  const base = firstAddress(address, bits);
  if (inetNtop(base) !== inetNtop(address)) {
    const meant = `${inetNtop(base)}/${bits}`;
    return { problem: `bits are set behind the prefix; perhaps ${meant} is meant` };
  }
  return { network: new Network(base, bits) };
}

function firstAddress(address: Address, bits: number): Address {
  const cidr = `${address.toNormalizedString()}/${bits}`;
  return address.kind() === 'ipv4'
    ? ipaddr.IPv4.networkAddressFromCIDR(cidr)
    : ipaddr.IPv6.networkAddressFromCIDR(cidr);
}

export class NetworkList {
  readonly #networks: readonly Network[];

  constructor(networks: readonly Network[]) {
    this.#networks = networks;
  }

  contains(address: Address): boolean {
    return this.#networks.some(network => network.contains(address));
  }
}

/**
 * Reads a list of networks separated by blanks or commas; `none` is the empty list.
 *
 * IPv4-mapped networks mean the IPv4 network, since no address is looked up in mapped form.
 *
 * @param origin where the list was given, such as `--exclude`
 * @throws Failure NETWORK_LIST, also for a list without any entry: an empty shell variable must not
 *   switch the exclusions off
 */
export function parseNetworkList(text: string, origin: string): NetworkList {
  const entries = text.split(/[\s,]+/).filter(entry => entry !== '');
  if (entries.length === 0) {
    const problem = 'the list is empty; write none if that is meant';
    throw failure('NETWORK_LIST', { origin, entry: text, problem });
  }
  if (entries.length === 1 && entries[0] === 'none') return new NetworkList([]);
  const networks = entries.map(entry => {
    const parsed = parseNetwork(entry);
    if ('problem' in parsed) {
      throw failure('NETWORK_LIST', { origin, entry, problem: parsed.problem });
    }
    return parsed.network.folded();
  });
  return new NetworkList(networks);
}
