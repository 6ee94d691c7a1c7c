/**
 * A further map that is kept equal to the first one (`--map` given more than once), without the first waiting for it.
 *
 * Promises: at the start, and after anything that went wrong, it is given the grants of the first map, and no others;
 * after that it gets the same commits, joined to one while it is busy.  What waits for it is bounded: when it lags
 * behind by more than that, or cannot be written, what waits is forgotten and it is made equal anew.  The trouble is
 * told once, and its end.
 * Leaves to others: whose it is (`open` claims it).
 * Known limits: it is behind the first map by up to two commits of its own; a stop waits for it only as long as
 * CLOSE_MS, and the next start makes it equal; that it is locked is told once, however long it lasts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { Change } from '../grant/change.ts';
import type { GraceOf } from '../grant/grant-table.ts';
import type { LookupMap, MapSpec, Row } from './map.ts';
import type { Owner } from './owner.ts';
import { difference } from './row.ts';

/** A map with what its owner needs to give it back. */
export interface HeldMap {
  readonly map: LookupMap;
  /** For who looks after the map from now on (first-contact.ts); none for a copy. */
  readonly owner?: Pick<Owner, 'isFirst' | 'meet'>;
  /** Makes durable what was written, and gives the map back. */
  close(): Promise<void>;
  /** What keeps maps that follow it from being equal to it, should anything. */
  readonly troubles?: () => readonly Trouble[];
}

/** Why a map is not equal to the one that it follows. */
export interface Trouble {
  readonly spec: MapSpec;
  readonly failure: Failure;
}

const RETRY_MS = 1000;
/** The wait is doubled after each failure up to so many times: each opening of an `lmdb:` map costs two descriptors. */
const RETRY_GROWTH = 64;
const CLOSE_MS = 5000;
/** As many addresses as there are grants at most, unless told otherwise. */
const MOST_WAITING = 100_000;

export class Mirror {
  readonly #name: string;
  readonly #open: () => Promise<HeldMap>;
  /** All rows of the first map. */
  readonly #rows: () => Promise<Row[]>;
  readonly #warn: (text: string) => void;
  readonly #retryMs: number;
  #held: HeldMap | null = null;
  #grace: GraceOf | null = null;
  readonly #waiting = new Map<IpText, EpochSeconds | null>();
  /** It is to be made equal before anything else. */
  #differs = true;
  /** In a row. */
  #failures = 0;
  #trouble: Failure | null = null;
  #working: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;

  /** @param retryMs how long to leave it alone after the first failure */
  constructor(parts: {
    readonly name: string;
    readonly open: () => Promise<HeldMap>;
    readonly rows: () => Promise<Row[]>;
    readonly warn: (text: string) => void;
    readonly retryMs?: number;
  }) {
    this.#name = parts.name;
    this.#open = parts.open;
    this.#rows = parts.rows;
    this.#warn = parts.warn;
    this.#retryMs = parts.retryMs ?? RETRY_MS;
    this.#work();
  }

  /** What keeps it from being equal to the first map; null when nothing does. */
  get trouble(): Failure | null {
    return this.#trouble;
  }

  /** Takes over changes of the first map; returns at once. */
  follow(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    for (const { ip, stamp } of changes) this.#waiting.set(ip, stamp);
    if (this.#waiting.size > MOST_WAITING) this.#startOver();
    this.#work();
  }

  setGrace(grace: GraceOf): void {
    this.#grace = grace;
    this.#held?.map.setGrace?.(grace);
  }

  /** Looks whether it was removed or replaced; returns at once. */
  check(): void {
    if (this.#differs || this.#working !== null) return;
    try {
      this.#held?.map.check();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Gives it back, with all that it was given if that does not take too long. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    const late = new AbortController();
    const patience = sleep(CLOSE_MS, 'late', { signal: late.signal, ref: false }).catch(() => null);
    const outcome = await Promise.race([this.#working, patience]);
    late.abort();
    if (outcome === 'late') {
      this.#warn(`${this.#name} is still being written; the next start makes it equal again`);
      return;
    }
    await this.#giveBack();
  }

  async #giveBack(): Promise<void> {
    try {
      await this.#held?.close();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#warn(error.line);
    }
  }

  #startOver(): void {
    this.#waiting.clear();
    this.#differs = true;
  }

  /** Starts what there is to do, unless it is being done, or is left alone after a failure. */
  #work(): void {
    if (this.#working !== null || this.#retry !== null || this.#closed) return;
    this.#working = this.#run().finally(() => {
      this.#working = null;
      // What came in between the last look and here.
      if (this.#waiting.size > 0) this.#work();
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#differs || this.#waiting.size > 0) await this.#step();
      if (this.#failures > 0) this.#warn(`${this.#name} is equal to the first map again`);
      this.#failures = 0;
      this.#trouble = null;
    } catch (error) {
      this.#fail(error);
    }
  }

  async #step(): Promise<void> {
    const started = performance.now();
    if (this.#differs) await this.#makeEqual();
    else await this.#held?.map.commit(this.#take());
    // A large file that is made anew for each commit leaves the daemon as much time as it took.
    await sleep(performance.now() - started);
  }

  #take(): Change[] {
    const changes = Array.from(this.#waiting, ([ip, stamp]): Change => ({ ip, stamp }));
    this.#waiting.clear();
    return changes;
  }

  async #makeEqual(): Promise<void> {
    const reopened = await this.#reopened();
    // What comes from here on is in the rows, or waits, or both.
    this.#startOver();
    this.#differs = false;
    await reopened.map.commit(difference(reopened.rows, await this.#rows()));
  }

  async #reopened(): Promise<{ readonly map: LookupMap; readonly rows: Row[] }> {
    if (this.#held !== null) {
      const { map } = this.#held;
      return { map, rows: await map.reopen() };
    }
    this.#held = await this.#open();
    const { map } = this.#held;
    if (this.#grace !== null) map.setGrace?.(this.#grace);
    return { map, rows: await map.rows() };
  }

  /** @throws what is no Failure: a bug of ours */
  #fail(error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    this.#startOver();
    this.#failures++;
    this.#trouble = error;
    if (this.#failures === 1) {
      this.#warn(`${this.#name} does not follow the first map until this is fixed: ${error.line}`);
    }
    if (this.#closed) return;
    const wait = Math.min(2 ** (this.#failures - 1), RETRY_GROWTH) * this.#retryMs;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#work();
    }, wait).unref();
  }
}
