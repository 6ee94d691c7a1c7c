/**
 * Who may relay, and until when.
 *
 * A pure state machine: logins and the time go in, grants and their ends come out; it knows neither the
 * map nor the log.  A grant lasts for the grace period after the latest login.  What a login is worth is
 * read off the log's time, when the grant ends off the steady clock (clock.ts).
 *
 * Promises: a login older than the grace period grants nothing, so that reading an old log opens nothing; a
 * stamp from the future counts as now, so that a wrong clock elsewhere keeps nothing open for longer; granting,
 * refreshing and expiring are O(1) amortised each; the number of grants is bounded, and those that would end first
 * go first.
 */
import type { IpText } from '../base/address.ts';
import { type AddressKey, ipOf, keyOf } from '../base/address-key.ts';
import { type EpochSeconds, epoch, type Moment } from '../base/clock.ts';
import { DueQueue } from './due-queue.ts';
import { type Entry, EntryTable } from './entry-table.ts';

export interface Grant {
  readonly ip: IpText;
  /**
   * The latest login, or the latest moment at which a session that it opened was still open, in whole seconds
   * of wall time: what the map's row says.
   */
  readonly stamp: EpochSeconds;
}

/** Grants, unless told otherwise; some 20 MB of memory, and 7 MB of a map. */
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

export class GrantTable {
  readonly #grants = new EntryTable();
  readonly #queue = new DueQueue<AddressKey>();
  readonly #capacity: number;
  #grace: GraceOf;

  /** @param capacity the most grants that there may be */
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

  /** @param time what the log says; fractions of a second are dropped */
  login(ip: IpText, time: EpochSeconds, now: Moment): LoginResult {
    const stamp = epoch(Math.floor(Math.min(time, now.wall)));
    const end = this.#dueOf(ip, stamp, now);
    if (end <= now.steady) return { kind: 'late' };
    const due = ticksOf(end);
    const key = keyOf(ip);
    const entry = this.#grants.get(key);
    if (entry === undefined) {
      this.#insert(key, { stamp, due });
      return { kind: 'granted', stamp };
    }
    const { entry: later, moved } = prolonged(entry, { stamp, due });
    this.#grants.set(key, later);
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
    const { entry: later, moved } = prolonged(entry, { stamp, due });
    this.#grants.set(key, later);
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
    this.#insert(keyOf(ip), { stamp, due: ticksOf(this.#dueOf(ip, stamp, now)) });
    return { ip, stamp };
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
        this.#grants.delete(key);
        ended.push({ ip, stamp: entry.stamp });
        continue;
      }
      if (!isDue) {
        this.#queue.add(key, timeOf(entry.due));
        continue;
      }
      const stamp = epoch(Math.floor(now.wall));
      this.#insert(key, { stamp, due: ticksOf(this.#dueOf(ip, stamp, now)) });
      kept.push({ ip, stamp });
    }
    return { ended, kept };
  }

  /** Ends the grants that would end first, if there are more than there may be; to be called once a batch. */
  evict(): Grant[] {
    const evicted: Grant[] = [];
    while (this.#grants.size > this.#capacity) {
      const { entries, until } = this.#queue.takeEarliest();
      for (const key of entries) {
        const entry = this.#grants.get(key);
        if (entry === undefined) continue;
        if (timeOf(entry.due) <= until && this.#grants.size > this.#capacity) {
          this.#grants.delete(key);
          evicted.push({ ip: ipOf(key), stamp: entry.stamp });
        } else this.#queue.add(key, timeOf(entry.due));
      }
    }
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
    if (entry === undefined) return null;
    this.#grants.delete(key);
    return { ip, stamp: entry.stamp };
  }

  /** Changes the grace periods, for the grants that are live as well. */
  setGrace(grace: GraceOf): void {
    const before = this.#grace;
    this.#grace = grace;
    for (const key of this.#grants.keys()) {
      const ip = ipOf(key);
      const entry = this.#grants.get(key);
      const change = grace(ip) - before(ip);
      if (entry === undefined || change === 0) continue;
      const due = entry.due + change * TICKS;
      this.#grants.set(key, { stamp: entry.stamp, due });
      // Two entries for one grant do no harm: the second finds it gone, or moves on with it.
      if (change < 0) this.#queue.add(key, timeOf(due));
    }
  }

  #dueOf(ip: IpText, stamp: EpochSeconds, { wall, steady }: Moment): EpochSeconds {
    return epoch(steady - (wall - stamp) + this.#grace(ip));
  }

  #insert(key: AddressKey, entry: Entry): void {
    this.#grants.set(key, entry);
    this.#queue.add(key, timeOf(entry.due));
  }
}

/** The later of both, in each respect, and whether it has a later stamp than before. */
function prolonged(
  before: Entry,
  { stamp, due }: Entry,
): { readonly entry: Entry; readonly moved: boolean } {
  const moved = stamp > before.stamp;
  const entry = { stamp: moved ? stamp : before.stamp, due: Math.max(due, before.due) };
  return { entry, moved };
}
