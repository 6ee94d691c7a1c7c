/**
 * This host's part in a fleet: what it tells the others, and what it takes from them, through streams of one Redis or
 * Valkey.
 *
 * Promises: this host's own logins never wait for the fleet; while the engine cannot be reached they go on, and that is
 * told once, with each reason that there is meanwhile, and its end.  What a subscriber has taken is dealt with by this host's own rules.
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
import { Attachment } from './attachment.ts';
import { type FleetSettings, formatSite, publishes, subscribes } from './engine.ts';
import { EngineCare } from './engine-care.ts';
import type { Entry, Received } from './entry.ts';
import { isStale, type Memory, type Upstream } from './info.ts';
import { Outage, type Reason } from './outage.ts';
import { entriesOf, type Known } from './publication.ts';
import { Publisher } from './publisher.ts';
import type { Purpose, Refusal } from './search.ts';
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
  /** That which is used, or was last; else all that may be. */
  readonly engine: string;
  /** Where this host reads, if that is another one; else null. */
  readonly readsFrom: string | null;
  readonly name: string;
  readonly role: FleetSettings['role'];
  readonly connected: boolean;
  /** Why it cannot be used; null while connected, and before the first attempt. */
  readonly reason: Reason | null;
  /** Null while nothing is read from a replica. */
  readonly upstream: Upstream | null;
  /** Null while not connected. */
  readonly memory: Memory | null;
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
  readonly #site: string;
  readonly #skew: Skew;
  readonly #publisher: Publisher | null;
  readonly #subscriber: Subscriber | null;
  readonly #care: EngineCare;
  /** Null for what this host does not do, here and below. */
  readonly #publishing: Attachment | null;
  readonly #reading: Attachment | null;
  readonly #outage = new Outage();
  /** What was told of engines that were left for another one. */
  readonly #passedOver = new Map<string, string>();
  #toldConnected: boolean | null = null;
  #complained = Number.NEGATIVE_INFINITY;

  /** @param saved the place that an earlier run has given */
  constructor(settings: FleetSettings, parts: FleetParts, saved: unknown) {
    this.#settings = settings;
    this.#parts = parts;
    this.#site = formatSite(settings.site);
    this.#care = new EngineCare(text => parts.warn(text));
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
    this.#publisher?.restore(saved);
    this.#subscriber = subscribes(settings)
      ? new Subscriber({ ...common, take: entries => this.#take(entries) }, saved)
      : null;
    this.#publishing = this.#publisher && this.#attach(this.#publisher, 'publish');
    this.#reading = this.#subscriber && this.#attach(this.#subscriber, settings.readFrom);
  }

  start(): void {
    for (const one of this.#attachments) one.start();
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
    await Promise.all(this.#attachments.map(one => one.stop()));
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
  static placeName({ site, prefix }: FleetSettings): string {
    return `${formatSite(site)} ${prefix}`;
  }

  get name(): string {
    return Fleet.placeName(this.#settings);
  }

  /** How far the streams have been dealt with, as far as that is known, and what is to be told again; plain JSON. */
  place(): unknown {
    return { ...asObject(this.#subscriber?.position), ...this.#publisher?.save() };
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
      readsFrom: this.#readsFrom,
      name,
      role,
      connected: this.#isConnected,
      reason: this.#isConnected ? null : this.#outage.reason,
      upstream: this.#reading?.condition?.upstream ?? null,
      memory: (this.#publishing ?? this.#reading)?.condition?.memory ?? null,
      clockOffset: this.#skew.offset,
      publish:
        outbox === undefined
          ? null
          : { published: outbox.published, waiting: outbox.size, dropped: outbox.dropped },
      subscribe: this.#subscriber && subscriberStatus(this.#subscriber, this.#reading),
    };
  }

  #take(entries: readonly Received[]): Promise<void> {
    for (const { entry } of entries)
      if (entry.kind === 'order') this.#publisher?.heard(entry.order);
    return this.#parts.take(entries);
  }

  get #attachments(): readonly Attachment[] {
    return [this.#publishing, this.#reading].filter(one => one !== null);
  }

  get #isConnected(): boolean {
    return this.#attachments.every(one => one.isConnected);
  }

  get #engine(): string {
    return (this.#publishing ?? this.#reading)?.where ?? this.#site;
  }

  get #readsFrom(): string | null {
    const where = this.#reading?.where ?? null;
    return where === this.#engine ? null : where;
  }

  #attach(user: Publisher | Subscriber, purpose: Purpose): Attachment {
    return new Attachment({
      settings: this.#settings,
      purpose,
      care: this.#care,
      use: (connection, signal, works) => user.use(connection, signal, works),
      connected: () => this.#connected(),
      failed: error => this.#failed(error),
      passedOver: refusal => this.#tellPassedOver(refusal),
    });
  }

  /** Told when all connections are there. */
  #connected(): void {
    for (const { where } of this.#attachments) if (where !== null) this.#passedOver.delete(where);
    if (!this.#isConnected) return;
    this.#outage.end();
    if (this.#toldConnected === true) return;
    this.#toldConnected = true;
    const readsFrom = this.#readsFrom;
    const path = readsFrom === null ? this.#engine : `${this.#engine}, reading from ${readsFrom}`;
    this.#parts.notice({ kind: 'connected', path });
  }

  #failed(error: unknown): void {
    this.#publisher?.release();
    this.#complain(error);
    this.#toldConnected = false;
    const reason = this.#outage.add(error);
    if (reason === null) return;
    this.#parts.notice({ kind: 'lost', path: this.#site, reason: reason.text });
  }

  #tellPassedOver({ where, error }: Refusal): void {
    const reason = reasonOf(error);
    if (this.#passedOver.get(where) === reason) return;
    this.#passedOver.set(where, reason);
    this.#parts.notice({ kind: 'passed over', path: where, reason });
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

const asObject = (value: unknown): object =>
  typeof value === 'object' && value !== null ? value : {};

/** What a replica does not have yet lags as well. */
function subscriberStatus(
  { received, refused, lag, position }: Subscriber,
  reading: Attachment | null,
) {
  const known = typeof position === 'object' && position !== null && 'grants' in position;
  const lastId = known && typeof position.grants === 'string' ? position.grants : null;
  const upstream = reading?.condition?.upstream ?? null;
  const silence = isStale(upstream) ? (upstream?.silence ?? 0) : 0;
  return { received, refused, lag: Math.max(lag, silence), lastId };
}
