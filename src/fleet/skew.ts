/**
 * Whether the clocks of a fleet agree: this host's with the engine's, and the stamps of a publisher's log with the
 * engine's.
 *
 * Every host compares itself with the one engine, so that any two that differ are found.  A difference is told once,
 * until it is gone; so many seconds are tolerated, as NTP and syslog need.
 * Pure, with the times passed in.
 */
import type { EpochSeconds } from '../base/clock.ts';

/** Seconds. */
export const TOLERATED_SKEW = 2;
/** For so long a primary's answer is better than that of a replica. */
const PRIMARY_SECONDS = 60;
/** Publishers of which a difference is remembered. */
const MOST_PUBLISHERS = 1000;

export class Skew {
  readonly #warn: (text: string) => void;
  readonly #ahead = new Set<string>();
  /** Publishers to be told of unless it was the engine's clock, and by how many seconds. */
  readonly #suspects = new Map<string, number>();
  #offset: number | null = null;
  #told = false;
  /** When a primary was asked last, by this host's clock. */
  #primaryAsked = Number.NEGATIVE_INFINITY;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** Seconds by which the engine's clock is ahead of this host's; null when it has never been asked. */
  get offset(): number | null {
    return this.#offset;
  }

  /**
   * Takes the engine's answer to what time it is.  A replica has a clock of its own, but the entries have the times of its primary, so it
   * counts only where no primary is asked.
   *
   * @param asked when it was asked, and answered, by this host's clock
   */
  compare(
    engine: EpochSeconds,
    asked: EpochSeconds,
    answered: EpochSeconds,
    isReplica = false,
  ): void {
    if (isReplica && Math.abs(asked - this.#primaryAsked) < PRIMARY_SECONDS) return;
    if (!isReplica) this.#primaryAsked = asked;
    const trip = Math.max(0, answered - asked);
    const offset = engine - (asked + trip / 2);
    this.#offset = offset;
    const sure = Math.abs(offset) - trip / 2;
    if (sure > TOLERATED_SKEW && !this.#told) this.#warn(clockText(offset));
    this.#told = sure > TOLERATED_SKEW;
    if (!this.#told) for (const suspect of this.#suspects) this.#blame(...suspect);
    this.#suspects.clear();
  }

  /**
   * Takes a stamp of a publisher's log, and when the engine got it, which is never before; no publisher is blamed while the
   * engine's clock and this host's do not agree themselves, nor before they have been compared again: where the engine's was set
   * back, IDs stand still.
   */
  stamped(from: string, stamp: EpochSeconds, arrived: EpochSeconds): void {
    if (this.#told) return;
    const ahead = stamp - arrived;
    if (ahead <= TOLERATED_SKEW) {
      this.#ahead.delete(from);
      this.#suspects.delete(from);
      return;
    }
    const count = this.#ahead.size + this.#suspects.size;
    if (!this.#ahead.has(from) && count < MOST_PUBLISHERS) this.#suspects.set(from, ahead);
  }

  #blame(from: string, ahead: number): void {
    this.#ahead.add(from);
    this.#warn(
      `fleet: logins of ${from} are stamped ${seconds(ahead)} after they were published: look at its clock ` +
        'and time zone, and those of who writes its log',
    );
  }
}

const clockText = (offset: number): string =>
  `fleet: this host's clock is ${seconds(Math.abs(offset))} ${offset > 0 ? 'behind' : 'ahead of'} that of the engine: ` +
  'set the one that is wrong, and keep both with NTP; if it is that of this host, logins that seem older than the grace period open nothing';

const seconds = (number: number): string => `${Math.round(number)} s`;
