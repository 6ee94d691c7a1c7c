/**
 * The alarm for a server that was updated and words its logins in a new way, or was never understood.
 *
 * Promises: it is raised only after several lines in a row that look like logins (login-like.ts) with none recognised
 * between them; then once, and again at most once an hour while that goes on, for a program that has produced logins
 * before; for one that has not, once only.  Pure: the clock is passed in.
 * Needs both sorts of lines in the order of the log: logins told a batch late would let a few misses among
 * them look like a row.
 * Bounded: one entry for each program, and programs are those that pattern files
 * name; no text of a line is kept.
 * Known limits: what produced logins is forgotten with the process; where a log holds the lines of several hosts,
 * those that go on as before hide the one that does not.
 */
import type { EpochSeconds } from '../base/clock.ts';
import { excerpt } from '../base/excerpt.ts';
import type { Line } from '../line/prefix.ts';
import { isLoginLike } from './login-like.ts';

/** Not one or two: a user with an odd name logs in again and again, but seldom more often than all others. */
export const LINES_BEFORE_ALARM = 5;
/** Seconds. */
export const ALARM_INTERVAL = 3600;
/** Characters: enough for the words before and around the address. */
const EXAMPLE_LENGTH = 160;

interface State {
  /** Whether a login of it was ever recognised. */
  isKnown: boolean;
  /** Login-like lines since the last login that was recognised. */
  missed: number;
  alarmedAt: EpochSeconds | null;
}

export class Drift {
  readonly #report: (warning: string) => void;
  readonly #isQuoted: boolean;
  readonly #programs = new Map<string, State>();

  /**
   * @param report takes a warning of one line
   * @param isQuoted whether it may hold the line itself, in which a user is named
   */
  constructor(report: (warning: string) => void, isQuoted = true) {
    this.#report = report;
    this.#isQuoted = isQuoted;
  }

  /** A login of this program was recognised. @param program its syslog tag */
  recognised(program: string): void {
    const state = this.#stateOf(program);
    state.isKnown = true;
    state.missed = 0;
  }

  /** A line of a known program that no pattern recognises. @param now steady time */
  unrecognised({ program, message }: Line, now: EpochSeconds): void {
    if (program === null || !isLoginLike(message)) return;
    const state = this.#stateOf(program);
    state.missed++;
    const recent =
      state.alarmedAt !== null && (!state.isKnown || now - state.alarmedAt < ALARM_INTERVAL);
    if (state.missed < LINES_BEFORE_ALARM || recent) return;
    state.alarmedAt = now;
    const example = this.#isQuoted ? `: "${excerpt(message, EXAMPLE_LENGTH)}"` : '';
    this.#report(warning(program, state, example));
  }

  #stateOf(program: string): State {
    const known = this.#programs.get(program);
    if (known !== undefined) return known;
    const state = { isKnown: false, missed: 0, alarmedAt: null };
    this.#programs.set(program, state);
    return state;
  }
}

const warning = (program: string, { isKnown, missed }: State, example: string): string =>
  `${program} logs what looks like logins, but ` +
  `${isKnown ? `the last ${missed} were not recognised (has it been updated?)` : 'none was ever recognised'}` +
  `${example}; run "popbsmtp explain" on that line of the log, then update popbsmtp or add a pattern of your own`;
