/**
 * What this host has told the fleet, and what of it is to be told again.
 *
 * Promises: whoever may have lost what it had is told of all grants, orders and withdrawals anew: an engine that was started again,
 * another one, as far as it may lack them (fork.ts), one whose streams are gone, and all when entries were dropped.  Orders, withdrawals and the latest grants go
 * at once, the others when nothing else waits (repetition.ts), each host at another moment, so that a large fleet does not do so
 * in one.  And each is told again within half a grace period (reminder.ts, order-reminder.ts, withdrawals.ts), so that what was lost
 * without a sign is there again.  What the fleet knows already is put off for a while.
 * Leaves to others: to send it, and to ask the engine (publisher.ts).
 */
import type { IpText } from '../base/address.ts';
import { type Clock, epoch } from '../base/clock.ts';
import type { Given } from '../grant/order.ts';
import { SIGN_SECONDS } from './connection.ts';
import { type Entry, whoOf } from './entry.ts';
import { Fork } from './fork.ts';
import type { History } from './history.ts';
import { OrderReminder } from './order-reminder.ts';
import type { StreamName } from './position.ts';
import { Reminder } from './reminder.ts';
import { Repetition } from './repetition.ts';
import { Withdrawals } from './withdrawals.ts';

/** What was told within so many seconds may have been with nobody but the engine that was lost. */
const RECENT_SECONDS = 30;
/** And how many of these go at once; the others have their turn with the rest. */
const MOST_RECENT = 10_000;
/** How many go at once of those that are told now and then. */
const MOST_DUE = 10_000;
/** And of the rest. */
const MOST_AT_ONCE = 1000;
/** How long a host waits at most before it tells the rest. */
const SPREAD_SECONDS = 10;
/** The part of a grace period for which nothing may be put off. */
const LONGEST_RENEWAL = 0.1;

export interface RepeaterParts {
  readonly clock: Clock;
  /** Seconds within which what the fleet knows is not told again. */
  readonly renewal: number;
  /** The longest grace period now, in seconds. */
  grace(): number;
  /** The shortest one. */
  shortest(): number;
  /** The orders that are in force, and those that were lifted. */
  orders(): Iterable<Given>;
  /** The addresses of all grants. */
  granted(): Iterable<IpText>;
  /** What is to be told of the grant of an address; nothing when it is another host's. */
  grantOf(ip: IpText): readonly Entry[];
  /** For tests: seconds that are waited before the rest is told. */
  readonly spread?: () => number;
  /** For tests: from 0 up to 1. */
  readonly random?: () => number;
}

export interface Outlet {
  /** Tells the fleet, and the repeater that it was told. */
  tell(entries: readonly Entry[]): void;
  /** What went out last may be lost: it is not left out as said already. */
  forget(): void;
}

export class Repeater {
  readonly #parts: RepeaterParts;
  readonly #outlet: Outlet;
  readonly #reminder = new Reminder();
  readonly #orderReminder: OrderReminder;
  readonly #withdrawals = new Withdrawals();
  readonly #fork = new Fork();
  /** Whether an engine was told everything, but for what is being repeated. */
  #isTold = false;
  #repetition: Repetition | null = null;
  /** The streams that have been seen there; one that nobody has made yet is not missed. */
  readonly #seen = new Set<StreamName>();
  /** When a stream was found to be gone, by this host or another. */
  #missed = Number.NEGATIVE_INFINITY;

  constructor(parts: RepeaterParts, outlet: Outlet) {
    this.#parts = parts;
    this.#outlet = outlet;
    this.#orderReminder = new OrderReminder(parts.random);
  }

  /** Whether the fleet knows an entry already, which is told later then. */
  putsOff(entry: Entry): boolean {
    const renewal = this.#renewal;
    if (renewal === 0 || (entry.kind !== 'login' && entry.kind !== 'session')) return false;
    const steady = this.#now;
    const isKnown = this.#reminder.isKnown(entry.ip, whoOf(entry), steady, renewal);
    if (isKnown) this.#reminder.putOff(entry.ip, steady);
    return isKnown;
  }

  /** Takes note of what is told. @param steady seconds of the clock that only goes forward */
  told(entries: readonly Entry[], steady: number): void {
    for (const entry of entries) {
      if (entry.kind === 'order') this.#order(entry.order, steady);
      else if (entry.kind === 'withdrawn') {
        this.#reminder.forget(entry.ip);
        this.#withdrawals.told(entry, steady);
      } else {
        this.#reminder.told(entry.ip, steady, whoOf(entry));
        this.#withdrawals.forget(entry.ip);
      }
    }
  }

  /** What a start has to know of, as plain JSON. */
  save(): readonly unknown[] {
    return this.#withdrawals.save();
  }

  restore(saved: unknown): void {
    this.#withdrawals.restore(saved);
  }

  /** Takes note of an order that another host has told. */
  heard(order: Given): void {
    this.#order(order, this.#now);
  }

  /** The engine has what was told, and the stream. */
  reached(stream: StreamName): void {
    this.#seen.add(stream);
  }

  /** Tells what was put off, before the end. */
  hurry(): void {
    this.#tellOf(this.#reminder.waited(Number.POSITIVE_INFINITY, 0));
  }

  /** Tells what has been put off for long enough, and what was told long ago. */
  remind(): void {
    const { shortest, orders } = this.#parts;
    const steady = this.#now;
    this.#tellOf(this.#reminder.waited(steady, this.#renewal));
    this.#tellOf(this.#reminder.due(steady, shortest(), MOST_DUE));
    this.#outlet.tell(this.#pending.due(steady, shortest()));
    this.#outlet.tell(this.#orderReminder.due(orders(), steady).map(orderEntry));
  }

  /**
   * Tells an engine anew what it may not have; it may be a part of another history by now.
   *
   * @param run of its start
   * @param before it has all that was posted before that moment
   */
  look(run: string, history: History, before: number): void {
    const lacking = this.#isTold ? this.#fork.lacking(run, history) : 'all';
    this.#fork.note(run, history, before);
    if (lacking === 'nothing') return;
    this.#seen.clear();
    if (lacking === 'all') this.tellAnew(!this.#isTold);
    else this.#tellSince(lacking.since);
    this.#isTold = true;
  }

  /** The engine will have nothing of what it was told. */
  discard(): void {
    this.#isTold = false;
  }

  /** Takes note of streams that are not there; whether that is a loss, of which the other hosts are to know. */
  misses(missing: Iterable<StreamName>): boolean {
    const isGone = [...missing].filter(stream => this.#seen.delete(stream)).length > 0;
    if (isGone) this.lost();
    return isGone;
  }

  /** Whether a sign of a loss would be news: one that was dealt with stands there for a while. */
  get isLossNews(): boolean {
    return this.#now - this.#missed > 2 * SIGN_SECONDS;
  }

  /** A stream is gone. */
  lost(): void {
    this.#missed = this.#now;
    this.tellAnew(false);
  }

  /** @param isFirst whether no other host has a reason to do the same now */
  tellAnew(isFirst: boolean): void {
    const recent = this.#reminder.since(this.#now - RECENT_SECONDS);
    this.#tellFirst(recent, this.#pending.since(Number.NEGATIVE_INFINITY));
    this.#repeatFrom([...this.#parts.granted()], isFirst);
  }

  /** Tells the next part of what is to be told again; whether there was any. */
  repeat(): boolean {
    const ips = this.#repetition?.next(this.#now, MOST_AT_ONCE) ?? [];
    this.#tellOf(ips);
    if (this.#repetition?.isDone === true) this.#repetition = null;
    return ips.length > 0;
  }

  get #now(): number {
    return this.#parts.clock.now().steady;
  }

  /** The withdrawals of grants that would still be there. */
  get #pending(): Withdrawals {
    const { clock, grace } = this.#parts;
    this.#withdrawals.expire(epoch(clock.now().wall - grace()));
    return this.#withdrawals;
  }

  get #renewal(): number {
    return Math.min(this.#parts.renewal, this.#parts.shortest() * LONGEST_RENEWAL);
  }

  #order(order: Given, steady: number): void {
    this.#orderReminder.told(order, steady, this.#parts.shortest());
    this.#reminder.doubt(steady);
  }

  /** What was told since then is all that is lacking. */
  #tellSince(steady: number): void {
    const lacking = this.#reminder.since(steady);
    this.#tellFirst(lacking, this.#pending.since(steady));
    const rest = lacking.slice(0, -MOST_RECENT);
    if (rest.length === 0) return;
    this.#repeatFrom(this.#repetition === null ? rest : [...this.#parts.granted()], false);
  }

  /** All orders and withdrawals, and the latest of the grants, at once. */
  #tellFirst(recent: readonly IpText[], withdrawals: readonly Entry[]): void {
    this.#outlet.forget();
    this.#outlet.tell([...this.#parts.orders()].map(orderEntry));
    this.#outlet.tell(withdrawals);
    this.#tellOf(recent.slice(-MOST_RECENT));
  }

  #repeatFrom(ips: readonly IpText[], isFirst: boolean): void {
    const { shortest, spread } = this.#parts;
    const wait = isFirst ? 0 : (spread ?? randomSpread)();
    this.#repetition = new Repetition(ips, this.#now + wait, shortest());
  }

  #tellOf(ips: readonly IpText[]): void {
    this.#outlet.tell(ips.flatMap(ip => this.#parts.grantOf(ip)));
  }
}

const orderEntry = (order: Given): Entry => ({ kind: 'order', order });

const randomSpread = (): number => Math.random() * SPREAD_SECONDS;
