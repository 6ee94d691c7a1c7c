/**
 * Tells that lines of a program are being torn apart (torn-lines.ts), which costs its users their logins.
 *
 * Promises: told at the first login that is passed over, then at most once an hour with their number while that goes
 * on, for each program and host; what has been quiet for an hour begins anew.  Pure: the clock is passed in.
 * Bounded: one entry for each program and host under attack in the last hour; no text of a line is kept.
 */
import type { EpochSeconds } from '../base/clock.ts';
import { excerpt } from '../base/excerpt.ts';
import type { Line } from '../line/prefix.ts';

/** Seconds. */
export const TELLING_INTERVAL = 3600;

interface State {
  /** Lines that were passed over and read like logins. */
  logins: number;
  lastAt: EpochSeconds;
  toldAt: EpochSeconds | null;
}

export class TornWatch {
  readonly #report: (warning: string) => void;
  readonly #states = new Map<string, State>();

  /** @param report takes a warning of one line */
  constructor(report: (warning: string) => void) {
    this.#report = report;
  }

  /**
   * A line may be a piece of a longer one, and no login comes of it.
   *
   * @param isLogin whether it reads like one
   * @param now steady time
   */
  torn({ program, host }: Line, isLogin: boolean, now: EpochSeconds): void {
    this.#forget(now);
    const name = host === null ? `${program}` : `${program} on ${excerpt(host)}`;
    let state = this.#states.get(name);
    if (state === undefined) {
      state = { logins: 0, lastAt: now, toldAt: null };
      this.#states.set(name, state);
    }
    state.lastAt = now;
    if (!isLogin) return;
    state.logins++;
    if (state.toldAt !== null && now - state.toldAt < TELLING_INTERVAL) return;
    state.toldAt = now;
    this.#report(warning(name, state.logins));
  }

  #forget(now: EpochSeconds): void {
    for (const [name, { lastAt }] of this.#states)
      if (now - lastAt >= TELLING_INTERVAL) this.#states.delete(name);
  }
}

const warning = (name: string, logins: number): string =>
  `somebody is tearing lines of ${name}: logins of ${logins === 1 ? '1 line' : `${logins} lines`} were passed over, ` +
  'since a stranger may have written them; they count again some minutes after the last torn line';
