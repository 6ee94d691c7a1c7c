/**
 * The withdrawals that this host has told, for as long as they may matter: what a grant that they have ended had left elsewhere.
 *
 * The other hosts end that grant when they hear of it, and only then: an engine that has lost the entry leaves it open until its time.
 * Promises: each is told again within half a grace period, as long as there is a connection; one that is over is forgotten, and so
 * is one whose address has logged in since.
 * Known limit: of more than 10,000 the oldest are forgotten, and what a stop keeps are the latest 1,000.
 * Pure: no connection, no clock.
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { savedList } from '../base/saved.ts';
import { LIMIT_REASONS } from '../grant/limits.ts';
import type { WithdrawalEntry } from './entry.ts';

const MOST = 10_000;
const MOST_SAVED = 1000;
/** The part of half a grace period after which one is told again. */
const REST = 0.75;

interface Told {
  readonly entry: WithdrawalEntry;
  /** Seconds of a clock that only goes forward, here and below. */
  readonly at: number;
}

export class Withdrawals {
  /** The longest ago told first. */
  readonly #told = new Map<IpText, Told>();

  told(entry: WithdrawalEntry, steady: number): void {
    this.#told.delete(entry.ip);
    this.#told.set(entry.ip, { entry, at: steady });
    const [oldest] = this.#told.keys();
    if (this.#told.size > MOST && oldest !== undefined) this.#told.delete(oldest);
  }

  /** The address has logged in since. */
  forget(ip: IpText): void {
    this.#told.delete(ip);
  }

  /** Forgets those of grants whose latest login was before a time. */
  expire(time: EpochSeconds): void {
    for (const [ip, { entry }] of this.#told) if (entry.time < time) this.#told.delete(ip);
  }

  /** Those that were told since then. */
  since(steady: number): WithdrawalEntry[] {
    return [...this.#told.values()].flatMap(({ entry, at }) => (at >= steady ? [entry] : []));
  }

  /**
   * Those that are to be told again now.
   *
   * @param grace the shortest grace period, in seconds
   */
  due(steady: number, grace: number): WithdrawalEntry[] {
    const told = [...this.#told.values()];
    return told.flatMap(({ entry, at }) => (steady - at >= (grace / 2) * REST ? [entry] : []));
  }

  /** Plain JSON. */
  save(): readonly unknown[] {
    const latest = [...this.#told.values()].slice(-MOST_SAVED);
    return latest.map(({ entry: { ip, time, reason } }) => [ip, time, reason]);
  }

  /** Takes over what was saved, which counts as never told; what is of another sort is left out. */
  restore(saved: unknown): void {
    for (const entry of savedList(saved, 'withdrawals', entryOf))
      this.told(entry, Number.NEGATIVE_INFINITY);
  }
}

function entryOf([address, time, text]: readonly unknown[]): WithdrawalEntry | null {
  const ip = typeof address === 'string' ? canonicalIp(address) : null;
  const reason = LIMIT_REASONS.find(known => known === text);
  if (ip === null || typeof time !== 'number' || reason === undefined) return null;
  return { kind: 'withdrawn', ip, time: epoch(time), reason };
}
