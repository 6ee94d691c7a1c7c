/**
 * Sessions whose logout came before their login.
 *
 * The process that lets a client in and the one that serves it write to the log each for itself: Dovecot 2.3's pop3 has told the
 * end of a short session before pop3-login told its begin in 4 of 100 (clients that send PASS and QUIT at once, two busy
 * processors).  Such a session must not count as open, since no logout will ever close it.
 *
 * Promises: remembers at least half as many as `CAPACITY`, the latest ones; a session does not count as ended when
 * login and logout are further apart than `LONGEST_RACE` by their own stamps, since a pid or a port comes again.
 * Known limit: without stamps such a number, come again, makes a session that keeps nothing; its grant is the usual one.
 */
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { savedList } from '../base/saved.ts';
import { Generations } from './generations.ts';

/** Half of it is far more than a server ends in the time for which its two processes may be apart. */
const CAPACITY = 20_000;

/** Seconds. */
const LONGEST_RACE = 60;

/** When a logout or a login was logged; null when its line does not say. */
type Stamp = EpochSeconds | null;

/** A session, and the stamp of its logout. */
export type SavedEnd = readonly [key: string, time: Stamp];

const couldBeOne = (one: Stamp, other: Stamp): boolean =>
  one === null || other === null || Math.abs(one - other) <= LONGEST_RACE;

export class EndedSessions {
  readonly #ends = new Generations<string, Stamp>(CAPACITY);

  /** @param time of the logout */
  add(key: string, time: Stamp): void {
    this.#ends.set(key, time);
  }

  /**
   * Whether the session of this login has ended; asked once.
   *
   * @param time of the login
   */
  take(key: string, time: Stamp): boolean {
    const ended = this.#ends.get(key);
    this.#ends.delete(key);
    return ended !== undefined && couldBeOne(time, ended);
  }

  /** Those whose login may still come, for a checkpoint. */
  save(now: EpochSeconds): readonly SavedEnd[] {
    return [...this.#ends.entries()].filter(([, time]) => couldBeOne(time, now));
  }

  /** @param saved holds them as `ended`; what is of another sort is left out */
  restore(saved: unknown): void {
    const ends = savedList(saved, 'ended', ([key, time]) =>
      typeof key === 'string' && (typeof time === 'number' || time === null)
        ? ([key, time === null ? null : epoch(time)] as const)
        : null,
    );
    for (const [key, time] of ends) this.add(key, time);
  }
}
