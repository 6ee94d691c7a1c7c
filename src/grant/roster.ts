/**
 * Who is behind the grants: the user and the server of the latest login of each address, and since when it has its grant.
 *
 * Fed by the decisions, so that the grant table need not know; a refresh costs one look-up and two numbers.
 * Promises: an address leaves with its grant; the number of entries is bounded, and what is beyond it is not known,
 * which is told (`knows`), never guessed.  Names are copies (base/text.ts).
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

export interface Entry {
  /** Null when the server does not log it, and for an allowance. */
  readonly user: string | null;
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
        this.#entries.delete(keyOf(decision.grant.ip));
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
        for (const { ip } of decision.grants) this.#entries.delete(keyOf(ip));
        return;
      case 'logout':
      case 'kept':
      case 'limit exceeded':
      case 'in force':
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

  /** Plain JSON. */
  save(): { readonly entries: readonly (readonly unknown[])[] } {
    return {
      entries: [...this.#entries].map(([key, { user, server, since, last, tls, from }]) => [
        ipOf(key),
        user,
        server,
        since,
        last,
        tls,
        from,
      ]),
    };
  }

  /** Takes over what was saved of the addresses that have a grant; what is of another sort is left out. */
  restore(saved: unknown, isGranted: (ip: IpText) => boolean): void {
    for (const [ip, entry] of savedList(saved, 'entries', entryOf)) {
      if (isGranted(ip) && this.#entries.size < this.#capacity) {
        this.#entries.set(keyOf(ip), entry);
      }
    }
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
    if (entry.user !== user) entry.user = user === null ? null : ownCopy(user);
    entry.server = server;
    entry.tls = tls;
    entry.from = from;
  }

  #add(
    ip: IpText,
    {
      user,
      server,
      tls,
      from,
      time,
    }: Omit<Entry, 'since' | 'last'> & { readonly time: EpochSeconds },
  ): void {
    const key = keyOf(ip);
    if (this.#entries.has(key) || this.#entries.size >= this.#capacity) return;
    const since = epoch(Math.floor(time));
    const name = user === null ? null : ownCopy(user);
    // Spelt out: from a spread V8 makes objects of three times the size.
    this.#entries.set(key, { user: name, server, since, last: since, tls, from });
  }
}

function entryOf(fields: readonly unknown[]): [IpText, Entry] | null {
  const [address, user, server, since, last, tls = null, from = null] = fields;
  const ip = typeof address === 'string' ? canonicalIp(address) : null;
  if (ip === null || !isTextOrNull(user) || !isTextOrNull(server)) return null;
  if (typeof since !== 'number' || typeof last !== 'number') return null;
  if (!isTextOrNull(from) || (tls !== null && typeof tls !== 'boolean')) return null;
  return [ip, { user, server, tls, from, since: epoch(since), last: epoch(last) }];
}

const isTextOrNull = (value: unknown): value is string | null =>
  value === null || typeof value === 'string';
