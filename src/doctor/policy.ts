/**
 * What networks, orders, policy and limits make of the logins in the log: whether anybody who logs in is granted anything.
 *
 * Leaves to others: what the rules have against an address itself, which is counted here and told of in clients.ts.
 */

import { quantity } from '../base/quantity.ts';
import type { Rehearsal, Rehearsed } from '../daemon/rehearsal.ts';
import type { IgnoreReason } from '../grant/decision.ts';
import { check } from './check.ts';
import { type AddressReason, isAddressReason } from './clients.ts';
import { error, ok, skipped, type Verdict, warning } from './finding.ts';

export const policyCheck = check('policy', ({ rehearsal }) => rehearsal(), judgePolicy);

/** What is told of here. */
type Reason = Exclude<IgnoreReason, 'in mynetworks' | AddressReason>;

const CURES: Readonly<Record<Reason, string>> = {
  excluded: 'take what is too wide out of exclude',
  'not encrypted':
    'take require-tls away, or let clients log in with TLS; some servers never log it, which popbsmtp explain tells',
  'user not allowed': 'look at allow-users and deny-users: they hold names as the log has them',
  'too many addresses': 'look at max-addresses-per-user',
  'too many messages': 'look at max-messages-per-grant',
  'too many recipients': 'look at max-recipients-per-grant and max-recipients-per-hour',
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
  const [first] = tallied(refused).flatMap(([reason]) => (isToldHere(reason) ? [reason] : []));
  if (refused.length < needed.length || first === undefined) {
    const granted = needed.length - refused.length;
    const but = refused.length === 0 ? '' : `, ${refused.length} be refused: ${tally(refused)}`;
    return [ok(`${all} ${granted} would be granted${but}${beside}${without}`)];
  }
  const what = `${refused.length} ${all} would be refused: ${tally(refused)}${beside}${without}`;
  return [(isOnPurpose(refused) ? warning : error)(what, CURES[first])];
}

const isToldHere = (reason: IgnoreReason): reason is Reason =>
  reason !== 'in mynetworks' && !isAddressReason(reason);

/** Somebody has named those very clients; of a lone client that is excluded nobody can tell. */
function isOnPurpose(refused: readonly Rehearsed[]): boolean {
  const here = refused.flatMap(({ login, outcome }) => {
    const reason = reasonOf(outcome);
    return reason !== null && isToldHere(reason) ? [{ ip: login.ip, reason }] : [];
  });
  if (here.every(({ reason }) => reason === 'revoked')) return true;
  return (
    here.every(({ reason }) => reason === 'excluded') &&
    new Set(here.map(({ ip }) => ip)).size === 1
  );
}

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
