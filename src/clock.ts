/**
 * The two clocks of the daemon, and the unit that both count in.
 *
 * Log stamps and map values are wall time.  When a grant ends is decided on the steady clock, so
 * that a step of the wall clock (NTP at boot, a mistaken `date`) neither expires all grants nor keeps
 * one for longer.  A finished log is replayed with its own stamps as both clocks.
 */

declare const epochSeconds: unique symbol;

/** Seconds since 1970-01-01 UTC. */
export type EpochSeconds = number & { readonly [epochSeconds]: true };

export const epoch = (seconds: number): EpochSeconds => seconds as EpochSeconds;

export interface Clock {
  /** What the machine calls now; it may step. */
  wall(): EpochSeconds;
  /** Seconds that only ever pass; equal to `wall` when the process started. */
  steady(): EpochSeconds;
}

/** The machine's clocks. */
export function systemClock(): Clock {
  const start = Date.now() / 1000 - performance.now() / 1000;
  return {
    wall: () => epoch(Date.now() / 1000),
    steady: () => epoch(start + performance.now() / 1000),
  };
}
