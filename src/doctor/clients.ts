/**
 * Whether the addresses that log in are those that send: something in front of the POP3/IMAP server that stands for all clients, an
 * address that many share, and a client that logs in over IPv6 and sends over IPv4, or the other way round.
 *
 * Promises: what the daemon's own rules would refuse or warn of in the last part of the logs is told, an address once.
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
import { ok, type Verdict, warning } from './finding.ts';
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
  const verdicts = [
    ...barVerdicts(rehearsal),
    ...crowdVerdicts(rehearsal),
    ...familyVerdicts(facts),
  ];
  if (verdicts.length > 0) return verdicts;
  const addresses = new Set(logins.map(({ ip }) => ip)).size;
  return [
    ok(
      `${quantity(addresses, 'address', 'addresses')} with logins; none that many share, none refused in another family`,
    ),
  ];
}

const SHOW_CLIENTS =
  'let the POP3/IMAP server see the addresses of the clients (PROXY protocol; no userland proxy)';

const BARS: ReadonlySet<string> = new Set<Bar>(['own address', 'gateway', 'opens other networks']);
const isBar = (reason: string): reason is Bar => BARS.has(reason);

/** Addresses that are no client's, or whose row would be more than theirs. */
function barVerdicts({ logins }: Rehearsal): Verdict[] {
  const barred = new Map<IpText, { readonly bar: Bar; number: number }>();
  for (const { login, outcome } of logins) {
    if (outcome.kind !== 'ignored' || !isBar(outcome.reason)) continue;
    const known = barred.get(login.ip);
    if (known === undefined) barred.set(login.ip, { bar: outcome.reason, number: 1 });
    else known.number++;
  }
  return [...barred].map(([ip, { bar, number }]) => barVerdict(ip, bar, quantity(number, 'login')));
}

function barVerdict(ip: IpText, bar: Bar, logins: string): Verdict {
  switch (bar) {
    case 'own address':
    case 'gateway': {
      const what =
        bar === 'gateway' ? 'the default gateway of this machine' : "this machine's own address";
      return warning(
        `${logins} came from ${ip}, ${what}, and got no grant`,
        `if clients come from there, a proxy, a container or a port forward is in front of the POP3/IMAP server: ${SHOW_CLIENTS}; allow-own-addresses grants it all the same`,
      );
    }
    case 'opens other networks':
      return warning(
        `${logins} came from ${ip} and got no grant: Postfix would find its row for other networks too`,
        'wrap the map in main.cf and set whole-addresses (popbsmtp(8), "Whole addresses")',
      );
  }
}

function crowdVerdicts({ crowded, logins }: Rehearsal): Verdict[] {
  const addresses = new Set(crowded.map(({ ip }) => ip));
  return [...addresses].slice(0, MOST_NAMED).map(ip => {
    const users = new Set(
      logins.flatMap(({ login }) => (login.ip === ip && login.user !== null ? [login.user] : [])),
    );
    return warning(
      `${users.size} users logged in from ${ip}: a proxy or the outside of a NAT, behind which whoever has not logged in may relay as well`,
      `${SHOW_CLIENTS}, or refuse such addresses: max-users-per-address with limit-action = "refuse", or exclude`,
    );
  });
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
