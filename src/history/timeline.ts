/**
 * What the history knows of addresses and users, put in order of time, to be asked what was so at a moment.
 *
 * Pure.  Known limit: a grant whose end is not in the history is over when its grace period is and no daemon ran, since the timer ends it.
 */
import type { IpText } from '../base/address.ts';
import { type Entry, isGranting } from './entry.ts';

/** A grant of an address; `end` null while it lasts. */
export interface KnownGrant {
  readonly ip: IpText;
  readonly first: Entry;
  /** The latest login that it had. */
  readonly last: Entry;
  readonly end: Entry | null;
}

export class Timeline {
  readonly entries: readonly Entry[];
  readonly #grace: (ip: IpText) => number;

  /** @param grace seconds, now */
  constructor(entries: readonly Entry[], grace: (ip: IpText) => number) {
    this.entries = [...entries].sort((a, b) => a.time - b.time);
    this.#grace = grace;
  }

  of(ip: IpText): Entry[] {
    return this.entries.filter(entry => entry.ip === ip);
  }

  /** The users who have logged in from an address, allowed or not; in lower case. */
  usersOf(ip: IpText): Set<string> {
    const users = this.of(ip).flatMap(({ kind, user }) =>
      kind === 'login' && user !== null ? [user.toLowerCase()] : [],
    );
    return new Set(users);
  }

  /** The addresses from which a user has logged in. */
  addressesOf(users: ReadonlySet<string>): Set<IpText> {
    const ips = this.entries.flatMap(({ kind, user, ip }) =>
      kind === 'login' && ip !== null && user !== null && users.has(user.toLowerCase()) ? [ip] : [],
    );
    return new Set(ips);
  }

  /** The last login of an address by a moment, whatever it led to. */
  lastLogin(ip: IpText, at: number): Entry | null {
    return (
      this.entries.findLast(one => one.kind === 'login' && one.ip === ip && one.time <= at) ?? null
    );
  }

  /** The first login that granted something, after a moment and within so many seconds. */
  nextLogin(ip: IpText, at: number, within: number): Entry | null {
    return (
      this.entries.find(
        one => isGranting(one) && one.ip === ip && one.time > at && one.time <= at + within,
      ) ?? null
    );
  }

  /** The latest grant that an address had got by a moment; null for none. */
  grant(ip: IpText, at: number): KnownGrant | null {
    const known = this.entries.filter(one => one.ip === ip && one.time <= at);
    const end = known.findLastIndex(({ kind }) => kind === 'ended');
    const isOpening = (one: Entry): boolean =>
      isGranting(one) || (one.kind === 'order' && one.what === 'allow');
    const since = known.slice(end + 1).filter(isOpening);
    const [first] = since;
    const last = since.at(-1);
    if (first !== undefined && last !== undefined) return { ip, first, last, end: null };
    const before = end < 0 ? -1 : known.slice(0, end).findLastIndex(({ kind }) => kind === 'ended');
    const ended = known.slice(before + 1, Math.max(end, 0)).filter(isOpening);
    const [begun] = ended;
    const latest = ended.at(-1);
    if (begun === undefined || latest === undefined) return null;
    return { ip, first: begun, last: latest, end: known[end] ?? null };
  }

  /** Whether a grant lasts at a moment by which it was got. */
  isLive({ ip, last, end }: KnownGrant, at: number): boolean {
    if (end !== null) return false;
    const until = Math.max(last.time + this.#grace(ip), last.until);
    return at <= until || this.wasUp(at) === true;
  }

  /** Whether the daemon ran at a moment; null where nothing is known of it. */
  wasUp(at: number): boolean | null {
    const last = this.entries.findLast(({ kind, time }) => kind === 'daemon' && time <= at);
    return last === undefined ? null : last.what === 'started';
  }

  /** What the daemon said last of itself by a moment. */
  lastOfDaemon(at: number): Entry | null {
    return this.entries.findLast(({ kind, time }) => kind === 'daemon' && time <= at) ?? null;
  }

  /** The recipient of an address that was refused, nearest to a moment. */
  refusal(ip: IpText, at: number, within: number): Entry | null {
    let nearest: Entry | null = null;
    for (const entry of this.entries) {
      if (entry.kind !== 'refused' || entry.ip !== ip) continue;
      const distance = Math.abs(entry.time - at);
      if (distance > within) continue;
      if (nearest === null || distance < Math.abs(nearest.time - at)) nearest = entry;
    }
    return nearest;
  }

  /** The order in force at a moment that refuses an address or one of the users; null for none. */
  revocation(ip: IpText, users: ReadonlySet<string>, at: number): Entry | null {
    const last = this.entries.findLast(({ kind, time, ip: about, user }) => {
      const isAbout = about === ip || (user !== null && users.has(user.toLowerCase()));
      return kind === 'order' && time <= at && isAbout;
    });
    return last?.what === 'revoke' && last.until > at ? last : null;
  }
}
