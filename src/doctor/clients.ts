/**
 * Whether logins come from the clients, or from something in front of the POP3/IMAP server for which all clients stand.
 *
 * Promises: judged by the daemon's own rules, on the clock of the log: what they would refuse or warn of in the last part of
 * each log is told, an address once.
 * Leaves to others: whether the rules can be read (configuration.ts, trusted-networks.ts); where they cannot, nothing is told.
 */

import type { IpText } from '../base/address.ts';
import { logClock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import type { Bar } from '../classifier/classifier.ts';
import { deciderFor, UNBOUNDED } from '../daemon/core.ts';
import { rulesOrEmpty } from '../daemon/preview.ts';
import { Batch } from '../grant/batch.ts';
import type { DecisionRules } from '../grant/decider.ts';
import type { Decision } from '../grant/decision.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import { check, type Subject } from './check.ts';
import { type Verdict, warning } from './finding.ts';

/** What the rules have against an address. */
export type Objection =
  | { readonly reason: Bar; readonly logins: number }
  /** More than so many users of it within a grace period. */
  | { readonly reason: 'too many users'; readonly most: number };

export type ClientFacts = ReadonlyMap<IpText, Objection>;

export const clientsCheck = check('clients', gather, judgeClients);

const CLIENTS =
  'let the POP3/IMAP server see the addresses of the clients (PROXY protocol; no userland proxy)';

async function gather(subject: Subject): Promise<ClientFacts> {
  const logs = (await subject.logs()).filter(log => log.kind === 'read');
  try {
    const { rules } = await rulesOrEmpty(subject.settings, () => undefined);
    const found = await Promise.all(logs.map(({ tail }) => objectionsTo(tail.events, rules)));
    return new Map(found.flatMap(each => [...each]));
  } catch (problem) {
    if (problem instanceof Failure) return new Map();
    throw problem;
  }
}

/** @param logins of one log, in its order */
export async function objectionsTo(
  logins: readonly LoginEvent[],
  rules: DecisionRules,
): Promise<ClientFacts> {
  const found = new Map<IpText, Objection>();
  const decider = deciderFor(rules, UNBOUNDED);
  const clock = logClock();
  await rules.classifier.prepare(logins.map(({ ip }) => ip));
  for (const login of logins) {
    const batch = new Batch();
    decider.admit(login, {}, clock.now(login.time ?? undefined), batch);
    for (const decision of batch.decisions([])) note(decision, found);
  }
  return found;
}

function note(decision: Decision, found: Map<IpText, Objection>): void {
  if (decision.kind === 'limit exceeded' && decision.reason === 'too many users') {
    const { most, login } = decision;
    found.set(login.ip, { reason: decision.reason, most });
  }
  if (decision.kind !== 'login' || decision.outcome.kind !== 'ignored') return;
  const { ip } = decision.login;
  const { reason } = decision.outcome;
  const known = found.get(ip);
  const logins = known !== undefined && 'logins' in known ? known.logins + 1 : 1;
  if (isBar(reason)) found.set(ip, { reason, logins });
}

const BARS: ReadonlySet<string> = new Set<Bar>(['own address', 'gateway', 'opens other networks']);
const isBar = (reason: string): reason is Bar => BARS.has(reason);

export function judgeClients(found: ClientFacts): Verdict[] {
  return [...found].map(([ip, objection]) => verdictOf(ip, objection));
}

function verdictOf(ip: IpText, objection: Objection): Verdict {
  switch (objection.reason) {
    case 'too many users':
      return warning(
        `more than ${quantity(objection.most, 'user')} logged in from ${ip} within a grace period: probably a proxy, a NAT or a port forward, and whoever is behind it may relay`,
        `${CLIENTS}, exclude it (exclude), or set max-users-per-address`,
      );
    case 'own address':
    case 'gateway': {
      const what =
        objection.reason === 'gateway'
          ? 'the default gateway of this machine'
          : "this machine's own address";
      return warning(
        `${quantity(objection.logins, 'login')} came from ${ip}, ${what}, and got no grant`,
        `if clients come from there, a proxy, a container or a port forward is in front of the POP3/IMAP server: ${CLIENTS}; allow-own-addresses grants it all the same`,
      );
    }
    case 'opens other networks':
      return warning(
        `${quantity(objection.logins, 'login')} came from ${ip} and got no grant: Postfix would find its row for other networks too`,
        'wrap the map in main.cf and set whole-addresses (popbsmtp(8), "Whole addresses")',
      );
  }
}
