/**
 * What a time of the history adds up to: who logged in, who relayed by a grant, what was refused, and who still needs it.
 *
 * Pure: entries go in, oldest hour first.  Costs a few look-ups for each entry, and memory for the different users and addresses.
 */
import type { IpText } from '../base/address.ts';
import { HOUR, hourOf } from './block.ts';
import { type Entry, isGranting } from './entry.ts';
import { Needs } from './needs.ts';
import {
  COUNTS,
  type Counts,
  type LoginRow,
  type OpenRow,
  type RefusedRow,
  type RelayedRow,
  type Summed,
} from './summary-rows.ts';

/** Of the longest grants. */
const MOST_LONGEST = 20;

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
  readonly #needs = new Needs();
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
        this.#needs.add(entry, 'authenticated', 1);
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
      needs: this.#needs.rows(),
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
    this.#needs.add(entry, 'logins', 1);
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
    this.#needs.add(entry, 'messages', messages);
  }

  #refuse({ ip, time }: Entry): void {
    if (ip === null) return;
    const row = this.#refused.get(ip) ?? { ip, user: null, refused: 0, last: time };
    this.#refused.set(ip, row);
    row.refused++;
    row.last = Math.max(row.last, time);
  }
}

function rowsOf<T>(table: Map<IpText, T[]>, ip: IpText): T[] {
  const known = table.get(ip);
  if (known !== undefined) return known;
  const rows: T[] = [];
  table.set(ip, rows);
  return rows;
}

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
