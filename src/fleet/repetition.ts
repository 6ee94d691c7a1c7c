/**
 * All grants, or many, that are told anew when nothing else waits, and how fast.
 *
 * Reason: what every host of a large fleet tells anew stands in the streams before each new login, and every subscriber reads all of it.
 * Those who have their maps lack none of it; it is for those who come later.
 * Promises: the first of them go at once, when its time has come; the others at a slow pace, which ends within a quarter of the
 * shortest grace period, however many they are.
 * Pure: no connection, no clock.
 */
import type { IpText } from '../base/address.ts';

/** How many go at once. */
const FIRST = 200;
/** Grants a second: with 1,000 hosts, five times as many as what they have to tell at 10 logins a second each. */
const PACE = 50;

export class Repetition {
  readonly #ips: readonly IpText[];
  readonly #from: number;
  readonly #pace: number;
  #told = 0;

  /**
   * @param from when it begins, in seconds of a clock that only goes forward
   * @param grace the shortest grace period, in seconds
   */
  constructor(ips: readonly IpText[], from: number, grace: number) {
    this.#ips = ips;
    this.#from = from;
    this.#pace = Math.max(PACE, ips.length / (grace / 4));
  }

  get isDone(): boolean {
    return this.#told >= this.#ips.length;
  }

  /**
   * Those whose turn it is.
   *
   * @param most how many
   */
  next(steady: number, most: number): readonly IpText[] {
    const passed = steady - this.#from;
    if (passed < 0) return [];
    const allowed = Math.floor(FIRST + passed * this.#pace);
    const found = this.#ips.slice(this.#told, Math.min(allowed, this.#told + most));
    this.#told += found.length;
    return found;
  }
}
