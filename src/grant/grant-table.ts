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
import type { IpText } from '../classifier/address.ts';
import { type EpochSeconds, epoch, type Moment } from '../clock.ts';
import { DueQueue } from './due-queue.ts';

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

interface Entry {
  stamp: EpochSeconds;
  /** When the grant ends, on the steady clock. */
  due: EpochSeconds;
}

export class GrantTable {
  readonly #grants = new Map<IpText, Entry>();
  readonly #queue = new DueQueue<IpText>();
  readonly #capacity: number;
  #grace: number;

  /**
   * @param grace seconds that a grant lasts after the latest login
   * @param capacity the most grants that there may be
   */
  constructor(grace: number, capacity: number = MAX_GRANTS) {
    this.#grace = grace;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#grants.size;
  }

  /** Every grant there is. */
  *all(): Generator<Grant> {
    for (const [ip, { stamp }] of this.#grants) yield { ip, stamp };
  }

  /** @param time what the log says; fractions of a second are dropped */
  login(ip: IpText, time: EpochSeconds, now: Moment): LoginResult {
    const stamp = epoch(Math.floor(Math.min(time, now.wall)));
    const due = this.#dueOf(stamp, now);
    if (due <= now.steady) return { kind: 'late' };
    const entry = this.#grants.get(ip);
    if (entry === undefined) {
      this.#insert(ip, { stamp, due });
      return { kind: 'granted', stamp };
    }
    const moved = prolong(entry, { stamp, due });
    return { kind: 'refreshed', stamp: entry.stamp, moved };
  }

  /**
   * The end of a session: a grant that there is lasts for the grace period after it.
   *
   * @returns the grant if it ends later now, else null
   */
  logout(ip: IpText, time: EpochSeconds, now: Moment): Grant | null {
    const entry = this.#grants.get(ip);
    if (entry === undefined) return null;
    const stamp = epoch(Math.floor(Math.min(time, now.wall)));
    return prolong(entry, { stamp, due: this.#dueOf(stamp, now) })
      ? { ip, stamp: entry.stamp }
      : null;
  }

  /** Ends a grant before its time; null when there is none. */
  revoke(ip: IpText): Grant | null {
    const entry = this.#grants.get(ip);
    if (entry === undefined) return null;
    this.#grants.delete(ip);
    return { ip, stamp: entry.stamp };
  }

  /** When a grant ends, on the steady clock; null when there is none. */
  dueOf(ip: IpText): EpochSeconds | null {
    return this.#grants.get(ip)?.due ?? null;
  }

  /** Takes over a row that an earlier run left in the map; one that is overdue ends at the next `expire`. */
  restore({ ip, stamp }: Grant, now: Moment): void {
    const past = epoch(Math.min(stamp, now.wall));
    this.#insert(ip, { stamp, due: this.#dueOf(past, now) });
  }

  /**
   * Ends the grants that are due, oldest first.
   *
   * @param isHeld whether an open session keeps a grant; that one lasts for another grace period
   */
  expire(now: Moment, isHeld: (ip: IpText) => boolean): Due {
    const ended: Grant[] = [];
    const kept: Grant[] = [];
    for (const ip of this.#queue.take(now.steady)) {
      const entry = this.#grants.get(ip);
      if (entry === undefined) continue;
      const isDue = entry.due <= now.steady;
      if (isDue && !isHeld(ip)) {
        this.#grants.delete(ip);
        ended.push({ ip, stamp: entry.stamp });
        continue;
      }
      if (isDue) {
        const stamp = epoch(Math.floor(now.wall));
        Object.assign(entry, { stamp, due: this.#dueOf(stamp, now) });
        kept.push({ ip, stamp });
      }
      this.#queue.add(ip, entry.due);
    }
    return { ended, kept };
  }

  /** Ends the grants that would end first, if there are more than there may be; to be called once a batch. */
  evict(): Grant[] {
    const evicted: Grant[] = [];
    while (this.#grants.size > this.#capacity) {
      const { entries, until } = this.#queue.takeEarliest();
      for (const ip of entries) {
        const entry = this.#grants.get(ip);
        if (entry === undefined) continue;
        if (entry.due <= until && this.#grants.size > this.#capacity) {
          this.#grants.delete(ip);
          evicted.push({ ip, stamp: entry.stamp });
        } else this.#queue.add(ip, entry.due);
      }
    }
    return evicted;
  }

  /** Changes the grace period, for the grants that are live as well. */
  setGrace(grace: number): void {
    const change = grace - this.#grace;
    this.#grace = grace;
    if (change === 0) return;
    for (const [ip, entry] of this.#grants) {
      entry.due = epoch(entry.due + change);
      // Two entries for one grant do no harm: the second finds it gone, or moves on with it.
      if (change < 0) this.#queue.add(ip, entry.due);
    }
  }

  #dueOf(stamp: EpochSeconds, { wall, steady }: Moment): EpochSeconds {
    return epoch(steady - (wall - stamp) + this.#grace);
  }

  #insert(ip: IpText, entry: Entry): void {
    const own = detached(ip);
    this.#grants.set(own, entry);
    this.#queue.add(own, entry.due);
  }
}

/** @returns whether the entry has a later stamp now */
function prolong(entry: Entry, { stamp, due }: Entry): boolean {
  const moved = stamp > entry.stamp;
  if (moved) entry.stamp = stamp;
  if (due > entry.due) entry.due = due;
  return moved;
}

/** V8 keeps a substring as a view of the whole text read from the log, which a grant would hold in memory. */
function detached(ip: IpText): IpText {
  return Buffer.from(ip, 'latin1').toString('latin1') as IpText;
}
