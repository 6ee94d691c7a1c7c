/**
 * Whether the addresses that log in are those that send: something in front of the POP3/IMAP server that stands for all clients, an
 * address that many share, and a client that logs in over IPv6 and sends over IPv4, or the other way round.
 *
 * Promises: what the daemon's own rules have against an address itself, in the last part of the logs, is told here and nowhere else,
 * an address once.
 * Leaves to others: whether the rules can be read (configuration.ts, trusted-networks.ts), and what they make of all logins (policy.ts).
 * Known limits: which user a refused client is, is told by the sender that it gave and by earlier logins from its address; the sender
 * may be somebody else's name.
 */
import { isIPv6 } from 'node:net';
import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import { quantity } from '../base/quantity.ts';
import type { Bar } from '../classifier/classifier.ts';
import type { Rehearsal } from '../daemon/rehearsal.ts';
import type { Grace } from '../grant/grace.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import { check } from './check.ts';
import { error, ok, type Verdict, warning } from './finding.ts';
import { loginsIn, refusalsOf } from './log-state.ts';
import type { TimedRefusal } from './log-tail.ts';

export interface ClientFacts {
  readonly logins: readonly LoginEvent[];
  readonly refusals: readonly TimedRefusal[];
  readonly rehearsal: Rehearsal;
  readonly grace: Pick<Grace, 'of'>;
}

export const clientsCheck = check(
  'clients',
  async ({ settings, logs, rehearsal }): Promise<ClientFacts> => {
    const { logs: states } = await logs();
    return {
      logins: loginsIn(states),
      refusals: refusalsOf(states),
      rehearsal: await rehearsal(),
      grace: settings.grace,
    };
  },
  judgeClients,
);

const MOST_NAMED = 3;

export function judgeClients(facts: ClientFacts): Verdict[] {
  const { logins, rehearsal } = facts;
  if (logins.length === 0) return [];
  const verdicts = [...addressVerdicts(rehearsal), ...familyVerdicts(facts)];
  if (verdicts.length > 0) return verdicts;
  const addresses = new Set(logins.map(({ ip }) => ip)).size;
  return [
    ok(
      `${quantity(addresses, 'address', 'addresses')} with logins; none that many share, none that Postfix refused in the other family`,
    ),
  ];
}

const SHOW_CLIENTS =
  'let the POP3/IMAP server see the addresses of the clients (PROXY protocol; no userland proxy)';

/** What the rules have against an address itself, whoever logs in from it. */
export type AddressReason = Bar | 'too many users';

const REASONS: ReadonlySet<string> = new Set<AddressReason>([
  'own address',
  'gateway',
  'opens other networks',
  'too many users',
]);
export const isAddressReason = (reason: string): reason is AddressReason => REASONS.has(reason);

/** Addresses that are no client's, that many share, or whose row would be more than theirs. */
function addressVerdicts(rehearsal: Rehearsal): Verdict[] {
  const refused = new Map<IpText, { readonly reason: AddressReason; number: number }>();
  for (const { login, outcome } of rehearsal.logins) {
    if (outcome.kind !== 'ignored' || !isAddressReason(outcome.reason)) continue;
    const known = refused.get(login.ip);
    if (known === undefined) refused.set(login.ip, { reason: outcome.reason, number: 1 });
    else known.number++;
  }
  const crowded = new Set(rehearsal.crowded.map(({ ip }) => ip));
  return [
    ...mostOf([...refused], ([ip, { reason, number }]) =>
      refusedVerdict(ip, reason, number, rehearsal),
    ),
    ...mostOf([...crowded], ip =>
      warning(
        `${usersOf(ip, rehearsal)} logged in from ${ip}: ${CROWD}, behind which whoever has not logged in may relay as well`,
        `${SHOW_CLIENTS}, or refuse such addresses: max-users-per-address with limit-action = "refuse", or exclude`,
      ),
    ),
  ];
}

/** The first few, of which the last says how many there are besides. */
function mostOf<T>(found: readonly T[], verdictOf: (each: T) => Verdict): Verdict[] {
  const more = found.length - MOST_NAMED;
  const verdicts = found.slice(0, MOST_NAMED).map(verdictOf);
  const last = verdicts.at(-1);
  if (last === undefined || more <= 0) return verdicts;
  const besides = `(and ${more} more ${more === 1 ? 'address' : 'addresses'} likewise)`;
  return [...verdicts.slice(0, -1), { ...last, what: `${last.what} ${besides}` }];
}

const CROWD = 'a proxy or the outside of a NAT';

function usersOf(ip: IpText, { logins }: Rehearsal): string {
  const users = new Set(
    logins.flatMap(({ login }) => (login.ip === ip && login.user !== null ? [login.user] : [])),
  );
  return quantity(users.size, 'user');
}

function refusedVerdict(
  ip: IpText,
  reason: AddressReason,
  number: number,
  rehearsal: Rehearsal,
): Verdict {
  const came = `${quantity(number, 'login')} came from ${ip}`;
  switch (reason) {
    case 'own address':
    case 'gateway': {
      const what =
        reason === 'gateway' ? 'the default gateway of this machine' : "this machine's own address";
      return warning(
        `${came}, ${what}, and got no grant`,
        `if clients come from there, a proxy, a container or a port forward is in front of the POP3/IMAP server: ${SHOW_CLIENTS}; allow-own-addresses grants it all the same`,
      );
    }
    case 'opens other networks': {
      const isAnyGranted = rehearsal.logins.some(({ outcome }) => outcome.kind !== 'ignored');
      return (isAnyGranted ? warning : error)(
        `${came} and got no grant: Postfix would find its row for other networks too`,
        'wrap the map in main.cf and set whole-addresses (popbsmtp(8), "Whole addresses")',
      );
    }
    case 'too many users':
      return warning(
        `${usersOf(ip, rehearsal)} logged in from ${ip}, more than max-users-per-address allows, and ${number} of their logins got no grant: ${CROWD}`,
        `${SHOW_CLIENTS}, or raise max-users-per-address`,
      );
  }
}

/** Seconds by which a log's lines may be out of order. */
const SLACK = 60;

interface Split {
  readonly login: LoginEvent;
  readonly refusal: TimedRefusal;
}

function familyVerdicts(facts: ClientFacts): Verdict[] {
  const splits = new Map<string, Split>();
  for (const refusal of facts.refusals) {
    const login = otherWayIn(refusal, facts);
    if (login !== null) splits.set(`${login.user} ${refusal.ip}`, { login, refusal });
  }
  return [...splits.values()]
    .slice(-MOST_NAMED)
    .map(({ login, refusal }) =>
      warning(
        `${login.user ?? 'somebody'} logged in from ${login.ip} and was refused at ${refusal.ip}: ${familyOf(login.ip)} there and ${familyOf(refusal.ip)} here are two addresses, and a login opens the relay for its own only`,
        'let mail clients reach both servers in the same family (no AAAA record for one name and an A record alone for the other), or use SMTP AUTH',
      ),
    );
}

const familyOf = (ip: string): string => (isIPv6(ip) ? 'IPv6' : 'IPv4');

/** The login of the same user over the other family that was in force when a client was refused; null without one. */
function otherWayIn(
  { ip, sender, time }: TimedRefusal,
  { logins, grace }: ClientFacts,
): LoginEvent | null {
  const inForce = logins.filter(login => isAlive(login, time, grace));
  if (inForce.some(login => login.ip === ip)) return null;
  const users = new Set(
    logins.flatMap(login =>
      login.ip === ip && login.user !== null ? [login.user.toLowerCase()] : [],
    ),
  );
  const found = inForce.filter(
    ({ user, ip: from }) =>
      user !== null &&
      isIPv6(from) !== isIPv6(ip) &&
      (users.has(user.toLowerCase()) || isName(sender, user)),
  );
  return found.at(-1) ?? null;
}

const isAlive = (
  { time: login, ip }: LoginEvent,
  time: EpochSeconds,
  grace: ClientFacts['grace'],
): boolean => login !== null && login <= time + SLACK && time < login + grace.of(ip);

/** Whether a sender is the user: the whole name, or where one of them has no domain, what stands before it. */
function isName(sender: string, user: string): boolean {
  const [one, other] = [sender.toLowerCase(), user.toLowerCase()];
  if (one === other) return one !== '';
  if (one.includes('@') && other.includes('@')) return false;
  return localOf(one) === localOf(other) && localOf(one) !== '';
}

const localOf = (name: string): string =>
  name.slice(0, name.includes('@') ? name.lastIndexOf('@') : undefined);
