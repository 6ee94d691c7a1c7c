/**
 * When each grant of this host was told to the fleet last, and which are to be told again.
 *
 * Whatever an engine has lost, known or not, is there again when everything has been told once more.
 * Promises: a grant is told again before half a grace period has passed since it was told last, by a login or otherwise, as
 * long as there is a connection; what was told at one moment is told again over a while, not at one moment.
 * Leaves to others: whether there still is such a grant, and what is told of it.
 * Pure: no connection, no clock.
 */
import type { IpText } from '../base/address.ts';

/** The part of half a grace period after which the telling begins; in the rest of it all have their turn. */
const REST = 0.75;

export class Reminder {
  /** Seconds of a clock that only goes forward, the longest ago first. */
  readonly #told = new Map<IpText, number>();
  #asked = Number.NEGATIVE_INFINITY;

  /** @param steady seconds of a clock that only goes forward, here and below */
  told(ip: IpText, steady: number): void {
    this.#told.delete(ip);
    this.#told.set(ip, steady);
  }

  forget(ip: IpText): void {
    this.#told.delete(ip);
  }

  /** Those that were told since then. */
  since(steady: number): IpText[] {
    return [...this.#told].flatMap(([ip, told]) => (told >= steady ? [ip] : []));
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
    for (const [ip, told] of this.#told) {
      if (found.length === most) break;
      const age = steady - told;
      if (age < half * REST || (found.length >= share && age < half)) break;
      found.push(ip);
      this.#told.delete(ip);
    }
    return found;
  }
}
