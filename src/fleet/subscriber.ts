/**
 * Takes from the engine what other hosts have decided.
 *
 * Promises: entries are handed over in the order of their stream, and the position is only moved when they have been
 * dealt with; it belongs to the history of an engine, and after a failover goes back to where that has parted from the
 * one before (position.ts); orders go first, so that a new subscriber knows who is refused before it grants; what this start of this
 * host has written is left out; what is refused is counted, and said once a minute.  No stamp and no order counts as later
 * than when the engine got it, by this host's clock, so that a publisher whose clock is wrong keeps nothing open for longer, and
 * nobody gives an order that no other can follow; an engine whose clock is behind makes nothing older than it is.
 */

import { type Clock, type EpochSeconds, epoch } from '../base/clock.ts';
import { noun, quantity } from '../base/quantity.ts';
import type { Given } from '../grant/order.ts';
import type { Connection, StreamEntry } from './connection.ts';
import { decode, type Received, type Sender } from './entry.ts';
import type { History } from './history.ts';
import { marked, type Place, type Position, placeIn, timeOf } from './position.ts';
import { type Skew, TOLERATED_SKEW } from './skew.ts';

/** Entries of one stream in one answer. */
const BATCH = 1000;
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
      blockMs = isLast ? BLOCK_MS : 0;
      if (!this.#isHeartbeat) continue;
      place = await this.#markedPlace(place, connection, isThere);
      this.#position = place;
    }
  }

  async #deal(orders: readonly StreamEntry[], grants: readonly StreamEntry[]): Promise<void> {
    const entries = [...orders, ...grants].flatMap(entry => this.#decoded(entry));
    if (entries.length === 0) return;
    this.#received += entries.length;
    await this.#parts.take(entries);
  }

  #decoded({ id, fields }: StreamEntry): readonly Received[] {
    const received = decode(fields);
    if (typeof received === 'string') {
      this.#refuse(id, received);
      return [];
    }
    const { sender, skew } = this.#parts;
    if (received.from === sender.name && received.instance === sender.instance) return [];
    const { entry } = received;
    const arrived = this.#arrival(id);
    if (entry.kind === 'order') {
      return [{ ...received, entry: { kind: 'order', order: noLater(entry.order, arrived) } }];
    }
    skew.stamped(received.from, entry.time, arrived);
    const time = epoch(Math.min(entry.time, Math.floor(arrived)));
    return [{ ...received, entry: { ...entry, time } }];
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

  async #compareClocks(connection: Connection): Promise<EpochSeconds> {
    const { clock, skew } = this.#parts;
    const asked = clock.now().wall;
    const engine = await connection.time();
    const { wall, steady } = clock.now();
    skew.compare(engine, asked, wall);
    this.#compared = steady;
    return engine;
  }
}

/** The order with the same length, given no later than the engine got it; clocks may differ a little. */
function noLater<G extends Given>(order: G, arrived: EpochSeconds): G {
  const ahead = order.made - arrived;
  if (ahead <= TOLERATED_SKEW) return order;
  return { ...order, made: arrived, until: epoch(order.until - ahead) };
}
