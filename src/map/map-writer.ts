/**
 * Writes changes to a map through whatever happens to it: a full disk, a file that was removed or replaced.
 *
 * Promises: what could not be written is kept, by address, and written once it can; an effect is told only of what
 * is in the map.  A map that was removed or replaced is opened anew and made to hold the grants, and no other rows
 * of ours, so that a copy from a backup opens nothing.  The trouble is told at once, again when it has lasted for
 * longer than a grace period, since a row that was to end is open by then, and its end.
 * Leaves to others: when to try again (`isDue` says whether it is time).
 */
import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { Change, Effect } from '../grant/change.ts';
import type { Report } from '../grant/decision.ts';
import type { Grant } from '../grant/grant-table.ts';
import type { LookupMap } from './map.ts';
import { grantsIn } from './row.ts';

/** How long to leave a map alone that could not be written, in seconds: doubled each time, up to the last. */
const RETRY_SECONDS = { first: 1, last: 5 } as const;
/** Between two times that it is told how long it lasts. */
const LEAST_PAUSE_SECONDS = 60;
/** After so many vain attempts the map is opened anew. */
const REOPEN_AFTER = 3;

/** Who wants to know how commits go. */
export interface CommitWatch {
  /** @param seconds how long it took, with the wait for the lock */
  committed(seconds: number, rows: number): void;
  commitFailed(): void;
}

interface WriterParts {
  readonly map: LookupMap;
  /** All that the map should hold now. */
  readonly grants: () => Iterable<Grant>;
  readonly report: Report;
  /** The shortest grace period that counts now, in seconds. */
  readonly shortestGrace: () => number;
  readonly commits?: CommitWatch | undefined;
}

export class MapWriter {
  readonly #map: LookupMap;
  readonly #grants: () => Iterable<Grant>;
  readonly #report: Report;
  readonly #shortestGrace: () => number;
  readonly #commits: CommitWatch | null;
  /** What the map still lacks: null for a row to take away. */
  readonly #unwritten = new Map<IpText, EpochSeconds | null>();
  #failures = 0;
  /** The latest failure; null when the map has everything that it was given. */
  #trouble: Failure | null = null;
  #retryAt = Number.NEGATIVE_INFINITY;
  /** When the present trouble began, and when it is to be told again. */
  #failedAt = Number.NEGATIVE_INFINITY;
  #tellAt = Number.NEGATIVE_INFINITY;
  /** The map is to be opened anew before anything is written. */
  #reopen = false;

  constructor({ map, grants, report, shortestGrace, commits }: WriterParts) {
    this.#map = map;
    this.#grants = grants;
    this.#report = report;
    this.#shortestGrace = shortestGrace;
    this.#commits = commits ?? null;
  }

  /** Whether the map has everything that it was given. */
  get settled(): boolean {
    return this.#trouble === null;
  }

  get trouble(): Failure | null {
    return this.#trouble;
  }

  /** How many rows are to be taken away, and may still be there. */
  get overdue(): number {
    let count = 0;
    for (const stamp of this.#unwritten.values()) if (stamp === null) count++;
    return count;
  }

  /** Whose they are. */
  overdueIps(): IpText[] {
    return [...this.#unwritten].flatMap(([ip, stamp]) => (stamp === null ? [ip] : []));
  }

  /** Whether `write` has something to do even without changes; looks at the map for that. */
  isDue(steady: EpochSeconds): boolean {
    if (this.settled) {
      try {
        this.#map.check();
      } catch (error) {
        this.#failed([], error, steady);
      }
    }
    return !this.settled && steady >= this.#retryAt;
  }

  /** @returns the effects of the changes; none of them when the map cannot be written */
  async write(changes: readonly Change[], steady: EpochSeconds): Promise<readonly Effect[]> {
    if (this.settled && changes.length === 0) return [];
    try {
      if (this.#reopen) await this.#openAnew();
      if (this.settled) return await this.#commit(changes);
      const overdue = [...this.#unwritten].map(([ip, stamp]): Change => ({ ip, stamp }));
      const effects = await this.#commit([...overdue, ...changes]);
      this.#recovered(overdue.length);
      return effects.slice(overdue.length);
    } catch (error) {
      this.#failed(changes, error, steady);
      return [];
    }
  }

  async #commit(changes: readonly Change[]): Promise<Effect[]> {
    const start = performance.now();
    try {
      const effects = await this.#map.commit(changes);
      this.#commits?.committed((performance.now() - start) / 1000, changes.length);
      return effects;
    } catch (error) {
      this.#commits?.commitFailed();
      throw error;
    }
  }

  async #openAnew(): Promise<void> {
    for (const { ip } of grantsIn(await this.#map.reopen())) this.#unwritten.set(ip, null);
    for (const { ip, stamp } of this.#grants()) this.#unwritten.set(ip, stamp);
    this.#reopen = false;
  }

  /** @throws what is no Failure: a bug of ours */
  #failed(changes: readonly Change[], error: unknown, steady: EpochSeconds): void {
    if (!(error instanceof Failure)) throw error;
    for (const { ip, stamp } of changes) this.#unwritten.set(ip, stamp);
    this.#failures++;
    this.#trouble = error;
    const replaced = error.code === 'MAP_REPLACED' || error.code === 'MAP_RULES_CHANGED';
    // It has been waited for already, and a map that is opened anew is locked as well.
    const locked = error.code === 'MAP_LOCKED';
    if (replaced || (!locked && this.#failures >= REOPEN_AFTER)) this.#reopen = true;
    const { first, last } = RETRY_SECONDS;
    const wait = Math.min(last, first * 2 ** (this.#failures - 1));
    this.#retryAt = replaced || locked ? steady : steady + wait;
    this.#tell(error, steady);
  }

  #tell(error: Failure, steady: EpochSeconds): void {
    if (this.#failures === 1) this.#failedAt = steady;
    else if (steady < this.#tellAt) return;
    const seconds = Math.floor(steady - this.#failedAt);
    const least = this.#failures === 1 ? 0 : LEAST_PAUSE_SECONDS;
    this.#tellAt = steady + Math.max(least, this.#shortestGrace());
    this.#report({ kind: 'map failed', line: error.line, seconds, overdue: this.overdue });
  }

  #recovered(changes: number): void {
    this.#failures = 0;
    this.#trouble = null;
    this.#unwritten.clear();
    this.#report({ kind: 'map recovered', changes });
  }
}
