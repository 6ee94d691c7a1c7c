/** Facts for the doctor's judges, as short as a table wants them. */

import type { Verdict } from '../../src/doctor/finding.ts';
import { type PostfixState, parseServices } from '../../src/doctor/postfix-state.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { parseMapSpec } from '../../src/map/spec.ts';
import { parseParameters } from '../../src/postfix/parameters.ts';

export const MAP: MapSpec = parseMapSpec('lmdb:/m', 'the test');

/** A Postfix with these lines of main.cf, and these of `postconf -M` and `postconf -P`. */
export const postfixWith = (
  mainCf: string,
  services = 'smtp inet n - n - - smtpd',
  overrides = '',
): PostfixState => ({
  types: ['lmdb'],
  parameters: parseParameters(mainCf),
  services: parseServices(services, overrides),
});

/** `error: what is said`, for comparing. */
export const said = (verdicts: readonly Verdict[]): string[] =>
  verdicts.map(({ level, what }) => `${level}: ${what}`);

/** The levels alone. */
export const levels = (verdicts: readonly Verdict[]): string[] =>
  verdicts.map(({ level }) => level);
