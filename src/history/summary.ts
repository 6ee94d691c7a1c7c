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
  /** What the hour of the latest entry comes to so far, before it is added where it belongs: most entries are of the hour of the one before. */
  #hour = Number.NaN;
  #counts: Counts = { ...COUNTS };

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
    this.#endHour();
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

  #countsAt(time: number): Counts {
    const hour = hourOf(time);
    if (hour === this.#hour) return this.#counts;
    this.#endHour();
    this.#hour = hour;
    return this.#counts;
  }

  #endHour(): void {
    if (Number.isNaN(this.#hour)) return;
    const at = new Date(this.#hour * HOUR * 1000);
    const day = dayOf(at);
    const ofDay = this.#days.get(day) ?? { ...COUNTS };
    this.#days.set(day, ofDay);
    const ofHour = this.#hours[at.getHours()];
    for (const sum of [this.#totals, ofDay, ofHour]) if (sum !== undefined) add(this.#counts, sum);
    this.#counts = { ...COUNTS };
    this.#hour = Number.NaN;
  }

  #take(entry: BlockReader): void {
    const counts = this.#countsAt(entry.time);
    const { kind, messages, recipients, bytes } = entry;
    switch (kind) {
      case 'login':
        this.#login(entry, counts);
        return;
      case 'ended':
        counts.ended++;
        this.#usage.end(entry);
        return;
      case 'relayed':
        counts.messages += messages;
        counts.recipients += recipients;
        counts.bytes += bytes;
        if (entry.ip !== 0) this.#usage.relay(entry);
        return;
      case 'sent':
        counts.authenticated++;
        this.#send(entry);
        return;
      case 'refused':
        if (entry.what !== this.#denied) return;
        counts.refused++;
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

  #login(entry: BlockReader, counts: Counts): void {
    const { ip, what } = entry;
    if (what !== this.#granted && what !== this.#refreshed) {
      counts.ignored++;
      this.#ignored.set(what, (this.#ignored.get(what) ?? 0) + 1);
      return;
    }
    counts.granted++;
    if (what === this.#granted) counts.grants++;
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

function add(counts: Counts, sum: Counts): void {
  sum.granted += counts.granted;
  sum.ignored += counts.ignored;
  sum.grants += counts.grants;
  sum.ended += counts.ended;
  sum.messages += counts.messages;
  sum.recipients += counts.recipients;
  sum.bytes += counts.bytes;
  sum.authenticated += counts.authenticated;
  sum.refused += counts.refused;
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
