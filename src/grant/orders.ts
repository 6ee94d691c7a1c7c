/**
 * What the administrator has ordered by hand: addresses that are allowed, addresses and users that are refused, each
 * until a time.
 *
 * An allowance is worth a login, at the latest moment that makes the grant end when the allowance does; so its row is an
 * ordinary one, which whoever ends grants renews while the allowance lasts.  A revocation refuses every login until
 * its end, and also later those that had happened before it, which a log that is read once more may tell.
 * Promises: the newest order about an address takes the place of the one before; the number of orders is bounded; what
 * has no effect any more is forgotten.  Time passes on the steady clock; across a restart no order lasts longer
 * than it was given for, wherever the wall clock was set.  Pure, with the time passed in.
 * Known limits: a user is compared as the server logs the name, but for upper and lower case; while a user is
 * refused, another one may still log in from the same address, and then both relay.
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import { type EpochSeconds, epoch, type Moment } from '../base/clock.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { Grace } from './grace.ts';

/** The longest order: some thirty years. */
export const MAX_SECONDS = 1_000_000_000;

/** Orders that there may be at once. */
export const MAX_ORDERS = 10_000;

export type Subject =
  | { readonly kind: 'address'; readonly ip: IpText }
  | { readonly kind: 'user'; readonly user: string };

interface Span {
  /** When it was given, and when it ends, in wall time as the machine told it then. */
  readonly made: EpochSeconds;
  readonly until: EpochSeconds;
}

export type Allowance = Span & {
  readonly kind: 'allow';
  readonly subject: Extract<Subject, { kind: 'address' }>;
};

export type Revocation = Span & { readonly kind: 'revoke'; readonly subject: Subject };

export type Order = Allowance | Revocation;

interface Held {
  readonly order: Order;
  /** When it ends, on the steady clock. */
  readonly end: number;
}

/** Plain JSON, for the file. */
export interface SavedOrders {
  readonly orders: readonly Order[];
}

export class Orders {
  readonly #allowed = new Map<IpText, Held>();
  readonly #refusedIps = new Map<IpText, Held>();
  readonly #refusedUsers = new Map<string, Held>();
  readonly #capacity: number;
  #grace: Grace;

  constructor(grace: Grace, capacity: number = MAX_ORDERS) {
    this.#grace = grace;
    this.#capacity = capacity;
  }

  setGrace(grace: Grace): void {
    this.#grace = grace;
  }

  /** Whether there is no place for so many more. */
  isFull(more: number, now: Moment): boolean {
    this.#sweep(now);
    return this.#tables.reduce((sum, { size }) => sum + size, more) > this.#capacity;
  }

  /** @param seconds how long it lasts, here and below */
  allow(ip: IpText, seconds: number, now: Moment): Allowance {
    const order: Allowance = {
      kind: 'allow',
      subject: { kind: 'address', ip },
      ...spanOf(seconds, now),
    };
    this.#put(order, now);
    return order;
  }

  revoke(subject: Subject, seconds: number, now: Moment): Revocation {
    const order: Revocation = { kind: 'revoke', subject, ...spanOf(seconds, now) };
    this.#put(order, now);
    return order;
  }

  /**
   * Takes an order that another host was given; those about one subject count in the order in which they were given,
   * however they arrive.
   *
   * @returns whether it is news; false also when there is no room
   */
  receive(order: Order, now: Moment): boolean {
    const held = this.#heldOf(order.subject);
    if (held !== undefined && !isNewer(order, held.order)) return false;
    if (held === undefined && this.isFull(1, now)) return false;
    this.#put(order, now);
    return true;
  }

  /** Whether a login may not lead to a grant. */
  refuses({ ip, user, time }: Pick<LoginEvent, 'ip' | 'user' | 'time'>, now: Moment): boolean {
    if (this.#refusedIps.size === 0 && this.#refusedUsers.size === 0) return false;
    const held = [
      this.#refusedIps.get(ip),
      user === null ? undefined : this.#refusedUsers.get(folded(user)),
    ];
    return held.some(
      one =>
        one !== undefined && (now.steady < one.end || (time !== null && time < one.order.until)),
    );
  }

  /**
   * The addresses whose grants must have ended.
   *
   * @param ofUser the addresses that a user has opened, as far as they are known
   */
  refused(ofUser: (user: string) => readonly IpText[], now: Moment): IpText[] {
    return this.list(now).flatMap(({ kind, subject }) => {
      if (kind === 'allow') return [];
      return subject.kind === 'address' ? [subject.ip] : ofUser(subject.user);
    });
  }

  /** The login that an allowance amounts to now, in wall time; null when there is none. */
  loginOf(ip: IpText, now: Moment): EpochSeconds | null {
    const held = this.#allowed.get(ip);
    if (held === undefined) return null;
    const left = held.end - now.steady;
    return left <= 0 ? null : epoch(now.wall + Math.min(0, left - this.#grace.of(ip)));
  }

  /** The addresses that are allowed. */
  allowed(now: Moment): IpText[] {
    this.#sweep(now);
    return [...this.#allowed.keys()];
  }

  /** Forgets whom it allows. @returns whether there was anybody */
  forgetAllowances(): boolean {
    const isNews = this.#allowed.size > 0;
    this.#allowed.clear();
    return isNews;
  }

  /** The orders that are in force. */
  list(now: Moment): Order[] {
    return this.#held().flatMap(({ order, end }) => (end > now.steady ? [order] : []));
  }

  /** All that must outlive the process. */
  save(now: Moment): SavedOrders {
    this.#sweep(now);
    return { orders: this.#held().map(({ order }) => order) };
  }

  /** Takes over what was saved; what is of another sort is left out. */
  restore(saved: unknown, now: Moment): void {
    for (const order of ordersIn(saved)) if (!this.isFull(1, now)) this.#put(order, now);
    this.#sweep(now);
  }

  #put(order: Order, now: Moment): void {
    const { made, until, subject } = order;
    const end = now.steady + Math.min(until - now.wall, until - made);
    if (subject.kind === 'user') {
      this.#refusedUsers.set(folded(subject.user), { order, end });
      return;
    }
    this.#allowed.delete(subject.ip);
    this.#refusedIps.delete(subject.ip);
    const table = order.kind === 'allow' ? this.#allowed : this.#refusedIps;
    table.set(subject.ip, { order, end });
  }

  #heldOf(subject: Subject): Held | undefined {
    if (subject.kind === 'user') return this.#refusedUsers.get(folded(subject.user));
    return this.#allowed.get(subject.ip) ?? this.#refusedIps.get(subject.ip);
  }

  get #tables(): readonly Map<string, Held>[] {
    return [this.#allowed, this.#refusedIps, this.#refusedUsers];
  }

  #held(): Held[] {
    return this.#tables.flatMap(table => [...table.values()]);
  }

  /** A login that is older than the grace period opens nothing anyway. */
  #sweep(now: Moment): void {
    for (const table of this.#tables) {
      for (const [key, { order, end }] of table) {
        const last = order.kind === 'revoke' ? end + this.#grace.longest : end;
        if (last <= now.steady) table.delete(key);
      }
    }
  }
}

/** Of two that were given in one moment, the one that refuses counts. */
function isNewer(order: Order, held: Order): boolean {
  if (order.made !== held.made) return order.made > held.made;
  return order.kind === 'revoke' && (held.kind === 'allow' || order.until > held.until);
}

const spanOf = (seconds: number, { wall }: Moment): Span => ({
  made: wall,
  until: epoch(wall + seconds),
});

/** Servers that take a name in any case would otherwise let a user in under another spelling. */
const folded = (user: string): string => user.toLowerCase();

function ordersIn(saved: unknown): Order[] {
  if (typeof saved !== 'object' || saved === null || !('orders' in saved)) return [];
  const { orders } = saved;
  return Array.isArray(orders) ? orders.map(orderOf).filter(order => order !== null) : [];
}

function orderOf(value: unknown): Order | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!('kind' in value && 'subject' in value && 'made' in value && 'until' in value)) return null;
  const { kind, made, until } = value;
  const subject = subjectOf(value.subject);
  if (subject === null || !isTime(made) || !isTime(until) || until < made) return null;
  const span = { made: epoch(made), until: epoch(until) };
  if (kind === 'revoke') return { kind, subject, ...span };
  return kind === 'allow' && subject.kind === 'address' ? { kind, subject, ...span } : null;
}

function subjectOf(value: unknown): Subject | null {
  if (typeof value !== 'object' || value === null) return null;
  if ('user' in value && typeof value.user === 'string') return { kind: 'user', user: value.user };
  const ip = 'ip' in value && typeof value.ip === 'string' ? canonicalIp(value.ip) : null;
  return ip === null ? null : { kind: 'address', ip };
}

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);
