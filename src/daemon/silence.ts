/**
 * Notices a log that has fallen silent: a rotation that lost its writer, a syslog daemon that stopped.
 *
 * Promises: a silence is told when it is longer than any before it, and longer than an hour; each one once.
 * Pure, with the time passed in.
 * Known limit: what was learnt is forgotten at a restart, so the first quiet night is told.
 */

/** Seconds; shorter silences are told of no log. */
export const LEAST_SILENCE = 3600;

export class Silence {
  #last: number;
  #longest = LEAST_SILENCE;
  #told = false;

  /** @param now seconds of a clock that only goes forward, here and below */
  constructor(now: number) {
    this.#last = now;
  }

  /** Takes note of lines. */
  heard(now: number): void {
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
    this.#told = false;
  }

  /** The seconds of a silence that is to be told now, else null. */
  toTell(now: number): number | null {
    const seconds = now - this.#last;
    if (this.#told || seconds <= this.#longest) return null;
    this.#told = true;
    return seconds;
  }
}
