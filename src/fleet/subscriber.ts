/**
 * Takes from the engine what other hosts have decided.
 *
 * Promises: entries are handed over in the order of their stream, one by one or what has come in a moment, and the position is only moved when they have been
 * dealt with; it belongs to the history of an engine, and after a failover goes back to where that has parted from the
 * one before (position.ts); orders go first, so that a new subscriber knows who is refused before it grants; what this start of this
 * host has written is left out; what is refused is counted, and said once a minute.  No stamp and no order counts as later
 * than when the engine got it, by this host's clock, so that a publisher whose clock is wrong keeps nothing open for longer, and
 * nobody gives an order that no other can follow; an engine whose clock is behind makes nothing older than it is.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, type EpochSeconds, epoch } from '../base/clock.ts';
import { noun, quantity } from '../base/quantity.ts';
import type { Given } from '../grant/order.ts';
import type { Connection, StreamEntry } from './connection.ts';
import type { Received, Sender } from './entry.ts';
import type { History } from './history.ts';
import { unpack } from './pack.ts';
import { marked, type Place, type Position, placeIn, timeOf } from './position.ts';
import { type Skew, TOLERATED_SKEW } from './skew.ts';

/** Entries of one stream in one answer. */
const BATCH = 1000;
/** What is dealt with at once. */
const PART = 1000;
/**
 * Between two answers when there is nothing more, for each connection that the engine has: an answer costs it some 25 us, whatever is in
 * it, and each entry of a busy fleet would be an answer to each subscriber.  So some hundred of them keep it busy for an eighth of its
 * time, and a few are answered at once.  The first login after a moment of quiet never waits.
 */
const PAUSE_MS_EACH = 0.2;
/** And at least, so that what is written in one moment is dealt with in one, and at most. */
const [LEAST_PAUSE_MS, MOST_PAUSE_MS] = [3, 50];

/** @param clients connections that the engine has */
export const pauseFor = (clients: number): number =>
  Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, clients * PAUSE_MS_EACH));
/** How long the engine waits for a first entry; less than the silence that it may keep. */
const BLOCK_MS = 1000;
const HEARTBEAT_SECONDS = 10;
const REFUSAL_SECONDS = 60;

export interface SubscriberParts {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly skew: Skew;
  readonly warn: (text: string) => void;
  /** The longest grace period now, in seconds. */
  grace(): number;
  /** Deals with entries; resolves when that is done. */
  take(entries: readonly Received[]): Promise<void>;
}

export class Subscriber {
  readonly #parts: SubscriberParts;
  #position: unknown;
  #received = 0;
  #refused = 0;
  #lag = 0;
  #refusalTold = Number.NEGATIVE_INFINITY;
  #compared = Number.NEGATIVE_INFINITY;
  #pauseMs = LEAST_PAUSE_MS;
  /** When the engine answered last. */
  #answered = Number.NEGATIVE_INFINITY;

  /** @param saved what an earlier run has given as its position */
  constructor(parts: SubscriberParts, saved: unknown) {
    this.#parts = parts;
    this.#position = saved;
  }

  /** Plain JSON; what was saved until the engine has been asked. */
  get position(): unknown {
    return this.#position;
  }

  get received(): number {
    return this.#received;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Seconds that the latest entries had been with the engine when they were dealt with; 0 when there are no more. */
  get lag(): number {
    return this.#lag;
  }

  /** Follows the streams until the signal; rejects when the connection is lost. */
  async use(connection: Connection, signal: AbortSignal, works: () => void): Promise<void> {
    let place = await this.#firstPlace(connection);
    // A replica may not have yet what was read elsewhere; then its count of bytes says nothing of the position.
    let isThere = !connection.isReplica;
    let blockMs = 0;
    while (!signal.aborted) {
      const found = await connection.read(place, BATCH, blockMs);
      this.#answered = this.#parts.clock.now().steady;
      works();
      this.#position = place;
      // There may be more orders, which come before any grant.
      const grants = found.orders.length < BATCH ? found.grants : [];
      await this.#deal(found.orders, grants);
      place = {
        ...place,
        orders: found.orders.at(-1)?.id ?? place.orders,
        grants: grants.at(-1)?.id ?? place.grants,
      };
      this.#position = place;
      isThere ||= found.orders.length + grants.length > 0;
      const isLast = found.orders.length < BATCH && grants.length < BATCH;
      this.#measure(isLast ? null : place);
      if (isLast) await this.#pause(signal);
      blockMs = isLast ? BLOCK_MS : 0;
      if (!this.#isHeartbeat) continue;
      place = await this.#markedPlace(place, connection, isThere);
      this.#position = place;
    }
  }

  /** What comes in this moment is asked for at once. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const rest = this.#pauseMs - 1000 * (clock.now().steady - this.#answered);
    if (rest > 0) await sleep(rest, undefined, { signal }).catch(() => undefined);
  }

  /** In parts, between which this host's own logins have their turn. */
  async #deal(orders: readonly StreamEntry[], grants: readonly StreamEntry[]): Promise<void> {
    let part: Received[] = [];
    for (const entry of [...orders, ...grants]) {
      part.push(...this.#unpacked(entry));
      if (part.length < PART) continue;
      await this.#take(part);
      part = [];
    }
    await this.#take(part);
  }

  async #take(entries: readonly Received[]): Promise<void> {
    if (entries.length === 0) return;
    this.#received += entries.length;
    await this.#parts.take(entries);
  }

  #unpacked({ id, fields }: StreamEntry): readonly Received[] {
    const { received, refused } = unpack(fields);
    for (const reason of refused) this.#refuse(id, reason);
    const { sender } = this.#parts;
    const [first] = received;
    if (first?.from === sender.name && first.instance === sender.instance) return [];
    const arrived = this.#arrival(id);
    return received.map(one => this.#bounded(one, arrived));
  }

  #bounded({ from, instance, entry }: Received, arrived: EpochSeconds): Received {
    if (entry.kind === 'order')
      return { from, instance, entry: { kind: 'order', order: noLater(entry.order, arrived) } };
    this.#parts.skew.stamped(from, entry.time, arrived);
    const time = epoch(Math.min(entry.time, Math.floor(arrived)));
    return { from, instance, entry: entry.time === time ? entry : { ...entry, time } };
  }

  /**
   * By this host's clock, at the latest: an engine that is behind may have been so for any time, and one that is ahead was
   * perhaps not so yet.  Who gives an entry an ID of his own may give it one of the future.
   */
  #arrival(id: string): EpochSeconds {
    const { clock, skew } = this.#parts;
    const behind = Math.max(0, -(skew.offset ?? 0));
    return epoch(Math.min(timeOf(id) + behind, clock.now().wall + TOLERATED_SKEW));
  }

  #refuse(id: string, reason: string): void {
    this.#refused++;
    const { clock, warn } = this.#parts;
    const { steady } = clock.now();
    if (steady - this.#refusalTold < REFUSAL_SECONDS) return;
    this.#refusalTold = steady;
    warn(
      `fleet: ${quantity(this.#refused, 'entry', 'entries')} of the streams ${noun(this.#refused, 'was', 'were')} refused so far, the latest, ${id}, for: ${reason}; who may ` +
        'publish should be popbsmtp of this version only',
    );
  }

  /** @param position null when there is nothing more */
  #measure(position: Position | null): void {
    if (position === null) {
      this.#lag = 0;
      return;
    }
    const { clock, skew } = this.#parts;
    const engineNow = clock.now().wall + (skew.offset ?? 0);
    this.#lag = Math.max(0, engineNow - timeOf(position.grants));
  }

  get #isHeartbeat(): boolean {
    const { steady } = this.#parts.clock.now();
    return steady - this.#compared >= HEARTBEAT_SECONDS;
  }

  async #firstPlace(connection: Connection): Promise<Place> {
    const engineNow = await this.#compareClocks(connection);
    return this.#placeIn(await connection.history(), engineNow, !connection.isReplica);
  }

  /** Also on one connection the engine may become a part of another history. */
  async #markedPlace(place: Place, connection: Connection, isThere: boolean): Promise<Place> {
    const engineNow = await this.#compareClocks(connection);
    const history = await connection.history();
    if (history.name !== place.history) return this.#placeIn(history, engineNow, isThere);
    return isThere ? marked(place, history.offset) : place;
  }

  /** @param isThere whether the engine has all up to the position */
  #placeIn(history: History, engineNow: EpochSeconds, isThere: boolean): Place {
    const place = placeIn(history, this.#position, engineNow, this.#parts.grace());
    return isThere ? marked(place, history.offset) : place;
  }

  /** And looks how many share it. */
  async #compareClocks(connection: Connection): Promise<EpochSeconds> {
    const { clock, skew } = this.#parts;
    const asked = clock.now().wall;
    const engine = await connection.time();
    const { wall, steady } = clock.now();
    skew.compare(engine, asked, wall, connection.isReplica);
    this.#compared = steady;
    this.#pauseMs = pauseFor(await connection.clients());
    return engine;
  }
}

/** The order with the same length, given no later than the engine got it; clocks may differ a little. */
function noLater<G extends Given>(order: G, arrived: EpochSeconds): G {
  const ahead = order.made - arrived;
  if (ahead <= TOLERATED_SKEW) return order;
  return { ...order, made: arrived, until: epoch(order.until - ahead) };
}
