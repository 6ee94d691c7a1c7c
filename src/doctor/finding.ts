/**
 * What a check has found, as data: the doctor's only way to say anything.
 */

import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';

export type CheckName =
  | 'configuration'
  | 'log'
  | 'logins'
  | 'clients'
  | 'clock'
  | 'policy'
  | 'map'
  | 'rows'
  | 'daemon'
  | 'service'
  | 'fleet'
  | 'mta'
  | 'postfix'
  | 'restrictions'
  | 'maps'
  | 'policy socket'
  | 'instances'
  | 'mynetworks'
  | 'lookup'
  | 'relay';

/**
 * `ok`: looked at, and as it should be, or none of the doctor's business; `skipped`: not tried, and why; `warning`: works, or could
 * not be looked at although it should be; `error`: logins are not granted, Postfix does not do what is wanted, or strangers may relay.
 */
export type Verdict =
  | { readonly level: 'ok' | 'skipped'; readonly what: string; readonly hint: null }
  | {
      readonly level: 'warning' | 'error';
      readonly what: string;
      /** What to do about it. */
      readonly hint: string;
    };

export type Finding = { readonly check: CheckName } & Verdict;

export const ok = (what: string): Verdict => ({ level: 'ok', what, hint: null });

/** @param what was not tried, and why */
export const skipped = (what: string): Verdict => ({ level: 'skipped', what, hint: null });

export const warning = (what: string, hint: string): Verdict => ({ level: 'warning', what, hint });

export const error = (what: string, hint: string): Verdict => ({ level: 'error', what, hint });

/** An error of the catalogue as a finding; what is none is a bug of ours and is thrown on. */
export function failed(problem: unknown, level: 'warning' | 'error' = 'error'): Verdict {
  if (!(problem instanceof Failure)) throw problem;
  return { level, what: problem.message, hint: problem.hint };
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** `40 seconds`, `3 minutes`, `5 hours`, `2 days`. */
export function span(seconds: number): string {
  if (seconds < 100) return quantity(Math.max(0, Math.round(seconds)), 'second');
  if (seconds < 2 * HOUR) return quantity(Math.round(seconds / 60), 'minute');
  if (seconds < 2 * DAY) return quantity(Math.round(seconds / HOUR), 'hour');
  return quantity(Math.round(seconds / DAY), 'day');
}
