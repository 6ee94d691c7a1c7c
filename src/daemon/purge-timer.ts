/**
 * When to purge: at each beat, and in between when something is due.
 *
 * Promises: what is due is purged a quarter of a second late at most (grant/due-queue.ts); a daemon that has nothing due is woken by the
 * beat alone; nothing after `stop`.
 */
import type { Clock } from '../base/clock.ts';
import type { GrantTable } from '../grant/grant-table.ts';

export class PurgeTimer {
  readonly #grants: GrantTable;
  readonly #clock: Clock;
  readonly #purge: () => void;
  readonly #beatMs: number;
  #next: NodeJS.Timeout | undefined;

  /** @param beatMs how often `beat` is called */
  constructor(grants: GrantTable, clock: Clock, purge: () => void, beatMs: number) {
    this.#grants = grants;
    this.#clock = clock;
    this.#purge = purge;
    this.#beatMs = beatMs;
  }

  /** Purges, now and again for each quarter of a second before the next beat in which something is due. */
  beat(): void {
    this.#purge();
    clearTimeout(this.#next);
    const now = this.#clock.now();
    const next = this.#grants.nextDue(now, this.#beatMs / 1000);
    if (next === null) return;
    // A timer may ring within the millisecond before its time.
    const wait = (next - now.steady) * 1000 + 1;
    this.#next = setTimeout(() => this.beat(), wait);
  }

  stop(): void {
    clearTimeout(this.#next);
  }
}
