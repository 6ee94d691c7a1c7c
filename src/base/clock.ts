/**
 * The two clocks of the daemon, and the unit that both count in.
 *
 * Log stamps and map values are wall time.  When a grant ends is decided on the steady clock, so
 * that a step of the wall clock (NTP at boot, a mistaken `date`) neither expires all grants nor keeps
 * one for longer.  A finished log is replayed with its own stamps as both clocks.
 * Known limit: the steady clock stands still while the machine is suspended.
 */

declare const epochSeconds: unique symbol;

/** Seconds since 1970-01-01 UTC. */
export type EpochSeconds = number & { readonly [epochSeconds]: true };

export const epoch = (seconds: number): EpochSeconds => seconds as EpochSeconds;

/** One reading of both clocks. */
export interface Moment {
  /** What the machine calls now; it may step. */
  readonly wall: EpochSeconds;
  /** Seconds that only ever pass; equal to `wall` when the clock was made. */
  readonly steady: EpochSeconds;
}

export interface Clock {
  /** @param logged what the log calls the present, for a clock that goes by the log */
  now(logged?: EpochSeconds): Moment;
}

/** The machine's clocks; what the log says does not move them. */
export function systemClock(): Clock {
  const start = (Date.now() - performance.now()) / 1000;
  return {
    now: () => ({
      wall: epoch(Date.now() / 1000),
      steady: epoch(start + performance.now() / 1000),
    }),
  };
}

/** The clock of a finished log: it is as late as the latest stamp seen, and never goes back. */
export function logClock(): Clock {
  let latest = epoch(0);
  return {
    now: logged => {
      if (logged !== undefined && logged > latest) latest = logged;
      return { wall: latest, steady: latest };
    },
  };
}
