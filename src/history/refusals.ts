/**
 * Which refused recipients the history keeps: anybody can have any number of them, from any number of addresses.
 *
 * Pure.  Promises: of an hour no more than a share of the history's size is kept, half of it for strangers; of a stranger's address
 * (a /64 of IPv6) and of the network around it some, so that one does not keep the others out; of an address that had a grant more, whatever
 * strangers do.  Memory is bounded by what is kept.
 * Leaves to others: limits (Postfix counts for itself), and how many there were: the log has them.
 */
import { addressOf, type IpText } from '../base/address.ts';
import { subnetOf } from '../base/subnet.ts';
import { hourOf } from './block.ts';

/** In an hour. */
const MOST_OF_STRANGER = 10;
const MOST_OF_NETWORK = 30;
const MOST_OF_CLIENT = 60;
/** Of the history's size, what all refusals of its time may take. */
const SHARE = 0.16;
/** Bytes of one with an address of its own, and what LMDB needs for it. */
const ENTRY_BYTES = 64;
/** Hours: 90 days, whatever is kept. */
const HOURS = 2160;
const LEAST = 10;

/** Refusals that are kept of an hour. @param size bytes that the history may have */
export const mostRefusals = (size: number): number =>
  Math.max(LEAST, Math.floor((size * SHARE) / (HOURS * ENTRY_BYTES)));

/** An IPv4 address stands in a /24, one of IPv6 in a /48: who has one of those has all /64 in it. */
function networkOf(ip: IpText): string {
  const address = addressOf(ip);
  return 'parts' in address
    ? address.parts.slice(0, 3).join(':')
    : ip.slice(0, ip.lastIndexOf('.'));
}

export class Refusals {
  readonly #most: number;
  readonly #counts = new Map<string, number>();
  #hour = Number.NaN;
  #ofStrangers = 0;
  #ofClients = 0;

  /** @param most in an hour (`mostRefusals`) */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Whether one more is kept.
   *
   * @param isClient whether the address has, or had, a grant
   * @param now in Unix time
   */
  admits(ip: IpText, isClient: boolean, now: number): boolean {
    const hour = hourOf(now);
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#counts.clear();
      this.#ofStrangers = 0;
      this.#ofClients = 0;
    }
    return isClient ? this.#client(ip) : this.#stranger(ip);
  }

  #client(ip: IpText): boolean {
    const subject = `client ${subnetOf(ip)}`;
    if (this.#ofClients >= this.#most / 2 || this.#count(subject) >= MOST_OF_CLIENT) return false;
    this.#ofClients++;
    this.#add(subject);
    return true;
  }

  #stranger(ip: IpText): boolean {
    if (this.#ofStrangers >= this.#most / 2) return false;
    const subject = subnetOf(ip);
    const network = `network ${networkOf(ip)}`;
    if (this.#count(subject) >= MOST_OF_STRANGER || this.#count(network) >= MOST_OF_NETWORK)
      return false;
    this.#ofStrangers++;
    this.#add(subject);
    this.#add(network);
    return true;
  }

  #count(subject: string): number {
    return this.#counts.get(subject) ?? 0;
  }

  #add(subject: string): void {
    this.#counts.set(subject, this.#count(subject) + 1);
  }
}
