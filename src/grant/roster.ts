/**
 * Who is behind the grants: the user and the server of the latest login of each address, those who logged in from there before him,
 * and since when it has its grant.
 *
 * Fed by the decisions, so that the grant table need not know; a refresh costs one look-up and two numbers.
 * Promises: an address leaves with its grant; the number of entries is bounded, and what is beyond it is not known,
 * which is told (`knows`), never guessed; of the users of one address the latest are kept.  Names are copies (base/text.ts).
 * Leaves to others: which grants there are, and until when (grant/).
 */

import { canonicalIp, type IpText } from '../base/address.ts';
import { type AddressKey, ipOf, keyOf } from '../base/address-key.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { savedList } from '../base/saved.ts';
import { ownCopy } from '../base/text.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { Decision } from './decision.ts';

/** Entries; 40 MB with a user of its own for each. */
export const MAX_ENTRIES = 250_000;

/** Users of one address besides that of its latest login; with more it is a proxy, of which the log warns. */
const MOST_OTHERS = 19;
/** And of all addresses together: some 15 MB. */
const MAX_OTHERS = 100_000;

const NOBODY: readonly string[] = [];

export interface Entry {
  /** Null when the server does not log it, and for an allowance. */
  readonly user: string | null;
  /** Who else has logged in since the grant was made, the latest first; upper and lower case are one. */
  readonly others: readonly string[];
  /** Null for an allowance. */
  readonly server: string | null;
  /** Whether the latest login was over an encrypted connection; null when that is not known. */
  readonly tls: boolean | null;
  /** The host of the fleet that saw the latest login; null for this one. */
  readonly from: string | null;
  /** The login that made the grant, and the latest one, in whole seconds of the log's time. */
  readonly since: EpochSeconds;
  readonly last: EpochSeconds;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export class Roster {
  readonly #entries = new Map<AddressKey, Writable<Entry>>();
  readonly #capacity: number;
  /** The sum of all `others`. */
  #others = 0;
  /** Whose entries have changed, or left, since that was asked; null when nobody asks. */
  #changed: Set<AddressKey> | null = null;

  constructor(capacity: number = MAX_ENTRIES) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  of(ip: IpText): Entry | null {
    return this.#entries.get(keyOf(ip)) ?? null;
  }

  /**
   * The addresses whose latest login was this user's, and how many there are of which no user was logged; upper and lower
   * case count as one, as in orders.ts.
   */
  ofUser(user: string): { readonly ips: readonly IpText[]; readonly unnamed: number } {
    const wanted = user.toLowerCase();
    const ips: IpText[] = [];
    let unnamed = 0;
    for (const [key, entry] of this.#entries) {
      if (entry.user?.toLowerCase() === wanted) ips.push(ipOf(key));
      else if (entry.user === null && entry.server !== null) unnamed++;
    }
    return { ips, unnamed };
  }

  /** The addresses of which a user is known. */
  *named(): Generator<{ readonly ip: IpText; readonly user: string }> {
    for (const [key, { user }] of this.#entries) if (user !== null) yield { ip: ipOf(key), user };
  }

  /** A decision, with who was behind the grant that it ends. */
  withHolder(decision: Decision): Decision {
    if (decision.kind !== 'purged' && decision.kind !== 'withdrawn') return decision;
    const holder = this.of(decision.grant.ip);
    return holder === null ? decision : { ...decision, holder };
  }

  report(decision: Decision): void {
    switch (decision.kind) {
      case 'login':
        if (decision.outcome.kind !== 'ignored') this.#login(decision.login, decision.from ?? null);
        return;
      case 'purged':
      case 'withdrawn':
        this.#forget(decision.grant.ip);
        return;
      case 'allowed':
        this.#add(decision.order.subject.ip, {
          user: null,
          server: null,
          tls: null,
          from: decision.from ?? null,
          time: decision.order.made,
        });
        return;
      case 'evicted':
      case 'revoked':
      case 'lifted':
        for (const { ip } of decision.grants) this.#forget(ip);
        return;
      case 'logout':
      case 'kept':
      case 'limit exceeded':
      case 'in force':
      case 'identified':
      case 'probed':
      case 'order bounded':
      case 'map failed':
      case 'map recovered':
        return;
      default:
        // A new kind has to say here who is behind the grants after it.
        decision satisfies never;
    }
  }

  /** All entries, plain JSON each; may change while they are gone through. */
  *saved(): Generator<readonly unknown[]> {
    for (const [key, entry] of this.#entries) yield savedEntry(key, entry);
  }

  /**
   * The entries that have changed since this was asked last, as `saved` has them, and the mere address of those that have left; none the
   * first time.  That only the latest login is another one, of the same user in the same way, is no change.
   */
  changes(): readonly (readonly unknown[])[] {
    const found = [...(this.#changed ?? [])].map(key => {
      const entry = this.#entries.get(key);
      return entry === undefined ? [ipOf(key)] : savedEntry(key, entry);
    });
    this.#changed = new Set();
    return found;
  }

  /**
   * Takes over what was saved, the last of each address, of those that have a grant; what is of another sort is left out.
   *
   * @param saved entries, or, of earlier versions, an object that has them
   */
  restore(saved: readonly unknown[], isGranted: (ip: IpText) => boolean): void {
    for (const one of saved) {
      const lists = Array.isArray(one) ? [entryOf(one)] : savedList(one, 'entries', entryOf);
      for (const found of lists) if (found !== null) this.#restore(...found, isGranted);
    }
  }

  #restore(ip: IpText, entry: Entry | null, isGranted: (ip: IpText) => boolean): void {
    const key = keyOf(ip);
    const before = this.#entries.get(key);
    this.#others -= before?.others.length ?? 0;
    if (entry === null) this.#entries.delete(key);
    if (entry === null || !isGranted(ip)) return;
    if (before === undefined && this.#entries.size >= this.#capacity) return;
    this.#entries.set(key, entry);
    this.#others += entry.others.length;
  }

  #login({ ip, user, server, tls, time }: LoginEvent, from: string | null): void {
    const last = epoch(Math.floor(time ?? 0));
    const entry = this.#entries.get(keyOf(ip));
    if (entry === undefined) {
      this.#add(ip, { user, server, tls, from, time: last });
      return;
    }
    if (last < entry.last) return;
    entry.last = last;
    const isAsBefore = entry.user === user && entry.server === server && entry.tls === tls;
    if (!isAsBefore || entry.from !== from) this.#changed?.add(keyOf(ip));
    if (entry.user !== user) {
      this.#noteOthers(entry, user);
      entry.user = user === null ? null : ownCopy(user);
    }
    entry.server = server;
    entry.tls = tls;
    entry.from = from;
  }

  /** The user of the login before joins those of earlier ones, and the new one leaves them. */
  #noteOthers(entry: Writable<Entry>, user: string | null): void {
    const folded = user?.toLowerCase();
    // What is there already has each name once, and not that of the login before.
    const older = entry.others.filter(other => other.toLowerCase() !== folded);
    const others =
      entry.user === null || entry.user.toLowerCase() === folded ? older : [entry.user, ...older];
    const room = Math.min(MOST_OTHERS, MAX_OTHERS - this.#others + entry.others.length);
    const kept = others.length === 0 ? NOBODY : others.slice(0, room);
    this.#others += kept.length - entry.others.length;
    entry.others = kept;
  }

  #forget(ip: IpText): void {
    const key = keyOf(ip);
    this.#others -= this.#entries.get(key)?.others.length ?? 0;
    if (this.#entries.delete(key)) this.#changed?.add(key);
  }

  #add(
    ip: IpText,
    {
      user,
      server,
      tls,
      from,
      time,
    }: Omit<Entry, 'since' | 'last' | 'others'> & { readonly time: EpochSeconds },
  ): void {
    const key = keyOf(ip);
    if (this.#entries.has(key) || this.#entries.size >= this.#capacity) return;
    const since = epoch(Math.floor(time));
    const name = user === null ? null : ownCopy(user);
    this.#changed?.add(key);
    // Spelt out: from a spread V8 makes objects of three times the size.
    this.#entries.set(key, { user: name, others: NOBODY, server, since, last: since, tls, from });
  }
}

const savedEntry = (
  key: AddressKey,
  { user, server, since, last, tls, from, others }: Entry,
): readonly unknown[] => [
  ...[ipOf(key), user, server, since, last, tls, from],
  ...(others.length === 0 ? [] : [others]),
];

/** Null for one that has left. */
function entryOf(fields: readonly unknown[]): [IpText, Entry | null] | null {
  const [address, user, server, since, last, tls = null, from = null, told = NOBODY] = fields;
  const ip = typeof address === 'string' ? canonicalIp(address) : null;
  if (ip !== null && fields.length === 1) return [ip, null];
  if (ip === null || !isTextOrNull(user) || !isTextOrNull(server)) return null;
  if (typeof since !== 'number' || typeof last !== 'number') return null;
  if (!isTextOrNull(from) || (tls !== null && typeof tls !== 'boolean')) return null;
  const others = Array.isArray(told) ? told.filter(isText).slice(0, MOST_OTHERS) : NOBODY;
  return [ip, { user, others, server, tls, from, since: epoch(since), last: epoch(last) }];
}

const isText = (value: unknown): value is string => typeof value === 'string';

const isTextOrNull = (value: unknown): value is string | null =>
  value === null || typeof value === 'string';
