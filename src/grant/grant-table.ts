/**
 * Who may relay, and until when.
 *
 * A pure state machine: logins and the time go in, grants and their ends come out; it knows neither the
 * map nor the log.  A grant lasts for the grace period after the latest login.  What a login is worth is
 * read off the log's time, when the grant ends off the steady clock (clock.ts).
 *
 * Promises: a login older than the grace period grants nothing, so that reading an old log opens nothing; a
 * stamp from the future counts as now, so that a wrong clock elsewhere keeps nothing open for longer; granting,
 * refreshing, expiring and evicting are O(1) amortised each.  The number of grants is bounded, and beyond it those go that
 * belong to whoever has most (holders.ts), so that no account and no network drives out what others have: of his the one
 * that was not used for longest.  When nobody has more than one, those go that would end first.
 */
import type { IpText } from '../base/address.ts';
import { type AddressKey, ipOf, keyOf } from '../base/address-key.ts';
import { type EpochSeconds, epoch, type Moment } from '../base/clock.ts';
import { DueQueue } from './due-queue.ts';
import { type Entry, EntryTable } from './entry-table.ts';
import { Generations } from './generations.ts';
import { Holders } from './holders.ts';

export interface Grant {
  readonly ip: IpText;
  /**
   * The latest login, or the latest moment at which a session that it opened was still open, in whole seconds
   * of wall time: what the map's row says.
   */
  readonly stamp: EpochSeconds;
}

/** Grants, unless told otherwise; some 30 MB of memory, and 7 MB of a map. */
export const MAX_GRANTS = 100_000;

/** What has come due: grants that `ended`, and those that were `kept` and begin anew. */
export interface Due {
  readonly ended: readonly Grant[];
  readonly kept: readonly Grant[];
}

/**
 * What a login did: it `granted`, it `refreshed` a grant (`moved` when the grant now ends later), or it was
 * too `late` to be worth anything.
 */
export type LoginResult =
  | { readonly kind: 'granted'; readonly stamp: EpochSeconds }
  | { readonly kind: 'refreshed'; readonly stamp: EpochSeconds; readonly moved: boolean }
  | { readonly kind: 'late' };

/** How many seconds a grant of an address lasts after the latest login. */
export type GraceOf = (ip: IpText) => number;

/** When grants end is kept in quarter seconds, as fine as the queue is. */
const TICKS = 4;
const ticksOf = (time: EpochSeconds): number => Math.ceil(time * TICKS);
const timeOf = (ticks: number): EpochSeconds => epoch(ticks / TICKS);

/** Grants that ended before their time, of which that is known at least; 10 MB, and as much again before half is forgotten. */
const MAX_ENDED = 100_000;

/** Entries of the queue that it may have too many. */
const SLACK = 1024;

interface Login {
  readonly stamp: EpochSeconds;
  readonly due: number;
  readonly user: string | null;
}

export class GrantTable {
  readonly #grants = new EntryTable();
  /** The last login of those that ended before their time. */
  readonly #endedEarly = new Generations<AddressKey, EpochSeconds>(2 * MAX_ENDED);
  readonly #queue = new DueQueue<AddressKey>();
  readonly #holders = new Holders();
  readonly #capacity: number;
  readonly #grace: GraceOf;

  /**
   * @param grace the grace period of an address now
   * @param capacity the most grants that there may be
   */
  constructor(grace: GraceOf, capacity: number = MAX_GRANTS) {
    this.#grace = grace;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#grants.size;
  }

  /** Every grant there is. */
  *all(): Generator<Grant> {
    for (const key of this.#grants.keys()) {
      const entry = this.#grants.get(key);
      if (entry !== undefined) yield { ip: ipOf(key), stamp: entry.stamp };
    }
  }

  /** The addresses of all. */
  *ips(): Generator<IpText> {
    for (const key of this.#grants.keys()) if (this.#grants.has(key)) yield ipOf(key);
  }

  /** Makes room for so many, which are to come at once. */
  expect(count: number): void {
    this.#grants.expect(count);
  }

  /** The grants that are counted for a user. */
  ofUser(user: string): IpText[] {
    return this.#holders.ofUser(user);
  }

  /**
   * @param time what the log says; fractions of a second are dropped
   * @param user null when he is not known
   */
  login(ip: IpText, time: EpochSeconds, now: Moment, user: string | null = null): LoginResult {
    const stamp = epoch(Math.floor(Math.min(time, now.wall)));
    const end = this.#dueOf(ip, stamp, now);
    if (end <= now.steady) return { kind: 'late' };
    const due = ticksOf(end);
    const key = keyOf(ip);
    const entry = this.#grants.get(key);
    if (entry === undefined) {
      this.#add(key, { ip, stamp, due, user });
      return { kind: 'granted', stamp };
    }
    const { entry: later, moved } = this.#prolong(key, entry, { stamp, due, user });
    return { kind: 'refreshed', stamp: later.stamp, moved };
  }

  /**
   * The end of a session: a grant that there is lasts for the grace period after it.
   *
   * @returns the grant if it ends later now, else null
   */
  logout(ip: IpText, time: EpochSeconds, now: Moment): Grant | null {
    const key = keyOf(ip);
    const entry = this.#grants.get(key);
    if (entry === undefined) return null;
    const stamp = epoch(Math.floor(Math.min(time, now.wall)));
    const due = ticksOf(this.#dueOf(ip, stamp, now));
    const { entry: later, moved } = this.#prolong(key, entry, { stamp, due, user: null });
    return moved ? { ip, stamp: later.stamp } : null;
  }

  /** When a grant ends, on the steady clock; null when there is none. */
  dueOf(ip: IpText): EpochSeconds | null {
    const entry = this.#grants.get(keyOf(ip));
    return entry === undefined ? null : timeOf(entry.due);
  }

  /** What the row of a grant says; null when there is none. */
  stampOf(ip: IpText): EpochSeconds | null {
    return this.#grants.get(keyOf(ip))?.stamp ?? null;
  }

  /**
   * Takes over a row that an earlier run left in the map; one that is overdue ends at the next `expire`, and one from the
   * future counts from now.
   *
   * @returns the grant, which the row need not agree with
   */
  restore({ ip, stamp: told }: Grant, now: Moment): Grant {
    const stamp = epoch(Math.floor(Math.min(told, now.wall)));
    const due = ticksOf(this.#dueOf(ip, stamp, now));
    const key = keyOf(ip);
    const before = this.#grants.get(key);
    if (before !== undefined) this.#end(key, before);
    this.#add(key, { ip, stamp, due, user: null });
    return { ip, stamp };
  }

  /** Counts the grant of an address, if there is one, for a user: one of an earlier run, of which the row does not say whose. */
  attribute(ip: IpText, user: string): void {
    const key = keyOf(ip);
    const entry = this.#grants.get(key);
    if (entry === undefined) return;
    this.#grants.set(key, { ...entry, ...this.#holders.share(key, entry, user) });
  }

  /**
   * Ends the grants that are due, oldest first.
   *
   * @param isHeld whether an open session keeps a grant; that one lasts for another grace period
   */
  expire(now: Moment, isHeld: (ip: IpText) => boolean): Due {
    const ended: Grant[] = [];
    const kept: Grant[] = [];
    for (const key of this.#queue.take(now.steady)) {
      const entry = this.#grants.get(key);
      if (entry === undefined) continue;
      const ip = ipOf(key);
      const isDue = timeOf(entry.due) <= now.steady;
      if (isDue && !isHeld(ip)) {
        ended.push(this.#end(key, entry));
        continue;
      }
      if (!isDue) {
        this.#queue.add(key, timeOf(entry.due));
        continue;
      }
      const stamp = epoch(Math.floor(now.wall));
      const due = ticksOf(this.#dueOf(ip, stamp, now));
      this.#holders.touch(entry);
      this.#grants.set(key, { ...entry, stamp, due });
      this.#queue.add(key, timeOf(due));
      kept.push({ ip, stamp });
    }
    return { ended, kept };
  }

  /** When `expire` will next have something to do, if that is within so many seconds, which are to be few. */
  nextDue(now: Moment, within: number): EpochSeconds | null {
    return this.#queue.next(now.steady, within);
  }

  /** Ends grants of those who have most, if there are more than there may be; to be called once a batch. */
  evict(): Grant[] {
    const evicted: Grant[] = [];
    while (this.#grants.size > this.#capacity) {
      const key = this.#holders.next;
      const entry = key === undefined ? undefined : this.#grants.get(key);
      if (key === undefined || entry === undefined) return [...evicted, ...this.#evictEarliest()];
      evicted.push(this.#endEarly(key, entry));
    }
    this.#tidy();
    return evicted;
  }

  /**
   * Ends the grant of an address before its time.
   *
   * @returns the grant, or null if there is none
   */
  revoke(ip: IpText): Grant | null {
    const key = keyOf(ip);
    const entry = this.#grants.get(key);
    return entry === undefined ? null : this.#endEarly(key, entry);
  }

  /**
   * Whether a login has had its grant, which ended before its time: who tells of it once more, tells nothing new.
   *
   * Known limit: what ended before a restart is not known.
   */
  hasEnded(ip: IpText, time: EpochSeconds): boolean {
    return time <= (this.#endedEarly.get(keyOf(ip)) ?? Number.NEGATIVE_INFINITY);
  }

  /** What logged in by then has had its grant, also if that was elsewhere only. */
  noteEnd(ip: IpText, time: EpochSeconds): void {
    if (!this.hasEnded(ip, time)) this.#endedEarly.set(keyOf(ip), time);
  }

  /** The grace periods are others now: the grants that are live have the new ones. @param before what they were */
  graceChanged(before: GraceOf): void {
    for (const key of this.#grants.keys()) {
      const ip = ipOf(key);
      const entry = this.#grants.get(key);
      const change = this.#grace(ip) - before(ip);
      if (entry === undefined || change === 0) continue;
      const due = entry.due + change * TICKS;
      this.#grants.set(key, { ...entry, due });
      // Two entries for one grant do no harm: the second finds it gone, or moves on with it.
      if (change < 0) this.#queue.add(key, timeOf(due));
    }
  }

  #dueOf(ip: IpText, stamp: EpochSeconds, { wall, steady }: Moment): EpochSeconds {
    return epoch(steady - (wall - stamp) + this.#grace(ip));
  }

  #endEarly(key: AddressKey, entry: Entry): Grant {
    this.#endedEarly.set(key, entry.stamp);
    return this.#end(key, entry);
  }

  #add(key: AddressKey, { ip, stamp, due, user }: Login & { readonly ip: IpText }): void {
    const { user: holder, network } = this.#holders.add(key, ip, user);
    this.#grants.add(key, { stamp, due, user: holder, network });
    this.#queue.add(key, timeOf(due));
  }

  /** The later of both, in each respect, and whether it has a later stamp than before. */
  #prolong(
    key: AddressKey,
    before: Entry,
    { stamp, due, user }: Login,
  ): { readonly entry: Entry; readonly moved: boolean } {
    const moved = stamp > before.stamp;
    if (moved) this.#holders.touch(before);
    const held = user === null ? before : this.#holders.share(key, before, user);
    const entry = {
      user: held.user,
      network: held.network,
      stamp: moved ? stamp : before.stamp,
      due: Math.max(due, before.due),
    };
    this.#grants.set(key, entry);
    return { entry, moved };
  }

  #end(key: AddressKey, entry: Entry): Grant {
    this.#grants.delete(key);
    this.#holders.remove(entry);
    return { ip: ipOf(key), stamp: entry.stamp };
  }

  #evictEarliest(): Grant[] {
    const evicted: Grant[] = [];
    while (this.#grants.size > this.#capacity) {
      const { entries, until } = this.#queue.takeEarliest();
      for (const key of entries) {
        const entry = this.#grants.get(key);
        if (entry === undefined) continue;
        if (timeOf(entry.due) <= until && this.#grants.size > this.#capacity) {
          evicted.push(this.#endEarly(key, entry));
        } else this.#queue.add(key, timeOf(entry.due));
      }
    }
    return evicted;
  }

  /** Grants that have ended before their time stay in the queue until then: not more of them than there are grants. */
  #tidy(): void {
    if (this.#queue.size <= 2 * this.#grants.size + SLACK) return;
    this.#queue.clear();
    for (const key of this.#grants.keys()) {
      const entry = this.#grants.get(key);
      if (entry !== undefined) this.#queue.add(key, timeOf(entry.due));
    }
  }
}
