/** Facts for the doctor's judges, as short as a table wants them. */

import { canonicalIp } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import type { Verdict } from '../../src/doctor/finding.ts';
import { type PostfixState, parseServices } from '../../src/doctor/postfix-state.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { parseMapSpec } from '../../src/map/spec.ts';
import { parseParameters } from '../../src/postfix/parameters.ts';
import type { LoginEvent } from '../../src/recogniser/event.ts';

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
  written: parseParameters(`${mainCf}${overrides}`),
});

/** A login as a server tells of it. */
export const login = (
  ip: string,
  time: number | null,
  changes: Partial<LoginEvent> = {},
): LoginEvent => {
  const address = canonicalIp(ip);
  if (address === null) throw new TypeError(`${ip} is no address`);
  return {
    event: 'login',
    server: 'dovecot',
    user: 'anna',
    ip: address,
    time: time === null ? null : epoch(time),
    session: null,
    tls: null,
    ...changes,
  };
};

/** `error: what is said`, for comparing. */
export const said = (verdicts: readonly Verdict[]): string[] =>
  verdicts.map(({ level, what }) => `${level}: ${what}`);

/** The levels alone. */
export const levels = (verdicts: readonly Verdict[]): string[] =>
  verdicts.map(({ level }) => level);
