/**
 * What networks, orders, policy and limits make of the logins in the log: whether anybody who logs in is granted anything.
 */

import { quantity } from '../base/quantity.ts';
import type { Rehearsal, Rehearsed } from '../daemon/rehearsal.ts';
import type { IgnoreReason } from '../grant/decision.ts';
import { check } from './check.ts';
import { error, ok, skipped, type Verdict, warning } from './finding.ts';

export const policyCheck = check('policy', ({ rehearsal }) => rehearsal(), judgePolicy);

/** Why a login may be refused on purpose, although each is: somebody has named those very clients. */
const BY_NAME: ReadonlySet<IgnoreReason> = new Set(['revoked', 'own address', 'gateway']);

const CURES: Readonly<Record<Exclude<IgnoreReason, 'in mynetworks'>, string>> = {
  excluded: 'take what is too wide out of exclude',
  'own address':
    'clients come through this machine or a proxy on it: let the mail server log their own addresses (the PROXY protocol)',
  gateway:
    'clients come through the gateway: let the mail server log their own addresses (the PROXY protocol)',
  'opens other networks':
    'write main.cf as popbsmtp(8) says ("Whole addresses"), and set whole-addresses',
  'not encrypted':
    'take require-tls away, or let clients log in with TLS; some servers never log it, which popbsmtp explain tells',
  'user not allowed': 'look at allow-users and deny-users: they hold names as the log has them',
  'too many users':
    'look at max-users-per-address, or let the mail server log the clients behind a proxy',
  'too many addresses': 'look at max-addresses-per-user',
  revoked: 'look at "popbsmtp list --orders"; "popbsmtp lift" takes an order back',
  'too old': 'see what is said of the clock',
  'no time stamp': 'let the log have time stamps that name a moment (RFC 3339)',
};

export function judgePolicy({ logins, left }: Rehearsal): Verdict[] {
  if (logins.length === 0) {
    if (left !== null) return [skipped(`the logins of the log were not judged: ${left}`)];
    return [skipped('there is no login in the log to judge')];
  }
  const needed = logins.filter(({ outcome }) => reasonOf(outcome) !== 'in mynetworks');
  const trusted = logins.length - needed.length;
  const refused = needed.filter(({ outcome }) => outcome.kind === 'ignored');
  const without = left === null ? '' : `; without account of what could not be read: ${left}`;
  const all = `of ${quantity(logins.length, 'login')} in the log`;
  const beside = trusted === 0 ? '' : `, ${trusted} need none (in mynetworks)`;
  if (refused.length === 0 || refused.length < needed.length) {
    const granted = needed.length - refused.length;
    const but = refused.length === 0 ? '' : `, ${refused.length} be refused: ${tally(refused)}`;
    return [ok(`${all} ${granted} would be granted${but}${beside}${without}`)];
  }
  const what = `${refused.length} ${all} would be refused: ${tally(refused)}${beside}${without}`;
  const [[first] = []] = tallied(refused);
  const cure = first === undefined || first === 'in mynetworks' ? '' : CURES[first];
  return [isOnPurpose(refused) ? warning(what, cure) : error(what, cure)];
}

/** Somebody who is refused by himself may well be meant; of a lone client nobody can tell. */
const isOnPurpose = (refused: readonly Rehearsed[]): boolean =>
  refused.every(({ outcome }) => {
    const reason = reasonOf(outcome);
    return reason !== null && BY_NAME.has(reason);
  }) ||
  (refused.every(({ outcome }) => reasonOf(outcome) === 'excluded') &&
    new Set(refused.map(({ login }) => login.ip)).size === 1);

const reasonOf = (outcome: Rehearsed['outcome']): IgnoreReason | null =>
  outcome.kind === 'ignored' ? outcome.reason : null;

/** The reasons with how often, the most frequent first. */
function tallied(refused: readonly Rehearsed[]): [IgnoreReason, number][] {
  const counts = new Map<IgnoreReason, number>();
  for (const { outcome } of refused) {
    const reason = reasonOf(outcome);
    if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one);
}

function tally(refused: readonly Rehearsed[]): string {
  const reasons = tallied(refused);
  const [[only] = []] = reasons;
  if (reasons.length === 1 && only !== undefined) return only;
  return reasons.map(([reason, number]) => `${reason} ${number}`).join(', ');
}
