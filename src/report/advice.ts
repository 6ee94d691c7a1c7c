/**
 * What is probably behind a login that is ignored, or over a limit, and what to do about it.
 *
 * Each such login has a line of its own as well (log-line.ts).
 * Promises: what has one cure, however many logins it concerns, is told once; of an address with too many users it is told as
 * often as the limit is.
 */
import type { IpText } from '../base/address.ts';
import type { Bar } from '../classifier/classifier.ts';
import type { Decision } from '../grant/decision.ts';
import type { LogLine } from './log-line.ts';

type Reason = Bar | 'too many users';

const CLIENTS =
  'let the POP3/IMAP server see the addresses of the clients (PROXY protocol; no userland proxy)';

const SHARED =
  'probably a proxy, a container or a port forward is in front of the POP3/IMAP server, and all clients come from there: ' +
  `${CLIENTS}; --allow-own-addresses grants it all the same`;

const ADVICE: Readonly<Record<Reason, (ip: IpText) => string>> = {
  'own address': ip => `${ip} is this machine's own address, and gets no grant: ${SHARED}`,
  gateway: ip => `${ip} is the default gateway of this machine, and gets no grant: ${SHARED}`,
  'opens other networks': ip =>
    `${ip} gets no grant: Postfix looks up the beginnings of an IPv6 address too, so its row would open other networks; ` +
    'let main.cf wrap the map so that whole addresses are looked up, and set whole-addresses ' +
    '(popbsmtp doctor and popbsmtp(8), "Whole addresses", say how)',
  'too many users': ip =>
    `${ip} is probably a proxy, a NAT or a port forward, and whoever is behind it may relay: ${CLIENTS}, ` +
    'exclude it (--exclude), or set --max-users-per-address',
};

export class Advice {
  readonly #told = new Set<Reason>();

  /** What to tell besides a decision; null for nothing, or for what has been told. */
  on(decision: Decision): LogLine | null {
    const found = occasionOf(decision);
    if (found === null || (decision.kind !== 'limit exceeded' && this.#told.has(found.reason)))
      return null;
    const { ip, reason } = found;
    this.#told.add(reason);
    return { level: 'warn', text: ADVICE[reason](ip), facts: { event: 'advice', reason, ip } };
  }
}

function occasionOf(decision: Decision): { readonly ip: IpText; readonly reason: Reason } | null {
  switch (decision.kind) {
    case 'login': {
      const { login, outcome } = decision;
      // What refuses a login over a limit is told with the limit.
      if (outcome.kind !== 'ignored' || outcome.reason === 'too many users') return null;
      return occasion(login.ip, outcome.reason);
    }
    case 'limit exceeded':
      return occasion(decision.login.ip, decision.reason);
    case 'withdrawn':
      return decision.reason === 'too many users'
        ? null
        : occasion(decision.grant.ip, decision.reason);
    default:
      return null;
  }
}

const occasion = (ip: IpText, reason: string): ReturnType<typeof occasionOf> =>
  isKnown(reason) ? { ip, reason } : null;

const isKnown = (reason: string): reason is Reason => Object.hasOwn(ADVICE, reason);
