/**
 * What a time of the history adds up to: who logged in, who relayed by a grant, what was refused, and who still needs it.
 *
 * Pure: entries go in, oldest hour first.  Costs a few look-ups for each entry, and memory for the different users and addresses.
 * Known limits: names are compared as they were logged, without regard to capitals, and to a domain where only one of two has one; who
 * logs in under one name and authenticates under another counts as two.
 */
import type { IpText } from '../base/address.ts';
import { HOUR, hourOf } from './block.ts';
import { type Entry, isGranting } from './entry.ts';

export interface Counts {
  /** Logins that granted something, and that did not. */
  granted: number;
  ignored: number;
  /** Grants that began, and ended. */
  grants: number;
  ended: number;
  /** By a grant. */
  messages: number;
  recipients: number;
  bytes: number;
  /** Messages of clients that had authenticated. */
  authenticated: number;
  /** Recipients that Postfix would not relay to. */
  refused: number;
}

export const COUNTS: Readonly<Counts> = {
  ...{ granted: 0, ignored: 0, grants: 0, ended: 0, messages: 0, recipients: 0 },
  ...{ bytes: 0, authenticated: 0, refused: 0 },
};

/** What one address has relayed by grants whose latest user was this one. */
export interface RelayedRow {
  readonly ip: IpText;
  readonly user: string | null;
  server: string | null;
  messages: number;
  recipients: number;
  bytes: number;
  first: number;
  last: number;
}

export interface LoginRow {
  readonly user: string | null;
  readonly ip: IpText;
  readonly server: string | null;
  readonly tls: boolean | null;
  logins: number;
  last: number;
}

export interface SharedRow {
  readonly ip: IpText;
  readonly users: readonly string[];
}

export interface OpenRow {
  readonly ip: IpText;
  readonly user: string | null;
  readonly from: number;
  readonly to: number;
}

export interface RefusedRow {
  readonly ip: IpText;
  readonly user: string | null;
  refused: number;
  last: number;
}

/** `relays`: by a grant, so he needs it; `authenticates` when he sends; `never` sends. */
export type Need = 'relays' | 'authenticates' | 'never';

export interface NeedRow {
  readonly user: string;
  readonly need: Need;
  readonly addresses: readonly IpText[];
  readonly logins: number;
  readonly messages: number;
  readonly authenticated: number;
  readonly last: number;
}

export interface Summed {
  readonly since: number;
  readonly until: number;
  readonly totals: Counts;
  /** By local days, `2026-11-27`, each of the time. */
  readonly days: readonly (readonly [day: string, counts: Counts])[];
  /** By the local hour of the day, 0 to 23. */
  readonly hours: readonly Counts[];
  readonly logins: readonly LoginRow[];
  readonly relayed: readonly RelayedRow[];
  readonly ignored: readonly (readonly [reason: string, logins: number])[];
  readonly shared: readonly SharedRow[];
  readonly longest: readonly OpenRow[];
  readonly refused: readonly RefusedRow[];
  readonly withoutTls: readonly LoginRow[];
  readonly needs: readonly NeedRow[];
}

/** Of the longest grants. */
const MOST_LONGEST = 20;

interface OfUser {
  readonly name: string;
  readonly addresses: Set<IpText>;
  logins: number;
  messages: number;
  authenticated: number;
  last: number;
}

export class Summary {
  readonly #since: number;
  readonly #until: number;
  readonly #totals: Counts = { ...COUNTS };
  readonly #days = new Map<string, Counts>();
  readonly #hours = Array.from({ length: 24 }, (): Counts => ({ ...COUNTS }));
  /** By addresses, which have few rows each: a key of all their fields cost more than all else. */
  readonly #logins = new Map<IpText, LoginRow[]>();
  readonly #relayed = new Map<IpText, RelayedRow[]>();
  readonly #ignored = new Map<string, number>();
  readonly #users = new Map<IpText, Set<string>>();
  readonly #open = new Map<IpText, { user: string | null; from: number }>();
  readonly #spans: OpenRow[] = [];
  readonly #refused = new Map<IpText, RefusedRow>();
  /** In lower case, and as each was written. */
  readonly #byUser = new Map<string, OfUser>();
  readonly #byName = new Map<string, OfUser>();
  /** Most entries are of the hour of the one before. */
  #hour = Number.NaN;
  #counts: readonly Counts[] = [];

  /** @param since in Unix time, as is `until` */
  constructor(since: number, until: number) {
    this.#since = since;
    this.#until = until;
  }

  take(entry: Entry): void {
    if (entry.time < this.#since || entry.time > this.#until) return;
    const counts = this.#countsAt(entry.time);
    const { kind, messages, recipients, bytes } = entry;
    switch (kind) {
      case 'login':
        this.#login(entry, counts);
        return;
      case 'ended':
        for (const one of counts) one.ended++;
        this.#end(entry);
        return;
      case 'relayed':
        for (const one of counts) {
          one.messages += messages;
          one.recipients += recipients;
          one.bytes += bytes;
        }
        this.#relay(entry);
        return;
      case 'sent':
        for (const one of counts) one.authenticated++;
        this.#ofUser(entry, 'authenticated', 1);
        return;
      case 'refused':
        if (entry.what !== 'relay access denied') return;
        for (const one of counts) one.refused++;
        this.#refuse(entry);
        return;
      case 'order':
      case 'limit':
      case 'daemon':
        return;
      default:
        kind satisfies never;
    }
  }

  sum(): Summed {
    for (const [ip, { user, from }] of this.#open)
      this.#spans.push({ ip, user, from, to: this.#until });
    const logins = [...this.#logins.values()].flat().sort((a, b) => b.logins - a.logins);
    return {
      since: this.#since,
      until: this.#until,
      totals: this.#totals,
      days: daysOf(this.#since, this.#until, this.#days),
      hours: this.#hours,
      logins,
      relayed: [...this.#relayed.values()].flat().sort((a, b) => b.messages - a.messages),
      ignored: [...this.#ignored].sort(([, a], [, b]) => b - a),
      shared: [...this.#users]
        .filter(([, users]) => users.size > 1)
        .map(([ip, users]) => ({ ip, users: [...users].sort() }))
        .sort((a, b) => b.users.length - a.users.length),
      longest: this.#spans.sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, MOST_LONGEST),
      refused: [...this.#refused.values()]
        .flatMap(row => {
          const users = this.#users.get(row.ip);
          return users === undefined ? [] : [{ ...row, user: [...users].at(-1) ?? null }];
        })
        .sort((a, b) => b.refused - a.refused),
      withoutTls: logins.filter(({ tls }) => tls !== true),
      needs: this.#needs(),
    };
  }

  #countsAt(time: number): readonly Counts[] {
    const hour = hourOf(time);
    if (hour === this.#hour) return this.#counts;
    const at = new Date(hour * HOUR * 1000);
    const day = dayOf(at);
    const ofDay = this.#days.get(day) ?? { ...COUNTS };
    this.#days.set(day, ofDay);
    const ofHour = this.#hours[at.getHours()];
    this.#hour = hour;
    this.#counts = [this.#totals, ofDay, ...(ofHour === undefined ? [] : [ofHour])];
    return this.#counts;
  }

  #login(entry: Entry, counts: readonly Counts[]): void {
    const { ip, what } = entry;
    if (!isGranting(entry)) {
      for (const one of counts) one.ignored++;
      this.#ignored.set(what ?? '', (this.#ignored.get(what ?? '') ?? 0) + 1);
      return;
    }
    for (const one of counts) {
      one.granted++;
      if (what === 'granted') one.grants++;
    }
    if (ip !== null) this.#admit({ ...entry, ip });
  }

  #admit(entry: Entry & { readonly ip: IpText }): void {
    const { ip, user, server, tls, time } = entry;
    const rows = rowsOf(this.#logins, ip);
    const row = rows.find(one => one.user === user && one.server === server && one.tls === tls);
    if (row === undefined) rows.push({ user, ip, server, tls, logins: 1, last: time });
    else {
      row.logins++;
      row.last = Math.max(row.last, time);
    }
    if (!this.#open.has(ip)) this.#open.set(ip, { user, from: time });
    if (user !== null && row === undefined)
      this.#users.set(ip, (this.#users.get(ip) ?? new Set()).add(user));
    this.#ofUser(entry, 'logins', 1);
  }

  #end({ ip, user, time }: Entry): void {
    const open = ip === null ? undefined : this.#open.get(ip);
    if (ip === null || open === undefined) return;
    this.#open.delete(ip);
    this.#spans.push({ ip, user: user ?? open.user, from: open.from, to: time });
    // Not all of a long time are kept to be put in order.
    if (this.#spans.length > 100 * MOST_LONGEST) {
      this.#spans.sort((a, b) => b.to - b.from - (a.to - a.from));
      this.#spans.length = MOST_LONGEST;
    }
  }

  #relay(entry: Entry): void {
    const { ip, user, server, messages, recipients, bytes, time } = entry;
    if (ip === null) return;
    const rows = rowsOf(this.#relayed, ip);
    const known = rows.find(one => one.user === user);
    const row = known ?? {
      ...{ ip, user, server, messages: 0, recipients: 0, bytes: 0, first: time, last: time },
    };
    if (known === undefined) rows.push(row);
    row.server = server;
    row.messages += messages;
    row.recipients += recipients;
    row.bytes += bytes;
    row.first = Math.min(row.first, time);
    row.last = Math.max(row.last, time);
    this.#ofUser(entry, 'messages', messages);
  }

  #refuse({ ip, time }: Entry): void {
    if (ip === null) return;
    const row = this.#refused.get(ip) ?? { ip, user: null, refused: 0, last: time };
    this.#refused.set(ip, row);
    row.refused++;
    row.last = Math.max(row.last, time);
  }

  #ofUser(
    { ip, user, time }: Entry,
    what: 'logins' | 'messages' | 'authenticated',
    more: number,
  ): void {
    if (user === null && what === 'authenticated') return;
    // A device of which no server logs the user is known by its address.
    const name = user ?? ip ?? '';
    const found = this.#byName.get(name) ?? this.#named(name);
    found[what] += more;
    found.last = Math.max(found.last, time);
    if (ip !== null && what !== 'authenticated') found.addresses.add(ip);
  }

  #named(name: string): OfUser {
    const key = name.toLowerCase();
    const found = this.#byUser.get(key) ?? {
      ...{ name, addresses: new Set<IpText>(), logins: 0, messages: 0, authenticated: 0, last: 0 },
    };
    this.#byUser.set(key, found);
    this.#byName.set(name, found);
    return found;
  }

  #needs(): NeedRow[] {
    const rows = [...this.#byUser].flatMap(([key, { name, addresses, ...counts }]) => {
      // Who only ever sends with a password has nothing to do with this.
      if (counts.logins === 0 && counts.messages === 0) return [];
      const authenticated = counts.authenticated + this.#underOtherName(key);
      const need = counts.messages > 0 ? 'relays' : authenticated > 0 ? 'authenticates' : 'never';
      return [
        { user: name, need, addresses: [...addresses], ...counts, authenticated } satisfies NeedRow,
      ];
    });
    return rows.sort(
      (a, b) =>
        NEEDS.indexOf(a.need) - NEEDS.indexOf(b.need) ||
        b.messages - a.messages ||
        b.logins - a.logins,
    );
  }

  /** What a user has sent under the same name with a domain, or without; where only one of both logs in. */
  #underOtherName(key: string): number {
    const at = key.indexOf('@');
    if (at >= 0) {
      const bare = this.#byUser.get(key.slice(0, at));
      return bare !== undefined && bare.logins === 0 ? bare.authenticated : 0;
    }
    let sum = 0;
    for (const [other, { logins, authenticated }] of this.#senders())
      if (other.startsWith(`${key}@`) && logins === 0) sum += authenticated;
    return sum;
  }

  #senders(): Iterable<[string, OfUser]> {
    this.#sending ??= [...this.#byUser].filter(
      ([key, { authenticated }]) => authenticated > 0 && key.includes('@'),
    );
    return this.#sending;
  }

  #sending: [string, OfUser][] | null = null;
}

function rowsOf<T>(table: Map<IpText, T[]>, ip: IpText): T[] {
  const known = table.get(ip);
  if (known !== undefined) return known;
  const rows: T[] = [];
  table.set(ip, rows);
  return rows;
}

const NEEDS: readonly Need[] = ['relays', 'authenticates', 'never'];

function dayOf(at: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Also the days on which nothing happened, so that a chart has no gaps. */
function daysOf(
  since: number,
  until: number,
  known: ReadonlyMap<string, Counts>,
): [string, Counts][] {
  const days: [string, Counts][] = [];
  const at = new Date(since * 1000);
  at.setHours(12, 0, 0, 0);
  const end = dayOf(new Date(until * 1000));
  for (let day = dayOf(at); day <= end; day = dayOf(at)) {
    days.push([day, known.get(day) ?? { ...COUNTS }]);
    at.setDate(at.getDate() + 1);
  }
  return days;
}
