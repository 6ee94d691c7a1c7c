/**
 * This host's part in a fleet: what it tells the others, and what it takes from them, through streams of one Redis or
 * Valkey.
 *
 * Promises: this host's own logins never wait for the fleet; while the engine cannot be reached they go on, and that is
 * told once, and its end.  What a subscriber has taken is dealt with by this host's own rules.
 * Leaves to others: what grants and orders are (pipeline.ts), and to keep the position (daemon/).
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IpText } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import { Failure, reasonOf } from '../base/errors.ts';
import type { Decision } from '../grant/decision.ts';
import type { Given } from '../grant/order.ts';
import type { Notice } from '../source/source.ts';
import { connectTo } from './connection.ts';
import { type FleetSettings, formatEngine, publishes, subscribes } from './engine.ts';
import type { Entry, Received } from './entry.ts';
import { Link } from './link.ts';
import { entriesOf, type Known } from './publication.ts';
import { Publisher } from './publisher.ts';
import { Skew } from './skew.ts';
import { Subscriber } from './subscriber.ts';

export interface FleetParts extends Known {
  readonly clock: Clock;
  notice(notice: Notice): void;
  warn(text: string): void;
  /** The longest grace period now, in seconds. */
  grace(): number;
  /** The shortest one. */
  shortest(): number;
  /** The orders that are in force, and those that were lifted. */
  orders(): Iterable<Given>;
  /** The addresses of all grants. */
  granted(): Iterable<IpText>;
  /** What the others are to know of the grant of an address; nothing of another host's. */
  grantOf(ip: IpText): readonly Entry[];
  /** Deals with what others have published. */
  take(entries: readonly Received[]): Promise<void>;
}

/** For `status`: what a host does in its fleet. */
export interface FleetStatus {
  readonly engine: string;
  readonly name: string;
  readonly role: FleetSettings['role'];
  readonly connected: boolean;
  /** Seconds by which the engine's clock is ahead; null when it was never reached. */
  readonly clockOffset: number | null;
  /** Null for a host that does not publish. */
  readonly publish: {
    readonly published: number;
    readonly waiting: number;
    readonly dropped: number;
  } | null;
  /** Null for a host that does not subscribe. */
  readonly subscribe: {
    readonly received: number;
    readonly refused: number;
    readonly lag: number;
    /** The ID of the last entry of the stream of grants; null before the engine has been reached. */
    readonly lastId: string | null;
  } | null;
}

/** How long a stop waits for what is still to be published. */
const FAREWELL_MS = 2000;
const FAREWELL_STEP_MS = 20;
const COMPLAINT_SECONDS = 60;

export class Fleet {
  readonly #settings: FleetSettings;
  readonly #parts: FleetParts;
  readonly #engine: string;
  readonly #skew: Skew;
  readonly #publisher: Publisher | null;
  readonly #subscriber: Subscriber | null;
  readonly #links: readonly Link[];
  #toldConnected: boolean | null = null;
  #complained = Number.NEGATIVE_INFINITY;

  /** @param saved the place that an earlier run has given */
  constructor(settings: FleetSettings, parts: FleetParts, saved: unknown) {
    this.#settings = settings;
    this.#parts = parts;
    this.#engine = formatEngine(settings.engine);
    this.#skew = new Skew(text => parts.warn(text));
    const sender = { name: settings.name, instance: randomBytes(4).toString('hex') };
    const common = {
      sender,
      clock: parts.clock,
      skew: this.#skew,
      warn: (text: string) => parts.warn(text),
      grace: () => parts.grace(),
    };
    this.#publisher = publishes(settings)
      ? new Publisher({
          ...common,
          format: settings.format,
          renewal: settings.renewal,
          shortest: () => parts.shortest(),
          orders: () => parts.orders(),
          granted: () => parts.granted(),
          grantOf: ip => parts.grantOf(ip),
        })
      : null;
    this.#subscriber = subscribes(settings)
      ? new Subscriber({ ...common, take: entries => this.#take(entries) }, saved)
      : null;
    this.#links = [this.#publisher, this.#subscriber]
      .filter(user => user !== null)
      .map(user => this.#linkFor(user));
  }

  start(): void {
    for (const link of this.#links) link.start();
  }

  /** Publishes what is still to be, if that can be done soon, and lets go. */
  async stop(): Promise<void> {
    this.#publisher?.hurry();
    const outbox = this.#publisher?.outbox;
    const until = performance.now() + FAREWELL_MS;
    while (outbox !== undefined && outbox.size > 0 && performance.now() < until) {
      // At the very start it is not known yet.
      if (this.#toldConnected === false) break;
      await sleep(FAREWELL_STEP_MS);
    }
    await Promise.all(this.#links.map(link => link.stop()));
  }

  /** Takes note of a decision, and returns at once. */
  report(decision: Decision): void {
    this.#publisher?.post(entriesOf(decision, this.#parts));
  }

  /** Resolves when there is room for what a part of the log may lead to; at once while the engine cannot be reached. */
  room(): Promise<void> {
    if (this.#publisher === null || this.#toldConnected === false) return Promise.resolve();
    return this.#publisher.room();
  }

  /** The name of the place: with another engine, or other streams, it is another one. */
  static placeName({ engine, prefix }: FleetSettings): string {
    return `${formatEngine(engine)} ${prefix}`;
  }

  get name(): string {
    return Fleet.placeName(this.#settings);
  }

  /** How far the streams have been dealt with; null when that is not known, or nothing is taken from them. */
  place(): unknown {
    return this.#subscriber?.position ?? null;
  }

  /** Stands for all that has been reported so far. */
  get mark(): number {
    return this.#publisher?.outbox.mark ?? 0;
  }

  /** Whether all that had been reported by then is with the engine, or was lost for want of room. */
  isPublished(mark: number): boolean {
    return this.#publisher?.outbox.isPast(mark) ?? true;
  }

  status(): FleetStatus {
    const { name, role } = this.#settings;
    const outbox = this.#publisher?.outbox;
    return {
      engine: this.#engine,
      name,
      role,
      connected: this.#isConnected,
      clockOffset: this.#skew.offset,
      publish:
        outbox === undefined
          ? null
          : { published: outbox.published, waiting: outbox.size, dropped: outbox.dropped },
      subscribe: this.#subscriber && subscriberStatus(this.#subscriber),
    };
  }

  #take(entries: readonly Received[]): Promise<void> {
    for (const { entry } of entries)
      if (entry.kind === 'order') this.#publisher?.heard(entry.order);
    return this.#parts.take(entries);
  }

  get #isConnected(): boolean {
    return this.#links.every(link => link.isConnected);
  }

  #linkFor(user: Publisher | Subscriber): Link {
    return new Link({
      connect: signal => connectTo(this.#settings, signal),
      use: (connection, signal, works) => user.use(connection, signal, works),
      connected: () => this.#connected(),
      lost: error => this.#lost(error),
      failed: error => this.#complain(error),
    });
  }

  /** Told when all links are there, and when the first is lost. */
  #connected(): void {
    if (!this.#isConnected || this.#toldConnected === true) return;
    this.#toldConnected = true;
    this.#parts.notice({ kind: 'connected', path: this.#engine });
  }

  #lost(error: unknown): void {
    this.#publisher?.release();
    if (this.#toldConnected === false) return;
    this.#toldConnected = false;
    this.#parts.notice({ kind: 'lost', path: this.#engine, reason: reasonOf(error) });
  }

  /** What no further attempt can better is told again and again. */
  #complain(error: unknown): void {
    if (!(error instanceof Failure) || error.code !== 'FLEET_EXHAUSTED') return;
    const { clock, warn } = this.#parts;
    const { steady } = clock.now();
    if (steady - this.#complained < COMPLAINT_SECONDS) return;
    this.#complained = steady;
    warn(`fleet: ${error.line}`);
  }
}

function subscriberStatus({ received, refused, lag, position }: Subscriber) {
  const known = typeof position === 'object' && position !== null && 'grants' in position;
  const lastId = known && typeof position.grants === 'string' ? position.grants : null;
  return { received, refused, lag, lastId };
}
