/**
 * The limits on what one address and one user may do within the grace period.
 *
 * An address from which many different users log in is a shared one, a proxy or the outside of a NAT: whoever else is
 * behind it may relay as well.  A user who logs in from many addresses may have lost his password.
 *
 * Promises: a login counts from the time in its line until its grace period is over, also one that is refused, so that an
 * address stays over the limit as long as its users keep coming; an excess is news once in a grace period.  Memory
 * is bounded, whatever names and addresses come (distinct.ts); without a limit nothing is counted.
 * An IPv6 client may take any address of its /64 (subnet.ts), so that one counts as one address here: for the addresses of
 * a user, and for the users of an address, as those behind one IPv4 address of a household or an office do.
 * Known limits: somebody whom the log does not name is not counted; what was counted is forgotten at a stop.
 */
import { hash } from 'node:crypto';
import type { IpText } from '../base/address.ts';
import { type EpochSeconds, epoch, type Moment } from '../base/clock.ts';
import { subnetOf } from '../base/subnet.ts';
import { ownCopy } from '../base/text.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import { DistinctCounter } from './distinct.ts';
import type { Grace } from './grace.ts';

/** By logins, and by what a grant has relayed (history/sending.ts). */
export const LIMIT_REASONS = [
  'too many users',
  'too many addresses',
  'too many messages',
  'too many recipients',
] as const;

export type LimitReason = (typeof LIMIT_REASONS)[number];

export const isLimitReason = (reason: string): reason is LimitReason =>
  LIMIT_REASONS.some(known => known === reason);

export type LimitAction = 'warn' | 'refuse';

export interface Limit {
  /** The most others of one. */
  readonly most: number;
  /** What becomes of a login over the limit. */
  readonly action: LimitAction;
}

export interface LimitSettings {
  /** On the users of one address; null for any number. */
  readonly usersPerAddress: Limit | null;
  /** On the addresses of one user; null for any number. */
  readonly addressesPerUser: Limit | null;
}

/** A limit that a login is over. */
export interface Exceeded extends Limit {
  readonly reason: LimitReason;
  readonly isNews: boolean;
  /**
   * Whose grants are in doubt: the shared address; all addresses of the user while it is news, since a grant that is
   * earned there afterwards is somebody else's.
   */
  readonly addresses: readonly IpText[];
  /** And in which /64s all grants of the user are. */
  readonly networks: readonly string[];
}

/** Pairs of an address and a user that each of the two counters keeps; some 20 MB each. */
const MAX_PAIRS = 100_000;

const NONE: readonly Exceeded[] = [];

interface Counted {
  readonly ip: IpText;
  /** The address, or its network. */
  readonly client: string;
  /** By `nameKey`. */
  readonly user: string;
  readonly until: EpochSeconds;
}

export class Limits {
  readonly #users: DistinctCounter<string, string>;
  readonly #addresses: DistinctCounter<string, string>;

  /** @param capacity the pairs that each counter keeps at most */
  constructor(capacity: number = MAX_PAIRS) {
    this.#users = new DistinctCounter(capacity);
    this.#addresses = new DistinctCounter(capacity);
  }

  /**
   * Counts a login; which limits it is over.
   *
   * @param grace for how long it counts
   */
  count(
    login: LoginEvent,
    settings: LimitSettings,
    grace: Grace,
    now: Moment,
  ): readonly Exceeded[] {
    const { usersPerAddress, addressesPerUser } = settings;
    if (usersPerAddress === null) this.#users.clear();
    if (addressesPerUser === null) this.#addresses.clear();
    if (usersPerAddress === null && addressesPerUser === null) return NONE;
    const until = endOf(login, grace.of(login.ip), now);
    if (login.user === null || until <= now.steady) return NONE;
    const { ip } = login;
    const counted = { ip, client: ownCopy(subnetOf(ip)), user: nameKey(login.user), until };
    const users =
      usersPerAddress === null ? NONE : this.#usersOf(counted, usersPerAddress, now.steady);
    const addresses =
      addressesPerUser === null ? NONE : this.#addressesOf(counted, addressesPerUser, now.steady);
    return users.length + addresses.length === 0 ? NONE : [...users, ...addresses];
  }

  #usersOf(
    { ip, client, user, until }: Counted,
    limit: Limit,
    now: EpochSeconds,
  ): readonly Exceeded[] {
    const excess = this.#users.note({ key: client, value: user, until }, limit.most, now);
    if (excess === null) return NONE;
    const { isNews } = excess;
    return [{ reason: 'too many users', ...limit, isNews, addresses: [ip], networks: [] }];
  }

  #addressesOf(
    { client, user, until }: Counted,
    limit: Limit,
    now: EpochSeconds,
  ): readonly Exceeded[] {
    const excess = this.#addresses.note({ key: user, value: client, until }, limit.most, now);
    if (excess === null) return NONE;
    const { values, isNews } = excess;
    // This one may count for too short a time to be among those that are kept.
    const clients = isNews ? [...new Set([...values, client])] : [];
    const networks = clients.filter(isNetwork);
    const addresses = clients.filter(isAddress);
    return [{ reason: 'too many addresses', ...limit, isNews, addresses, networks }];
  }
}

const isNetwork = (client: string): boolean => client.includes('/');
const isAddress = (client: string): client is IpText => !isNetwork(client);

/** On the steady clock; a stamp from the future counts as now, as it does for the grant. */
function endOf({ time }: LoginEvent, grace: number, { wall, steady }: Moment): EpochSeconds {
  return time === null ? steady : epoch(steady - Math.max(0, wall - time) + grace);
}

const DIGEST = 22;

/** A name of any length as at most `DIGEST` characters, which only a long one has; capitals make no difference, as in user-list.ts. */
function nameKey(user: string): string {
  const name = user.toLowerCase();
  return name.length < DIGEST ? ownCopy(name) : hash('sha256', name, 'base64url').slice(0, DIGEST);
}
