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
  toReport(now: number): number | null {
    const seconds = now - this.#last;
    if (this.#told || seconds <= this.#longest) return null;
    this.#told = true;
    return seconds;
  }
}

/** The silences of all logs. */
export class Silences {
  readonly #logs = new Map<string, Silence>();
  readonly #now: () => number;
  readonly #warn: (text: string) => void;

  constructor(now: () => number, warn: (text: string) => void) {
    this.#now = now;
    this.#warn = warn;
  }

  /** @param name of a log, of which nothing has been heard yet, or of another of its files */
  watch(name: string): void {
    if (!this.#logs.has(name)) this.#logs.set(name, new Silence(this.#now()));
  }

  heard(name: string): void {
    this.#logs.get(name)?.heard(this.#now());
  }

  /** Warns of those that are to be told now. */
  tell(): void {
    for (const [name, silence] of this.#logs) {
      const seconds = silence.toReport(this.#now());
      if (seconds === null) continue;
      const hours = Math.round(seconds / 3600);
      this.#warn(
        `nothing was written to ${name} for ${hours} h, longer than ever: is it still the log?`,
      );
    }
  }
}
