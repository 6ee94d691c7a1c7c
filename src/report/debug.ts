/**
 * Decisions in the wording that administrators know from the historical daemon: what `--debug` prints.
 *
 * A contract: programs read these lines.  More kinds of lines may come, these stay.
 */
import type { IpText } from '../base/address.ts';
import type { Effect } from '../grant/change.ts';
import type { Decision, Outcome } from '../grant/decision.ts';
import { formatCtime, formatStamp } from '../line/stamp.ts';
import type { LoginEvent, LogoutEvent } from '../recogniser/event.ts';

/**
 * The lines for a decision, without line ends; none for one that is told elsewhere.
 *
 * @param dryRun nothing is written, and so nothing may claim to be
 */
export function debugLines(decision: Decision, dryRun: boolean): string[] {
  switch (decision.kind) {
    case 'login':
      return [
        readLine(decision.login, decision.from),
        ...outcomeLines(decision.outcome, dryRun).map(text => `    ${text}`),
      ];
    case 'purged':
      return [`purging ts=${formatCtime(decision.grant.stamp)} ip=${decision.grant.ip}`];
    case 'withdrawn':
      return [
        `purging ts=${formatCtime(decision.grant.stamp)} ip=${decision.grant.ip}`,
        `    withdrawn --- ${decision.reason}`,
      ];
    case 'kept':
      return [`keeping ts=${formatCtime(decision.grant.stamp)} ip=${decision.grant.ip}`];
    case 'evicted':
      return decision.grants.map(({ ip }) => `evicting ip=${ip}`);
    case 'allowed':
      return [`allowing ip=${decision.order.subject.ip}`];
    case 'revoked':
    case 'lifted':
      return decision.grants.map(({ ip }) => `revoking ip=${ip}`);
    case 'logout':
      return logoutLines(decision.logout, decision.ip);
    case 'limit exceeded':
      return [`over the limit ip=${decision.login.ip} --- ${decision.reason}`];
    case 'in force':
    case 'order bounded':
    case 'map failed':
    case 'map recovered':
      return [];
  }
}

/** What another host has told was not read here. */
function readLine({ time, ip }: LoginEvent, from: string | undefined): string {
  const what = `ts=${time === null ? 'unknown' : formatStamp(time)} ip=${ip}`;
  return from === undefined ? `read ${what}` : `received ${what} from=${from}`;
}

/** A session that was not known to be open is no news. */
function logoutLines({ time }: LogoutEvent, ip: IpText | null): string[] {
  if (ip === null) return [];
  return [`logout ts=${time === null ? 'unknown' : formatStamp(time)} ip=${ip}`];
}

function outcomeLines(outcome: Outcome, dryRun: boolean): string[] {
  if (outcome.kind === 'ignored') return [`ignored --- ${outcome.reason}`];
  const { kind, effect } = outcome;
  if (effect === 'foreign') return ['left alone --- a row of the administrator'];
  if (kind === 'refreshed') return effect === 'added' ? [writtenLine(effect, dryRun)] : [];
  return ['accepted --- not in mynetworks', writtenLine(effect, dryRun)];
}

function writtenLine(effect: Effect | null, dryRun: boolean): string {
  if (dryRun) return 'not written --- dry run';
  return effect === null ? 'not written --- tried again later' : 'written ok';
}
