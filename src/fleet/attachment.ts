/**
 * One connection of this host to the engine, for publishing or for reading, with an eye on the engine that it leads to.
 *
 * Promises: how the engine is, is asked every few seconds; a replica that does not hear of its primary is left when there is another
 * engine that does, and kept while there is none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { failure } from '../base/errors.ts';
import type { Connection } from './connection.ts';
import type { FleetSettings } from './engine.ts';
import type { EngineCare } from './engine-care.ts';
import { type Condition, isStale } from './info.ts';
import { Link } from './link.ts';
import { connectTo, type Purpose, type Refusal } from './search.ts';

export interface AttachmentParts {
  readonly settings: FleetSettings;
  readonly purpose: Purpose;
  readonly care: EngineCare;
  /** As that of a Link. */
  use(connection: Connection, signal: AbortSignal, works: () => void): Promise<void>;
  connected(): void;
  /** Why an attempt, any of them, has failed, or the connection was lost. */
  failed(error: unknown): void;
  passedOver(refusal: Refusal): void;
}

const LOOK_MS = 10_000;

export class Attachment {
  readonly #parts: AttachmentParts;
  readonly #link: Link;
  #where: string | null = null;
  #condition: Condition | null = null;

  constructor(parts: AttachmentParts) {
    this.#parts = parts;
    const { settings, purpose, connected, failed, passedOver } = parts;
    this.#link = new Link({
      connect: signal => connectTo(settings, purpose, passedOver, signal),
      use: (connection, signal, works) => this.#use(connection, signal, works),
      connected,
      failed,
    });
  }

  get isConnected(): boolean {
    return this.#link.isConnected;
  }

  /** The engine that it leads to, or has led to last; null before the first. */
  get where(): string | null {
    return this.#where;
  }

  /** How that engine was lately; null while there is no connection. */
  get condition(): Condition | null {
    return this.isConnected ? this.#condition : null;
  }

  start(): void {
    this.#link.start();
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }

  async #use(connection: Connection, signal: AbortSignal, works: () => void): Promise<void> {
    this.#where = connection.where;
    this.#condition = null;
    const used = new AbortController();
    const watched = this.#watch(connection, AbortSignal.any([signal, used.signal]));
    try {
      await this.#parts.use(connection, signal, works);
    } catch (error) {
      used.abort();
      throw (await watched) ? failure('FLEET_STALE', { engine: connection.where }) : error;
    } finally {
      used.abort();
      await watched;
    }
  }

  /** @returns whether the engine was left, by closing the connection; never rejects */
  async #watch(connection: Connection, signal: AbortSignal): Promise<boolean> {
    try {
      while (!signal.aborted) {
        const condition = await connection.condition();
        this.#condition = condition;
        this.#parts.care.judge(connection.where, condition);
        if (isStale(condition.upstream) && (await this.#isBetterThere(signal))) {
          connection.close();
          return true;
        }
        await sleep(LOOK_MS, undefined, { signal });
      }
    } catch {
      // Whoever uses the connection is told the same.
    }
    return false;
  }

  async #isBetterThere(signal: AbortSignal): Promise<boolean> {
    const { settings, purpose } = this.#parts;
    try {
      const other = await connectTo(settings, purpose, () => undefined, signal);
      const { upstream } = await other.condition().finally(() => other.close());
      return !isStale(upstream);
    } catch {
      // What this host has is better than nothing.
      return false;
    }
  }
}
