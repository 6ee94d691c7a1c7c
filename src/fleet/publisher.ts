/**
 * Tells the engine what this host has decided.
 *
 * Promises: whoever posts never waits; what is posted is sent at once, but for what the fleet knows already, and what is posted meanwhile
 * goes together; what the engine has not acknowledged is sent again, so that it may arrive twice, but is not lost while there is room
 * (outbox.ts), and whoever reads the log can wait for room.  Whoever may have lost what it had is told of all grants and orders
 * anew: an engine that was started again, another one, as far as it may lack them (fork.ts), one whose streams are gone, and all when
 * entries were dropped.  Orders and the latest grants go at once, the others when nothing else waits (repetition.ts), each host at another
 * moment, so that a large fleet does not do so in one.  And each grant and order is told again within half a grace period
 * (reminder.ts, order-reminder.ts), so that what was lost without a sign is there again.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { IpText } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import type { Given } from '../grant/order.ts';
import { Appender } from './appender.ts';
import { type Connection, SIGN_SECONDS } from './connection.ts';
import { type Entry, keyOf, type Sender, whoOf } from './entry.ts';
import { Fork } from './fork.ts';
import type { History } from './history.ts';
import { OrderReminder } from './order-reminder.ts';
import { Outbox, type Waiting } from './outbox.ts';
import type { Format } from './pack.ts';
import { STREAMS, type StreamName } from './position.ts';
import { Reminder } from './reminder.ts';
import { Repetition } from './repetition.ts';
import type { Skew } from './skew.ts';

/** Postings that are under way at once. */
const BATCH = 1000;
/** What is posted within so many milliseconds of a batch goes together, as far as the format allows. */
const GATHER_MS = 3;
/** How often the engine is asked for the time when nothing is published; less than the silence that it may keep. */
const HEARTBEAT_MS = 2000;
/** What was told within so many seconds may have been with nobody but the engine that was lost. */
const RECENT_SECONDS = 30;
/** And how many of these go at once; the others have their turn with the rest. */
const MOST_RECENT = 10_000;
/** How many go at once of those that are told now and then. */
const MOST_DUE = 10_000;
/** How long a host waits at most before it tells the rest. */
const SPREAD_SECONDS = 10;
/** The part of a grace period for which nothing may be put off. */
const LONGEST_RENEWAL = 0.1;

export interface PublisherParts {
  readonly sender: Sender;
  readonly format: Format;
  /** Seconds within which what the fleet knows is not told again. */
  readonly renewal: number;
  readonly clock: Clock;
  readonly skew: Skew;
  readonly warn: (text: string) => void;
  /** The longest grace period now, in seconds. */
  grace(): number;
  /** The shortest one. */
  shortest(): number;
  /** The orders that are in force, and those that were lifted. */
  orders(): Iterable<Given>;
  /** The addresses of all grants. */
  granted(): Iterable<IpText>;
  /** What is to be told of the grant of an address; nothing when it is another host's. */
  grantOf(ip: IpText): readonly Entry[];
  /** For tests: seconds that are waited before the rest is told. */
  readonly spread?: () => number;
  /** For tests: from 0 up to 1. */
  readonly random?: () => number;
}

export class Publisher {
  readonly #parts: PublisherParts;
  readonly #outbox: Outbox<Entry>;
  readonly #appender: Appender;
  readonly #reminder = new Reminder();
  readonly #orderReminder: OrderReminder;
  readonly #fork = new Fork();
  /** Whether an engine was told everything, but for what is being repeated. */
  #isTold = false;
  #repetition: Repetition | null = null;
  /** The streams that have been seen there; one that nobody has made yet is not missed. */
  readonly #seen = new Set<StreamName>();
  /** The last heartbeat, and the last batch, in seconds of the clock that only goes forward. */
  #beaten = Number.NEGATIVE_INFINITY;
  #sent = Number.NEGATIVE_INFINITY;
  /** When a stream was found to be gone, by this host or another. */
  #missed = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => undefined;
  #isLosing = false;
  /** Entries that had been lost when that was told last. */
  #lostBefore = 0;
  /** Those who wait for room. */
  readonly #patient = new Set<() => void>();

  constructor(parts: PublisherParts, outbox: Outbox<Entry> = new Outbox()) {
    this.#parts = parts;
    this.#outbox = outbox;
    this.#appender = new Appender(parts);
    this.#orderReminder = new OrderReminder(parts.random);
  }

  get outbox(): Pick<Outbox<Entry>, 'size' | 'dropped' | 'published' | 'mark' | 'isPast'> {
    return this.#outbox;
  }

  /** Takes what was decided; what the fleet knows already waits for a while. */
  post(entries: readonly Entry[]): void {
    for (const entry of entries) if (!this.#isPutOff(entry)) this.#tell([entry]);
  }

  #isPutOff(entry: Entry): boolean {
    const renewal = this.#renewal;
    if (renewal === 0 || (entry.kind !== 'login' && entry.kind !== 'session')) return false;
    const { steady } = this.#parts.clock.now();
    const isKnown = this.#reminder.isKnown(entry.ip, whoOf(entry), steady, renewal);
    if (isKnown) this.#reminder.putOff(entry.ip, steady);
    return isKnown;
  }

  /** Takes note of an order that another host has told. */
  heard(order: Given): void {
    const { steady } = this.#parts.clock.now();
    this.#orderReminder.told(order, steady, this.#parts.shortest());
    this.#reminder.doubt(steady);
  }

  /** Posts what was put off, before the end. */
  hurry(): void {
    this.#tellOf(this.#reminder.waited(Number.POSITIVE_INFINITY, 0));
  }

  /** Resolves when there is room for what a part of the log may lead to, or `release` is called. */
  room(): Promise<void> {
    if (this.#outbox.hasRoom) return Promise.resolve();
    return new Promise(resolve => this.#patient.add(resolve));
  }

  /** Nobody waits for room any more. */
  release(): void {
    for (const resolve of this.#patient) resolve();
    this.#patient.clear();
  }

  /** Publishes until the signal; rejects when the connection is lost. */
  async use(connection: Connection, signal: AbortSignal, works: () => void): Promise<void> {
    try {
      await this.#publish(connection, signal, works);
    } catch (error) {
      // The way out of it takes all away that was there.
      if (error instanceof Failure && error.code === 'FLEET_EXHAUSTED') this.#isTold = false;
      throw error;
    }
  }

  async #publish(connection: Connection, signal: AbortSignal, works: () => void): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    await this.#compareClocks(connection);
    await this.#appender.withRoom(connection, () => connection.tryAppend());
    const before = this.#present;
    const history = await connection.history();
    // A key of another type is only found by an entry; it must not look like a connection that comes and goes.
    await this.#send(this.#outbox.first(BATCH), connection);
    works();
    this.#look(connection, history, before);
    while (!signal.aborted) {
      if (this.#isHeartbeat) await this.#heartbeat(connection);
      const batch = this.#outbox.first(BATCH);
      if (batch.length > 0) await this.#sendGathered(batch, connection);
      else if (this.#isLosing) {
        this.#warnLost(true);
        this.#tellAnew(true);
      } else if (!this.#repeat() && !(await this.#called())) await this.#heartbeat(connection);
    }
  }

  get #isHeartbeat(): boolean {
    return this.#parts.clock.now().steady - this.#beaten >= HEARTBEAT_MS / 1000;
  }

  get #renewal(): number {
    return Math.min(this.#parts.renewal, this.#parts.shortest() * LONGEST_RENEWAL);
  }

  /** Also when there is always something to send. */
  async #heartbeat(connection: Connection): Promise<void> {
    await this.#compareClocks(connection);
    const before = this.#present;
    this.#look(connection, await connection.history(), before);
    // Somebody else may make it anew before this host has anything to tell.
    const missing: StreamName[] = [];
    for (const stream of STREAMS) {
      const isThere = await this.#appender.withRoom(connection, () => connection.exists(stream));
      if (!isThere) missing.push(stream);
    }
    await this.#miss(missing, connection);
    const { clock, shortest, orders } = this.#parts;
    const { steady } = clock.now();
    const isSeen = steady - this.#missed <= 2 * SIGN_SECONDS;
    if (!isSeen && (await connection.isLossSigned())) {
      this.#missed = steady;
      this.#tellAnew(false);
    }
    this.#beaten = steady;
    this.#tellOf(this.#reminder.waited(steady, this.#renewal));
    this.#tellOf(this.#reminder.due(steady, shortest(), MOST_DUE));
    this.#tell(this.#orderReminder.due(orders(), steady).map(orderEntry));
  }

  /** What was posted before this moment is with the engine, or was dropped. */
  get #present(): number {
    return this.#outbox.oldest ?? this.#parts.clock.now().steady;
  }

  /**
   * Tells it anew what it may not have; it may be a part of another history by now.
   *
   * @param before it has all that was posted before that moment
   */
  #look({ run }: Connection, history: History, before: number): void {
    const lacking = this.#isTold ? this.#fork.lacking(run, history) : 'all';
    this.#fork.note(run, history, before);
    if (lacking === 'nothing') return;
    this.#seen.clear();
    if (lacking === 'all') this.#tellAnew(!this.#isTold);
    else this.#tellSince(lacking.since);
    this.#isTold = true;
  }

  /** Takes note of streams that are not there, and lets the other hosts know. */
  async #miss(missing: Iterable<StreamName>, connection: Connection): Promise<void> {
    const isGone = [...missing].filter(stream => this.#seen.delete(stream)).length > 0;
    if (!isGone) return;
    this.#missed = this.#parts.clock.now().steady;
    this.#tellAnew(false);
    await connection.signLoss();
  }

  /** @param isFirst whether no other host has a reason to do the same now */
  #tellAnew(isFirst: boolean): void {
    const { clock, granted } = this.#parts;
    const recent = this.#reminder.since(clock.now().steady - RECENT_SECONDS);
    this.#tellFirst(recent);
    this.#repeatFrom([...granted()], isFirst);
  }

  /** What was told since then is all that is lacking. */
  #tellSince(steady: number): void {
    const lacking = this.#reminder.since(steady);
    this.#tellFirst(lacking);
    const rest = lacking.slice(0, -MOST_RECENT);
    if (rest.length === 0) return;
    this.#repeatFrom(this.#repetition === null ? rest : [...this.#parts.granted()], false);
  }

  /** All orders, and the latest of the grants, at once. */
  #tellFirst(recent: readonly IpText[]): void {
    this.#outbox.forget();
    this.#tell([...this.#parts.orders()].map(orderEntry));
    this.#tellOf(recent.slice(-MOST_RECENT));
  }

  #repeatFrom(ips: readonly IpText[], isFirst: boolean): void {
    const { clock, shortest, spread } = this.#parts;
    const wait = isFirst ? 0 : (spread ?? randomSpread)();
    this.#repetition = new Repetition(ips, clock.now().steady + wait, shortest());
  }

  /** Posts the next part of what is to be told again; whether there was any. */
  #repeat(): boolean {
    const ips = this.#repetition?.next(this.#parts.clock.now().steady, BATCH) ?? [];
    this.#tellOf(ips);
    if (this.#repetition?.isDone === true) this.#repetition = null;
    return ips.length > 0;
  }

  #tellOf(ips: readonly IpText[]): void {
    this.#tell(ips.flatMap(ip => this.#parts.grantOf(ip)));
  }

  #tell(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const { clock, shortest } = this.#parts;
    const { steady } = clock.now();
    for (const entry of entries) {
      this.#outbox.add(keyOf(entry), entry, steady);
      if (entry.kind === 'withdrawn') this.#reminder.forget(entry.ip);
      else if (entry.kind !== 'order') this.#reminder.told(entry.ip, steady, whoOf(entry));
      else {
        this.#orderReminder.told(entry.order, steady, shortest());
        this.#reminder.doubt(steady);
      }
    }
    this.#warnLost(false);
    this.#wake();
  }

  /** Lets what comes in this moment come along, if the last batch was just before. */
  async #sendGathered(batch: readonly Waiting<Entry>[], connection: Connection): Promise<void> {
    const passed = 1000 * (this.#parts.clock.now().steady - this.#sent);
    const isAlone = this.#parts.format === 1 || batch.length === BATCH || passed >= GATHER_MS;
    if (!isAlone) await sleep(GATHER_MS - Math.max(0, passed));
    this.#sent = this.#parts.clock.now().steady;
    await this.#send(isAlone ? batch : this.#outbox.first(BATCH), connection);
  }

  async #send(batch: readonly Waiting<Entry>[], connection: Connection): Promise<void> {
    const missing = await this.#appender.append(batch, connection, waiting => {
      this.#outbox.settle(waiting);
      if (this.#patient.size > 0 && this.#outbox.hasRoom) this.release();
    });
    await this.#miss(missing, connection);
    for (const { value } of batch) this.#seen.add(value.kind === 'order' ? 'orders' : 'grants');
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

const orderEntry = (order: Given): Entry => ({ kind: 'order', order });

const randomSpread = (): number => Math.random() * SPREAD_SECONDS;
