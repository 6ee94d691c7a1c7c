/**
 * Tells the engine what this host has decided.
 *
 * Promises: whoever posts never waits; what is posted is sent at once, and what is posted meanwhile goes together; what
 * the engine has not acknowledged is sent again, so that it may arrive twice, but is not lost while there is room
 * (outbox.ts).  Whoever may have lost what it had is told of all grants and orders anew: an engine that was started again,
 * another one (history.ts), one whose streams are gone, and all when entries were dropped.  Orders and the latest grants go at
 * once, the others when nothing else waits, each host at another moment, so that a large fleet does not do so in one.
 * And each grant is told again within half a grace period (reminder.ts), so that what was lost without a sign is there again.
 * The streams are trimmed on the way: grants by time and by number, by turns, as XADD takes only one limit; orders
 * by number.
 */

import type { IpText } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import { MAX_ORDERS } from '../grant/orders.ts';
import type { Connection, Trim } from './connection.ts';
import { type Entry, encode, type Sender } from './entry.ts';
import type { History } from './history.ts';
import { Outbox, type Posting } from './outbox.ts';
import { SLACK_SECONDS, STREAMS, type StreamName } from './position.ts';
import { Reminder } from './reminder.ts';
import type { Skew } from './skew.ts';

/** Entries that are under way at once. */
const BATCH = 1000;
/** How often the engine is asked for the time when nothing is published; less than the silence that it may keep. */
const HEARTBEAT_MS = 2000;
/** Entries of the stream of grants, some 1 GB: what an engine is asked to hold at most, whatever happens. */
const MAX_GRANTS_STREAM = 10_000_000;
/** What was told within so many seconds may have been with nobody but the engine that was lost. */
const RECENT_SECONDS = 30;
/** And how many of these go at once; the others have their turn with the rest. */
const MOST_RECENT = 10_000;
/** How many go at once of those that are told now and then. */
const MOST_DUE = 10_000;
/** How long a host waits at most before it tells the rest. */
const SPREAD_SECONDS = 10;
/** Each so many batches the number is limited instead of the age. */
const NUMBER_EACH = 64;

export interface PublisherParts {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly skew: Skew;
  readonly warn: (text: string) => void;
  /** The longest grace period now, in seconds. */
  grace(): number;
  /** The shortest one. */
  shortest(): number;
  /** The orders that are in force, and those that were lifted. */
  orders(): Iterable<Entry>;
  /** The addresses of all grants. */
  granted(): Iterable<IpText>;
  /** What is to be told of the grant of an address; nothing when it is another host's. */
  grantOf(ip: IpText): readonly Entry[];
  /** For tests: seconds that are waited before the rest is told. */
  readonly spread?: () => number;
}

/** All grants, or what is left of them, that are to be told when nothing else waits. */
interface Repetition {
  readonly rest: Iterator<IpText>;
  /** When it begins, in seconds of the clock that only goes forward. */
  readonly from: number;
}

export class Publisher {
  readonly #parts: PublisherParts;
  readonly #outbox: Outbox;
  readonly #reminder = new Reminder();
  /** What was told everything: the start of an engine, and the history; null for nobody. */
  #knows: string | null = null;
  #repetition: Repetition | null = null;
  /** The streams that have been seen there; one that nobody has made yet is not missed. */
  readonly #seen = new Set<StreamName>();
  /** The last heartbeat, in seconds of the clock that only goes forward. */
  #beaten = Number.NEGATIVE_INFINITY;
  #batches = 0;
  #wake: () => void = () => undefined;
  #isLosing = false;
  /** Entries that had been lost when that was told last. */
  #lostBefore = 0;

  constructor(parts: PublisherParts, outbox: Outbox = new Outbox()) {
    this.#parts = parts;
    this.#outbox = outbox;
  }

  get outbox(): Pick<Outbox, 'size' | 'dropped' | 'published' | 'mark' | 'isPast'> {
    return this.#outbox;
  }

  post(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const { sender, clock } = this.#parts;
    const { steady } = clock.now();
    for (const entry of entries) {
      const stream = entry.kind === 'order' ? 'orders' : 'grants';
      this.#outbox.add({ stream, fields: encode(entry, sender) }, steady);
      if (entry.kind === 'login' || entry.kind === 'session') this.#reminder.told(entry.ip, steady);
      else if (entry.kind === 'withdrawn') this.#reminder.forget(entry.ip);
    }
    this.#warnLost(false);
    this.#wake();
  }

  /** Publishes until the signal; rejects when the connection is lost. */
  async use(connection: Connection, signal: AbortSignal, works: () => void): Promise<void> {
    try {
      await this.#publish(connection, signal, works);
    } catch (error) {
      // The way out of it takes all away that was there.
      if (error instanceof Failure && error.code === 'FLEET_EXHAUSTED') this.#knows = null;
      throw error;
    }
  }

  async #publish(connection: Connection, signal: AbortSignal, works: () => void): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    await connection.tryAppend();
    await this.#compareClocks(connection);
    const history = await connection.history();
    // A key of another type is only found by an entry; it must not look like a connection that comes and goes.
    await this.#send(this.#outbox.first(BATCH), connection);
    works();
    this.#look(connection, history);
    while (!signal.aborted) {
      if (this.#isHeartbeat) await this.#heartbeat(connection);
      const batch = this.#outbox.first(BATCH);
      if (batch.length > 0) await this.#send(batch, connection);
      else if (this.#isLosing) {
        this.#warnLost(true);
        this.#tellAnew(true);
      } else if (!this.#repeat() && !(await this.#called())) await this.#heartbeat(connection);
    }
  }

  get #isHeartbeat(): boolean {
    return this.#parts.clock.now().steady - this.#beaten >= HEARTBEAT_MS / 1000;
  }

  /** Also when there is always something to send. */
  async #heartbeat(connection: Connection): Promise<void> {
    await this.#compareClocks(connection);
    this.#look(connection, await connection.history());
    // Somebody else may make it anew before this host has anything to tell.
    const missing: StreamName[] = [];
    for (const stream of STREAMS) if (!(await connection.exists(stream))) missing.push(stream);
    this.#miss(missing);
    const { clock, shortest } = this.#parts;
    const { steady } = clock.now();
    this.#beaten = steady;
    const due = this.#reminder.due(steady, shortest(), MOST_DUE);
    this.post(due.flatMap(ip => this.#parts.grantOf(ip)));
  }

  /** Tells it everything anew if it may not have what it was told. */
  #look({ run }: Connection, { name }: History): void {
    const engine = `${run} ${name}`;
    if (engine === this.#knows) return;
    this.#seen.clear();
    this.#tellAnew(this.#knows === null);
    this.#knows = engine;
  }

  /** Takes note of streams that are not there. */
  #miss(missing: Iterable<StreamName>): void {
    const isGone = [...missing].filter(stream => this.#seen.delete(stream)).length > 0;
    if (isGone) this.#tellAnew(false);
  }

  /** @param isFirst whether no other host has a reason to do the same now */
  #tellAnew(isFirst: boolean): void {
    const { clock, orders, granted, grantOf, spread } = this.#parts;
    const { steady } = clock.now();
    this.#outbox.forget();
    this.post([...orders()]);
    const recent = this.#reminder.since(steady - RECENT_SECONDS);
    this.post(recent.slice(-MOST_RECENT).flatMap(grantOf));
    const wait = isFirst ? 0 : (spread ?? randomSpread)();
    this.#repetition = { rest: granted()[Symbol.iterator](), from: steady + wait };
  }

  /** Posts the next part of what is to be told again; whether there was any. */
  #repeat(): boolean {
    const { clock, grantOf } = this.#parts;
    const repetition = this.#repetition;
    if (repetition === null || clock.now().steady < repetition.from) return false;
    for (let count = 0; count < BATCH; count++) {
      const { value: ip, done } = repetition.rest.next();
      if (done === true) {
        this.#repetition = null;
        break;
      }
      this.post(grantOf(ip));
    }
    return true;
  }

  async #send(batch: ReturnType<Outbox['first']>, connection: Connection): Promise<void> {
    this.#batches++;
    const trims: Record<StreamName, Trim> = {
      grants: this.#grantsTrim(),
      orders: ['MAXLEN', MAX_ORDERS],
    };
    const sent = batch.map(posting => {
      const trim = trims[posting.stream];
      trims[posting.stream] = null;
      return this.#sendOne(posting, trim, connection, () => this.#outbox.settle(posting));
    });
    const answers = await Promise.allSettled(sent);
    const missing = answers.flatMap(answer =>
      answer.status === 'fulfilled' && answer.value !== null ? [answer.value] : [],
    );
    this.#miss(missing);
    for (const { stream } of batch) this.#seen.add(stream);
    const failed = answers.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** @returns the stream, if it was not there and has been made; else null */
  async #sendOne(
    { stream, fields }: Posting,
    trim: Trim,
    connection: Connection,
    settle: () => void,
  ): Promise<StreamName | null> {
    const wasThere = await connection.append(stream, fields, trim);
    settle();
    return wasThere ? null : stream;
  }

  #grantsTrim(): Trim {
    if (this.#batches % NUMBER_EACH === 0) return ['MAXLEN', MAX_GRANTS_STREAM];
    const { clock, skew, grace } = this.#parts;
    const oldest = clock.now().wall + (skew.offset ?? 0) - grace() - SLACK_SECONDS;
    return ['MINID', String(Math.max(0, Math.floor(oldest * 1000)))];
  }

  /** Waits for something to publish, or the next heartbeat; whether somebody has called. */
  #called(): Promise<boolean> {
    return new Promise(resolve => {
      const heartbeat = setTimeout(() => resolve(false), HEARTBEAT_MS);
      this.#wake = () => {
        clearTimeout(heartbeat);
        resolve(true);
      };
    });
  }

  async #compareClocks(connection: Connection): Promise<void> {
    const { clock, skew } = this.#parts;
    const asked = clock.now().wall;
    const engine = await connection.time();
    skew.compare(engine, asked, clock.now().wall);
  }

  /** That entries are being dropped is told when it begins, and how many they were when it has ended. */
  #warnLost(hasEnded: boolean): void {
    const lost = this.#outbox.dropped - this.#lostBefore;
    if (lost === 0 || hasEnded !== this.#isLosing) return;
    this.#isLosing = !hasEnded;
    if (hasEnded) this.#lostBefore = this.#outbox.dropped;
    this.#parts.warn(
      hasEnded
        ? `fleet: ${quantity(lost, 'entry was', 'entries were')} dropped for want of room; all grants are told again`
        : 'fleet: there is no room for more entries that wait for the engine: the oldest are dropped',
    );
  }
}

const randomSpread = (): number => Math.random() * SPREAD_SECONDS;
