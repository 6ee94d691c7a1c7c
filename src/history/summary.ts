/**
 * What a time of the history adds up to: who logged in, who relayed by a grant, what was refused, and who still needs it.
 *
 * Pure: blocks go in, oldest hour first.  Costs a few steps for each entry, and memory for the different users and addresses.
 */
import { HOUR, hourOf } from './block.ts';
import { BlockReader } from './block-reader.ts';
import { Needs } from './needs.ts';
import { COUNTS, type Counts, type Summed } from './summary-rows.ts';
import { TextPool } from './text-pool.ts';
import { Usage } from './usage.ts';

export class Summary {
  readonly #since: number;
  readonly #until: number;
  readonly #pool = new TextPool();
  readonly #reader = new BlockReader(this.#pool);
  readonly #usage = new Usage(this.#pool);
  readonly #granted = this.#pool.idOf('granted');
  readonly #refreshed = this.#pool.idOf('refreshed');
  readonly #denied = this.#pool.idOf('relay access denied');
  readonly #totals: Counts = { ...COUNTS };
  readonly #days = new Map<string, Counts>();
  readonly #hours = Array.from({ length: 24 }, (): Counts => ({ ...COUNTS }));
  /** By the number of the reason. */
  readonly #ignored = new Map<number, number>();
  /** Messages of who had authenticated, by the number of the user: how many, and the latest. */
  readonly #authenticated = new Map<number, { messages: number; last: number }>();
  /** Most entries are of the hour of the one before. */
  #hour = Number.NaN;
  #counts: readonly Counts[] = [];

  /** @param since in Unix time, as is `until` */
  constructor(since: number, until: number) {
    this.#since = since;
    this.#until = until;
  }

  /** Takes a block (block.ts). */
  take(block: Buffer): void {
    const reader = this.#reader;
    reader.open(block);
    while (reader.next())
      if (reader.time >= this.#since && reader.time <= this.#until) this.#take(reader);
  }

  sum(): Summed {
    const logins = this.#usage.logins();
    const relayed = this.#usage.relayed();
    const ignored = [...this.#ignored].map(
      ([what, count]) => [what === 0 ? '' : this.#pool.text(what), count] as const,
    );
    return {
      since: this.#since,
      until: this.#until,
      totals: this.#totals,
      days: daysOf(this.#since, this.#until, this.#days),
      hours: this.#hours,
      logins,
      relayed,
      ignored: ignored.sort(([, a], [, b]) => b - a),
      shared: this.#usage.shared(),
      longest: this.#usage.longest(this.#until),
      refused: this.#usage.refused(),
      withoutTls: logins.filter(({ tls }) => tls !== true),
      needs: this.#needs(logins, relayed).rows(),
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

  #take(entry: BlockReader): void {
    const counts = this.#countsAt(entry.time);
    const { kind, messages, recipients, bytes } = entry;
    switch (kind) {
      case 'login':
        this.#login(entry, counts);
        return;
      case 'ended':
        for (const one of counts) one.ended++;
        this.#usage.end(entry);
        return;
      case 'relayed':
        for (const one of counts) {
          one.messages += messages;
          one.recipients += recipients;
          one.bytes += bytes;
        }
        if (entry.ip !== 0) this.#usage.relay(entry);
        return;
      case 'sent':
        for (const one of counts) one.authenticated++;
        this.#send(entry);
        return;
      case 'refused':
        if (entry.what !== this.#denied) return;
        for (const one of counts) one.refused++;
        if (entry.ip !== 0) this.#usage.refuse(entry);
        return;
      case 'order':
      case 'limit':
      case 'daemon':
        return;
      default:
        kind satisfies never;
    }
  }

  #login(entry: BlockReader, counts: readonly Counts[]): void {
    const { ip, what } = entry;
    if (what !== this.#granted && what !== this.#refreshed) {
      for (const one of counts) one.ignored++;
      this.#ignored.set(what, (this.#ignored.get(what) ?? 0) + 1);
      return;
    }
    for (const one of counts) {
      one.granted++;
      if (what === this.#granted) one.grants++;
    }
    if (ip !== 0) this.#usage.login(entry);
  }

  #send({ user, time }: BlockReader): void {
    if (user === 0) return;
    const known = this.#authenticated.get(user);
    if (known === undefined) this.#authenticated.set(user, { messages: 1, last: time });
    else {
      known.messages++;
      known.last = Math.max(known.last, time);
    }
  }

  #needs(logins: Summed['logins'], relayed: Summed['relayed']): Needs {
    const needs = new Needs();
    for (const row of logins) needs.add(row, 'logins', row.logins);
    for (const row of relayed) needs.add(row, 'messages', row.messages);
    for (const [user, { messages, last }] of this.#authenticated)
      needs.add({ ip: null, user: this.#pool.text(user), last }, 'authenticated', messages);
    return needs;
  }
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
