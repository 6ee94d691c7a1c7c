/**
 * Which decisions of this host the others hear of, and how.
 *
 * Promises: what came from another host is not told again, so that no entry goes in a circle; nothing is told of an address
 * that has no grant here, so that the end of a session opens nothing elsewhere.
 * Not told: grants that end in time, which every host ends by itself, evictions, which are this host's own want of
 * room, and withdrawals by its networks, which each host has of its own.
 */
import type { IpText } from '../base/address.ts';
import { epoch } from '../base/clock.ts';
import type { Decision } from '../grant/decision.ts';
import type { Grant } from '../grant/grant-table.ts';
import { isLimitReason } from '../grant/limits.ts';
import type { Entry as Who } from '../grant/roster.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { Entry, PresenceEntry } from './entry.ts';

/** What the daemon knows of its grants. */
export interface Known {
  isGranted(ip: IpText): boolean;
  /** Null when it is not known. */
  who(ip: IpText): Who | null;
}

export function entriesOf(decision: Decision, known: Known): readonly Entry[] {
  switch (decision.kind) {
    case 'login': {
      const { login, outcome, from } = decision;
      return from !== undefined || outcome.kind === 'ignored' ? [] : loginEntries(login);
    }
    case 'logout': {
      const { logout, ip } = decision;
      if (ip === null || logout.time === null || logout.torn !== undefined) return [];
      return sessionEntries({ ip, stamp: epoch(Math.floor(logout.time)) }, known);
    }
    case 'kept':
      return decision.from === undefined ? sessionEntries(decision.grant, known) : [];
    case 'withdrawn':
      return decision.from === undefined ? withdrawalEntries(decision) : [];
    case 'allowed':
      return decision.from === undefined ? [{ kind: 'order', order: decision.order }] : [];
    case 'revoked':
    case 'lifted':
      if (decision.from !== undefined) return [];
      return decision.orders.map(order => ({ kind: 'order', order }));
    case 'limit exceeded':
    case 'purged':
    case 'evicted':
    case 'in force':
    case 'identified':
    case 'probed':
    case 'order bounded':
    case 'map failed':
    case 'map recovered':
      return [];
    default:
      // A new kind has to say here what the others hear of it.
      return decision satisfies never;
  }
}

/** Of a grant that this host's own logins have made, as it is now; none when it is another host's, or nobody's. */
export function sessionEntries({ ip, stamp }: Grant, known: Known): readonly PresenceEntry[] {
  const who = known.isGranted(ip) ? known.who(ip) : null;
  if (who === null || who.server === null || who.from !== null) return [];
  const { server, user, tls } = who;
  return [{ kind: 'session', ip, time: stamp, server, user, tls }];
}

/** None of a withdrawal by this host's networks. */
function withdrawalEntries({
  grant,
  reason,
}: Extract<Decision, { kind: 'withdrawn' }>): readonly Entry[] {
  if (!isLimitReason(reason)) return [];
  return [{ kind: 'withdrawn', ip: grant.ip, time: grant.stamp, reason }];
}

function loginEntries({ ip, time, server, user, tls }: LoginEvent): readonly PresenceEntry[] {
  if (time === null) return [];
  return [{ kind: 'login', ip, time: epoch(Math.floor(time)), server, user, tls }];
}
