/**
 * What a check has found, as data: the doctor's only way to say anything.
 */
import { Failure } from '../base/errors.ts';

export type CheckName =
  | 'configuration'
  | 'log'
  | 'logins'
  | 'clients'
  | 'clock'
  | 'map'
  | 'rows'
  | 'daemon'
  | 'service'
  | 'fleet'
  | 'postfix'
  | 'restrictions'
  | 'maps'
  | 'instances'
  | 'mynetworks'
  | 'lookup'
  | 'relay';

/**
 * `ok`: as it should be, or none of the doctor's business; `warning`: works, or could not be looked at;
 * `error`: logins are not granted, Postfix does not do what is wanted, or strangers may relay.
 */
export type Verdict =
  | { readonly level: 'ok'; readonly what: string; readonly hint: null }
  | {
      readonly level: 'warning' | 'error';
      readonly what: string;
      /** What to do about it. */
      readonly hint: string;
    };

export type Finding = { readonly check: CheckName } & Verdict;

export const ok = (what: string): Verdict => ({ level: 'ok', what, hint: null });

export const warning = (what: string, hint: string): Verdict => ({ level: 'warning', what, hint });

export const error = (what: string, hint: string): Verdict => ({ level: 'error', what, hint });

/** An error of the catalogue as a finding; what is none is a bug of ours and is thrown on. */
export function failed(problem: unknown, level: 'warning' | 'error' = 'error'): Verdict {
  if (!(problem instanceof Failure)) throw problem;
  return { level, what: problem.message, hint: problem.hint };
}
