/**
 * Tells the engine what this host has decided.
 *
 * Promises: whoever posts never waits; what is posted is sent at once, and what is posted meanwhile goes together; what
 * the engine has not acknowledged is sent again, so that it may arrive twice, but is not lost while there is room
 * (outbox.ts).  An engine that was started again, or another one, or one whose streams had to be deleted, is told of all
 * grants anew, since it has lost what it had.
 * The streams are trimmed on the way: grants by time and by number, by turns, as XADD takes only one limit; orders
 * by number.
 */

import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import { MAX_ORDERS } from '../grant/orders.ts';
import type { Connection, Trim } from './connection.ts';
import { type Entry, encode, type Sender } from './entry.ts';
import { Outbox, type Posting } from './outbox.ts';
import { SLACK_SECONDS, type StreamName } from './position.ts';
import type { Skew } from './skew.ts';

/** Entries that are under way at once. */
const BATCH = 1000;
/** How often the engine is asked for the time when nothing is published; less than the silence that it may keep. */
const HEARTBEAT_MS = 2000;
/** Entries of the stream of grants, some 1 GB: what an engine is asked to hold at most, whatever happens. */
const MAX_GRANTS_STREAM = 10_000_000;
/** Each so many batches the number is limited instead of the age. */
const NUMBER_EACH = 64;

export interface PublisherParts {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly skew: Skew;
  readonly warn: (text: string) => void;
  /** The longest grace period now, in seconds. */
  grace(): number;
  /** All that an engine without a past has to know. */
  everything(): Iterable<Entry>;
}

export class Publisher {
  readonly #parts: PublisherParts;
  readonly #outbox: Outbox;
  #run: string | null = null;
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
      if (error instanceof Failure && error.code === 'FLEET_EXHAUSTED') this.#run = null;
      throw error;
    }
  }

  async #publish(connection: Connection, signal: AbortSignal, works: () => void): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    await connection.tryAppend();
    await this.#compareClocks(connection);
    // A key of another type is only found by an entry; it must not look like a connection that comes and goes.
    await this.#send(this.#outbox.first(BATCH), connection);
    works();
    this.#warnLost(true);
    if (connection.run !== this.#run) await this.#publishEverything(connection);
    this.#run = connection.run;
    while (!signal.aborted) {
      const batch = this.#outbox.first(BATCH);
      if (batch.length > 0) await this.#send(batch, connection);
      else if (!(await this.#called())) await this.#compareClocks(connection);
    }
  }

  /** In parts, between which the daemon goes on. */
  async #publishEverything(connection: Connection): Promise<void> {
    this.#outbox.forget();
    let part: Entry[] = [];
    for (const entry of this.#parts.everything()) {
      part.push(entry);
      if (part.length < BATCH) continue;
      this.post(part);
      await this.#send(this.#outbox.first(BATCH), connection);
      part = [];
    }
    this.post(part);
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
    const failed = (await Promise.allSettled(sent)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  async #sendOne(
    { stream, fields }: Posting,
    trim: Trim,
    connection: Connection,
    settle: () => void,
  ): Promise<void> {
    await connection.append(stream, fields, trim);
    settle();
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

  /** That entries are being lost is told when it begins, and how many they were when it has ended. */
  #warnLost(hasEnded: boolean): void {
    const lost = this.#outbox.dropped - this.#lostBefore;
    if (lost === 0 || hasEnded !== this.#isLosing) return;
    this.#isLosing = !hasEnded;
    if (hasEnded) this.#lostBefore = this.#outbox.dropped;
    this.#parts.warn(
      hasEnded
        ? `fleet: ${quantity(lost, 'entry was', 'entries were')} lost while the engine could not be reached`
        : 'fleet: there is no room for more entries until the engine can be reached: the oldest are lost',
    );
  }
}
