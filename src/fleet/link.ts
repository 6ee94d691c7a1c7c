/**
 * Keeps a connection to the engine: makes one, lets it be used, and makes another when it is lost.
 *
 * Promises: that it is there is told once, until it is lost; why it is lost, and why each attempt has failed, is told each time; the pauses
 * between attempts grow to some seconds, each another one, so that the hosts of a large fleet do not come back in one moment.
 * Leaves to others: which of the reasons are news (outage.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './connection.ts';

export interface LinkParts {
  /** @param signal gives up, or closes what was made */
  connect(signal: AbortSignal): Promise<Connection>;
  /**
   * Uses the connection until the signal, or until it is lost, which rejects.
   *
   * @param works to be called when it is known that the account and the engine allow what is to be done
   */
  use(connection: Connection, signal: AbortSignal, works: () => void): Promise<void>;
  connected(): void;
  /** Why the connection was lost, or an attempt, any of them, has failed. */
  failed(error: unknown): void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

export class Link {
  readonly #parts: LinkParts;
  readonly #ending = new AbortController();
  /** Ends the connection that there is, or is being made. */
  #current = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #pause = FIRST_PAUSE_MS;
  #isWorking = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  get isConnected(): boolean {
    return this.#isWorking;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    this.#current.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        await this.#connectAndUse();
      } catch (error) {
        this.#isWorking = false;
        if (!signal.aborted) this.#parts.failed(error);
      }
      const pause = this.#pause * (0.5 + Math.random() / 2);
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  async #connectAndUse(): Promise<void> {
    this.#current = new AbortController();
    const { signal } = this.#current;
    const connection = await this.#parts.connect(signal);
    try {
      if (signal.aborted) return;
      await this.#parts.use(connection, signal, () => this.#connected());
    } finally {
      connection.close();
    }
  }

  #connected(): void {
    this.#pause = FIRST_PAUSE_MS;
    const isNews = !this.#isWorking;
    this.#isWorking = true;
    if (isNews) this.#parts.connected();
  }
}
