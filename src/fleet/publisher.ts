/**
 * Tells the engine what this host has decided.
 *
 * Promises: whoever posts never waits; what is posted is sent at once, but for what the fleet knows already, and what is posted meanwhile
 * goes together; what the engine has not acknowledged is sent again, so that it may arrive twice, but is not lost while there is room
 * (outbox.ts), and whoever reads the log can wait for room.  What is told again, and when, is the repeater's (repeater.ts), which hears of
 * every sign that something may be lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import type { Given } from '../grant/order.ts';
import { Appender, type AppenderParts, streamOf } from './appender.ts';
import type { Connection } from './connection.ts';
import { type Entry, keyOf } from './entry.ts';
import { Outbox, type Waiting } from './outbox.ts';
import { STREAMS, type StreamName } from './position.ts';
import { Repeater, type RepeaterParts } from './repeater.ts';

/** Postings that are under way at once. */
const BATCH = 1000;
/** What is posted within so many milliseconds of a batch goes together, as far as the format allows. */
const GATHER_MS = 3;
/** How often the engine is asked for the time when nothing is published; less than the silence that it may keep. */
const HEARTBEAT_MS = 2000;

export interface PublisherParts extends RepeaterParts, AppenderParts {
  readonly warn: (text: string) => void;
}

export class Publisher {
  readonly #parts: PublisherParts;
  readonly #outbox: Outbox<Entry>;
  readonly #appender: Appender;
  readonly #repeater: Repeater;
  /** The last heartbeat, and the last batch, in seconds of the clock that only goes forward. */
  #beaten = Number.NEGATIVE_INFINITY;
  #sent = Number.NEGATIVE_INFINITY;
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
    this.#repeater = new Repeater(parts, {
      tell: entries => this.#tell(entries),
      forget: () => this.#outbox.forget(),
    });
  }

  get outbox(): Pick<Outbox<Entry>, 'size' | 'dropped' | 'published' | 'mark' | 'isPast'> {
    return this.#outbox;
  }

  /** Takes what was decided; what the fleet knows already waits for a while. */
  post(entries: readonly Entry[]): void {
    for (const entry of entries) if (!this.#repeater.putsOff(entry)) this.#tell([entry]);
  }

  /** Takes note of an order that another host has told. */
  heard(order: Given): void {
    this.#repeater.heard(order);
  }

  /** The withdrawals that are to be told again, as plain JSON. */
  save(): { readonly withdrawals: readonly unknown[] } {
    return { withdrawals: this.#repeater.save() };
  }

  /** @param saved what an earlier run has saved, or anything else */
  restore(saved: unknown): void {
    this.#repeater.restore(saved);
  }

  /** Posts what was put off, before the end. */
  hurry(): void {
    this.#repeater.hurry();
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
      if (error instanceof Failure && error.code === 'FLEET_EXHAUSTED') this.#repeater.discard();
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
    this.#repeater.look(connection.run, history, before);
    while (!signal.aborted) {
      if (this.#isHeartbeat) await this.#heartbeat(connection);
      const batch = this.#outbox.first(BATCH);
      if (batch.length > 0) await this.#sendGathered(batch, connection);
      else if (this.#isLosing) {
        this.#warnLost(true);
        this.#repeater.tellAnew(true);
      } else if (!this.#repeater.repeat() && !(await this.#called()))
        await this.#heartbeat(connection);
    }
  }

  get #isHeartbeat(): boolean {
    return this.#parts.clock.now().steady - this.#beaten >= HEARTBEAT_MS / 1000;
  }

  /** Also when there is always something to send. */
  async #heartbeat(connection: Connection): Promise<void> {
    await this.#compareClocks(connection);
    const before = this.#present;
    this.#repeater.look(connection.run, await connection.history(), before);
    // Somebody else may make it anew before this host has anything to tell.
    const missing: StreamName[] = [];
    for (const stream of STREAMS) {
      const isThere = await this.#appender.withRoom(connection, () => connection.exists(stream));
      if (!isThere) missing.push(stream);
    }
    await this.#miss(missing, connection);
    const { isLossNews } = this.#repeater;
    if (isLossNews && (await connection.isLossSigned())) this.#repeater.lost();
    this.#beaten = this.#parts.clock.now().steady;
    this.#repeater.remind();
  }

  /** Takes note of streams that are not there, and lets the other hosts know. */
  async #miss(missing: Iterable<StreamName>, connection: Connection): Promise<void> {
    if (this.#repeater.misses(missing)) await connection.signLoss();
  }

  /** What was posted before this moment is with the engine, or was dropped. */
  get #present(): number {
    return this.#outbox.oldest ?? this.#parts.clock.now().steady;
  }

  #tell(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const { steady } = this.#parts.clock.now();
    for (const entry of entries) this.#outbox.add(keyOf(entry), entry, steady);
    this.#repeater.told(entries, steady);
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
    for (const { value } of batch) this.#repeater.reached(streamOf(value));
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
