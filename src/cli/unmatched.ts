/**
 * What `match` keeps of a line that is no event, until it is known which line that was: it may look like a login.
 *
 * Leaves to others: how it is told (report/match-summary.ts).
 */
import type { Line } from '../line/prefix.ts';
import { isLoginLike } from '../recogniser/login-like.ts';
import type { Observer } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import { type Stray, strayOf } from '../recogniser/stray.ts';
import type { MatchSummary, Place } from '../report/match-summary.ts';

export class Unmatched {
  readonly observer: Observer;
  readonly #summary: MatchSummary;
  #isMissed = false;
  #stray: Stray | null = null;

  constructor(registry: Registry, summary: MatchSummary) {
    this.#summary = summary;
    this.observer = {
      unrecognised: ({ message }: Line) => {
        this.#isMissed = isLoginLike(message);
      },
      stranger: line => {
        this.#stray = strayOf(line, registry);
      },
      torn: ({ program }, isLogin) => summary.torn(program ?? '-', isLogin),
    };
  }

  /**
   * Adds the line that was looked at last to the summary, if it may have been a login.
   *
   * @param place asked for only then
   * @returns the stray that it is; null for none
   */
  take(place: () => Place): Stray | null {
    const stray = this.#isMissed ? null : this.#stray;
    if (this.#isMissed) this.#summary.missed(place());
    else if (stray !== null) this.#summary.stray(stray, place());
    this.#isMissed = false;
    this.#stray = null;
    return stray;
  }
}
