/**
 * When each grant of this host was told to the fleet last, and which are to be told again.
 *
 * Whatever an engine has lost, known or not, is there again when everything has been told once more.  And what the fleet knows
 * already need not be told at once: a client that logs in again and again.
 * Promises: a grant is told again before half a grace period has passed since it was told last, by a login or otherwise, as
 * long as there is a connection; what was told at one moment is told again over a while, not at one moment.  What was put
 * off is told when it has waited for as long as it may.
 * Leaves to others: whether there still is such a grant, and what is told of it.
 * Pure: no connection, no clock.
 */
import type { IpText } from '../base/address.ts';

/** The part of half a grace period after which the telling begins; in the rest of it all have their turn. */
const REST = 0.75;

interface Told {
  /** Seconds of a clock that only goes forward, here and below. */
  readonly at: number;
  /** A number for user, server and encryption; null when that is not known. */
  readonly who: number | null;
}

export class Reminder {
  /** The longest ago first. */
  readonly #told = new Map<IpText, Told>();
  /** Since when what is to be told of them has been put off, the longest first. */
  readonly #putOff = new Map<IpText, number>();
  #asked = Number.NEGATIVE_INFINITY;
  /** What was told before counts no more as known. */
  #doubted = Number.NEGATIVE_INFINITY;

  /** @param steady seconds of a clock that only goes forward, here and below */
  told(ip: IpText, steady: number, who: number | null = null): void {
    this.#told.delete(ip);
    this.#told.set(ip, { at: steady, who });
    this.#putOff.delete(ip);
  }

  forget(ip: IpText): void {
    this.#told.delete(ip);
    this.#putOff.delete(ip);
  }

  /** Something may have ended grants elsewhere. */
  doubt(steady: number): void {
    this.#doubted = steady;
  }

  /** Whether the same was told within so many seconds. */
  isKnown(ip: IpText, who: number, steady: number, within: number): boolean {
    const told = this.#told.get(ip);
    if (told === undefined || told.who !== who || told.at <= this.#doubted) return false;
    return steady - told.at < within;
  }

  putOff(ip: IpText, steady: number): void {
    if (!this.#putOff.has(ip)) this.#putOff.set(ip, steady);
  }

  /** Takes those out that have been put off for so many seconds. */
  waited(steady: number, seconds: number): IpText[] {
    const found: IpText[] = [];
    for (const [ip, since] of this.#putOff) {
      if (steady - since < seconds) break;
      found.push(ip);
      this.#putOff.delete(ip);
    }
    return found;
  }

  /** Those that were told since then. */
  since(steady: number): IpText[] {
    return [...this.#told].flatMap(([ip, { at }]) => (at >= steady ? [ip] : []));
  }

  /**
   * Takes those out that are to be told now; to be asked again and again.
   *
   * @param grace the shortest grace period, in seconds
   * @param most how many
   */
  due(steady: number, grace: number, most: number): IpText[] {
    const half = grace / 2;
    const passed = steady - this.#asked;
    this.#asked = steady;
    // Enough for all to have had their turn at the end, however often this is asked; at a first time, all.
    const share = Math.ceil((this.#told.size * passed) / (half * (1 - REST)));
    const found: IpText[] = [];
    for (const [ip, { at }] of this.#told) {
      if (found.length === most) break;
      const age = steady - at;
      if (age < half * REST || (found.length >= share && age < half)) break;
      found.push(ip);
      this.forget(ip);
    }
    return found;
  }
}
