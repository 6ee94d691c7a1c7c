/**
 * What the administrator has ordered by hand: addresses that are allowed, addresses and users that are refused, each
 * until a time.
 *
 * An allowance is worth a login, at the latest moment that makes the grant end when the allowance does; so its row is an
 * ordinary one, which whoever ends grants renews while the allowance lasts.  A revocation refuses every login until
 * its end, and also later those that had happened before it, which a log that is read once more may tell.
 * To lift one is an order as well: nothing holds about its subject any more, and what another host was told before does
 * not come back.
 * Promises: the newest order about a subject takes the place of the one before; what has no effect any more is forgotten.
 * The number of orders is bounded, and what was received from other hosts lasts 30 days at most and fills half of the
 * room at most, so that nobody else can keep an order of this host out: beyond it, the one of them goes that ends last.
 * A revocation of this host always finds room, if need be that of the order of its own that ends first.  What is cut short
 * or dropped is news (`news`).  Time passes on the steady clock; across a restart no order lasts longer
 * than it was given for, wherever the wall clock was set.  Pure, with the time passed in.
 * Known limits: a user is compared as the server logs the name, but for upper and lower case; while a user is
 * refused, another one may still log in from the same address, and then both relay.
 */
import type { IpText } from '../base/address.ts';
import { type EpochSeconds, epoch, type Moment } from '../base/clock.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { Grace } from './grace.ts';
import { type Held, HeldOrders } from './held-orders.ts';
import {
  type Allowance,
  type Given,
  isNewer,
  type Lift,
  type Order,
  type Revocation,
  type Subject,
  spanOf,
} from './order.ts';
import { ordersIn, type SavedOrders } from './saved-orders.ts';

/** Orders that there may be at once. */
export const MAX_ORDERS = 10_000;

/** How long what another host has ordered is in force at most, in seconds, from when it was given. */
export const MAX_RECEIVED_SECONDS = 30 * 86_400;

/** An order of another host that was cut short, or one that had to go for want of room. */
export interface OrderNews {
  readonly what: 'shortened' | 'dropped';
  readonly order: Given;
}

/** What has happened and what to do, for people. */
export const NEWS_TEXT: Readonly<Record<OrderNews['what'], string>> = {
  shortened:
    `what another host has ordered is in force for ${MAX_RECEIVED_SECONDS / 86_400} days here at most; ` +
    'give it again by then (this is logged once)',
  dropped:
    `there is room for ${MAX_ORDERS} orders, half of it for those of other hosts, and one was dropped; ` +
    'look at "popbsmtp list --orders", and lift what is not needed',
};

export class Orders {
  readonly #held = new HeldOrders();
  readonly #capacity: number;
  readonly #grace: () => Grace;
  readonly #news: OrderNews[] = [];
  /** What is no news any more: dropped ones until there was room again. */
  readonly #told = new Set<OrderNews['what']>();

  /** @param grace the grace periods that count now */
  constructor(grace: () => Grace, capacity: number = MAX_ORDERS) {
    this.#grace = grace;
    this.#capacity = capacity;
  }

  /** Whether there is no place for so many more allowances of this host. */
  isFull(more: number, now: Moment): boolean {
    this.#sweep(now);
    const own = this.#held
      .all()
      .filter(({ order, isReceived }) => order.kind !== 'lift' && !isReceived);
    return own.length + more > this.#capacity;
  }

  /** @param seconds how long it lasts, here and below */
  allow(ip: IpText, seconds: number, now: Moment): Allowance {
    const order: Allowance = {
      kind: 'allow',
      subject: { kind: 'address', ip },
      ...spanOf(seconds, now.wall),
    };
    this.#give(order, now);
    return order;
  }

  revoke(subject: Subject, seconds: number, now: Moment): Revocation {
    const order: Revocation = { kind: 'revoke', subject, ...spanOf(seconds, now.wall) };
    this.#give(order, now);
    return order;
  }

  /** Whether or not anything is known about the subject: another host may know more. */
  lift(subject: Subject, now: Moment): Lift {
    const before = this.#held.about(subject)?.order.made ?? 0;
    // Later than what it lifts, also when the clock was set back meanwhile: by as little as hosts tell each other.
    const made = epoch(Math.max(now.wall, before + 0.001));
    const order: Lift = { kind: 'lift', subject, ...spanOf(MAX_RECEIVED_SECONDS, made) };
    this.#give(order, now);
    return order;
  }

  /**
   * Takes an order that another host was given; those about one subject count in the order in which they were given,
   * however they arrive.
   *
   * @returns it as it holds here; null when it is no news, or there is no room
   */
  receive<G extends Given>(given: G, now: Moment): G | null {
    const until = epoch(Math.min(given.until, given.made + MAX_RECEIVED_SECONDS));
    const order = until < given.until ? { ...given, until } : given;
    const held = this.#held.about(order.subject);
    if (held !== undefined && !isNewer(order, held.order)) return null;
    const end = endOf(order, now);
    if (held === undefined && !this.#hasRoomForReceived(order, end, now)) return null;
    if (order !== given) this.#tell({ what: 'shortened', order });
    // One that takes the place of an order of this host keeps it.
    this.#held.put({ order, end, isReceived: held?.isReceived ?? true });
    return order;
  }

  /** What has been dropped or cut short since it was asked for last, and is news: the first of each sort. */
  news(): OrderNews[] {
    return this.#news.splice(0);
  }

  /** What is in force about a subject; null for nothing. */
  inForce(subject: Subject, now: Moment): Order | null {
    const held = this.#held.about(subject);
    return held === undefined || held.order.kind === 'lift' || held.end <= now.steady
      ? null
      : held.order;
  }

  /** Whether a login may not lead to a grant. */
  refuses({ ip, user, time }: Pick<LoginEvent, 'ip' | 'user' | 'time'>, now: Moment): boolean {
    return this.#held
      .revocations(ip, user)
      .some(({ end, order }) => now.steady < end || (time !== null && time < order.until));
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
    const held = this.#held.allowance(ip);
    if (held === undefined) return null;
    const left = held.end - now.steady;
    return left <= 0 ? null : epoch(now.wall + Math.min(0, left - this.#grace().of(ip)));
  }

  /** The addresses that are allowed. */
  allowed(now: Moment): IpText[] {
    this.#sweep(now);
    return this.#held.allowed();
  }

  /** Forgets whom it allows. @returns whether there was anybody */
  forgetAllowances(): boolean {
    const isNews = this.#held.allowed().length > 0;
    this.#held.forgetAllowances();
    return isNews;
  }

  /** The orders that are in force. */
  list(now: Moment): Order[] {
    return this.given(now).filter(order => order.kind !== 'lift');
  }

  /** These, and what was lifted: all that other hosts are to know. */
  given(now: Moment): Given[] {
    return this.#held.all().flatMap(({ order, end }) => (end > now.steady ? [order] : []));
  }

  /** All that must outlive the process. */
  save(now: Moment): SavedOrders {
    this.#sweep(now);
    return {
      orders: this.#held
        .all()
        .map(({ order, isReceived }) => (isReceived ? { ...order, received: true } : order)),
    };
  }

  /** Takes over what was saved; what is of another sort is left out. */
  restore(saved: unknown, now: Moment): void {
    this.#sweep(now);
    let room = this.#capacity - this.#held.all().length;
    for (const { order, isReceived } of ordersIn(saved)) {
      const end = endOf(order, now);
      if (lastEffect(order, end, this.#grace()) <= now.steady || room-- <= 0) continue;
      this.#held.put({ order, end, isReceived });
    }
  }

  /** Takes an order of this host. */
  #give(order: Given, now: Moment): void {
    if (this.#held.about(order.subject) === undefined) this.#makeRoom(now);
    this.#held.put({ order, end: endOf(order, now), isReceived: false });
  }

  #makeRoom(now: Moment): void {
    this.#sweep(now);
    const held = this.#held.all();
    if (held.length < this.#capacity) {
      this.#told.delete('dropped');
      return;
    }
    const own = held.toSorted((a, b) => a.end - b.end);
    const lift = own.find(({ order }) => order.kind === 'lift');
    const victim = lastOf(held.filter(({ isReceived }) => isReceived)) ?? lift ?? own[0];
    if (victim !== undefined) this.#drop(victim.order);
  }

  /** Makes it, unless none ends later; then this one is dropped. */
  #hasRoomForReceived(order: Given, end: number, now: Moment): boolean {
    this.#sweep(now);
    const held = this.#held.all();
    const received = held.filter(({ isReceived }) => isReceived);
    if (received.length < this.#capacity / 2 && held.length < this.#capacity) {
      this.#told.delete('dropped');
      return true;
    }
    const last = lastOf(received);
    const hasRoom = last !== undefined && last.end > end;
    this.#drop(hasRoom ? last.order : order);
    return hasRoom;
  }

  #drop(order: Given): void {
    this.#held.forget(order.subject);
    this.#tell({ what: 'dropped', order });
  }

  #tell(news: OrderNews): void {
    if (this.#told.has(news.what)) return;
    this.#told.add(news.what);
    this.#news.push(news);
  }

  #sweep(now: Moment): void {
    this.#held.sweep(now.steady, ({ order, end }) => lastEffect(order, end, this.#grace()));
  }
}

/** When it ends, on the steady clock. */
const endOf = ({ made, until }: Given, now: Moment): number =>
  now.steady + Math.min(until - now.wall, until - made);

/** A login that is older than the grace period opens nothing anyway. */
const lastEffect = ({ kind }: Given, end: number, grace: Grace): number =>
  kind === 'revoke' ? end + grace.longest : end;

/** The one that ends last. */
const lastOf = (held: readonly Held[]): Held | undefined =>
  held.reduce<Held | undefined>(
    (last, one) => (last && last.end >= one.end ? last : one),
    undefined,
  );
