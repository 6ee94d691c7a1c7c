/**
 * Decisions and notices as one line each, for the daemon's own log.
 */
import type { Order } from '../control/orders.ts';
import type { Decision } from '../decision.ts';
import { formatStamp } from '../line/stamp.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { Notice } from '../source/source.ts';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
}

const info = (text: string): LogLine => ({ level: 'info', text });
const warn = (text: string): LogLine => ({ level: 'warn', text });

/** Null for what happens too often to be told: refreshes, logouts, and grants that are kept. */
export function decisionLine(decision: Decision): LogLine | null {
  switch (decision.kind) {
    case 'login':
      return loginLine(decision);
    case 'purged':
      return info(`purged ip=${decision.grant.ip} login="${formatStamp(decision.grant.stamp)}"`);
    case 'allowed':
      return info(`allowed ${subjectText(decision.order)} ${untilText(decision.order)} by=control`);
    case 'revoked':
      return revokedLine(decision);
    case 'in force':
      return info(inForceText(decision.orders));
    case 'evicted':
      return warn(
        `there are more grants than --max-grants allows: ${decision.grants.length} have ended before their time`,
      );
    case 'map failed':
      return { level: 'error', text: `${decision.line}; what is to be written is kept` };
    case 'map recovered':
      return info(`the map can be written again, ${decision.changes} rows have been caught up`);
    case 'logout':
    case 'kept':
      return null;
  }
}

function loginLine({ login, outcome }: Extract<Decision, { kind: 'login' }>): LogLine | null {
  if (outcome.kind === 'refreshed') return null;
  const who = `ip=${login.ip} user=${quoted(login)} server=${login.server}`;
  if (outcome.kind === 'ignored') return info(`ignored ${who} reason="${outcome.reason}"`);
  if (outcome.effect === 'foreign')
    return info(`left alone ${who} reason="row of the administrator"`);
  return info(`granted ${who}`);
}

function revokedLine({ orders, grants }: Extract<Decision, { kind: 'revoked' }>): LogLine | null {
  const [first] = orders;
  if (first === undefined) return null;
  const subjects = orders.map(subjectText).join(' ');
  return info(`revoked ${subjects} ${untilText(first)} grants=${grants.length} by=control`);
}

/** More would be a line that nobody reads; `popbsmtp list --orders` shows all. */
const MOST_ORDERS = 20;

function inForceText(orders: readonly Order[]): string {
  const shown = orders
    .slice(0, MOST_ORDERS)
    .map(order => `${order.kind} ${subjectText(order)} ${untilText(order)}`);
  const more = orders.length > MOST_ORDERS ? [`and ${orders.length - MOST_ORDERS} more`] : [];
  return `orders by hand in force: ${[...shown, ...more].join(', ')}`;
}

const subjectText = ({ subject }: Order): string =>
  subject.kind === 'address' ? `ip=${subject.ip}` : `user=${JSON.stringify(subject.user)}`;

const untilText = ({ until }: Order): string => `until="${formatStamp(until)}"`;

/** User names are a stranger's text: quotes and control characters must not pass for ours. */
const quoted = ({ user }: LoginEvent): string => JSON.stringify(user ?? '');

export function noticeLine(notice: Notice): LogLine {
  const { path } = notice;
  switch (notice.kind) {
    case 'opened':
      return info(`watching ${path}${path.startsWith('/') ? ` from byte ${notice.position}` : ''}`);
    case 'ended':
      return info(`${path} has ended`);
    case 'missing':
      return warn(`${path} does not exist yet; waiting for it`);
    case 'rotated':
      return info(`${path} was rotated; going on with the new file`);
    case 'truncated':
      return notice.copy === null
        ? warn(`${path} was truncated; reading it from its beginning (no copy of it is there)`)
        : info(`${path} was truncated; going on with its copy ${notice.copy}, then with it`);
    case 'place lost':
      return warn(
        `where reading ${path} has to go on is in no file any more; starting at the grace period`,
      );
    case 'failed':
      return warn(`cannot read ${path}: ${notice.reason}; trying again`);
    case 'polling':
      return warn(
        `the kernel does not report changes of ${path}: ${notice.reason}; polling instead`,
      );
    case 'untrusted':
      return warn(
        `${notice.count} entries of ${path} under the tag ${notice.tag} were not taken, the latest from uid ` +
          `${notice.uid ?? 'unknown'}: they are not the server's own words (patterns/README.md, [journal])`,
      );
    case 'unreadable':
      return warn(`${notice.count} entries of ${path} could not be read as a line`);
    case 'warned':
      return warn(`${path}: ${notice.text}`);
    case 'too long':
      return warn(`${path}: ${notice.count} lines of more than 8 KiB were skipped so far`);
  }
}
