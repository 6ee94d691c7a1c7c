/**
 * Decisions and notices as one line each, for the daemon's own log: a text for people, facts for programs.
 *
 * A contract: programs read both.  More events and more facts may come, these stay.
 */

import { formatDuration } from '../base/duration.ts';
import type { Decision, Holder, Outcome } from '../grant/decision.ts';
import { type Given, NEWS_TEXT } from '../grant/orders.ts';
import { formatCtime, formatStamp } from '../line/stamp.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { Notice } from '../source/source.ts';
import { isoTime } from './print.ts';

/** What a line tells, by names that stay the same; `event` says what has happened. */
export interface Facts {
  readonly event: string;
  readonly [name: string]: string | number | null;
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
  /** Left out where there is nothing but the text. */
  readonly facts?: Facts;
}

type Line = Pick<LogLine, 'level' | 'text'>;

const info = (text: string): Line => ({ level: 'info', text });
const warn = (text: string): Line => ({ level: 'warn', text });

/** Null for what happens too often to be told: refreshes, logouts, and grants that are kept. */
export function decisionLine(decision: Decision): LogLine | null {
  switch (decision.kind) {
    case 'login':
      return loginLine(decision);
    case 'purged':
      return endLine(decision, { event: 'purged' });
    case 'withdrawn':
      return endLine(decision, {
        event: 'withdrawn',
        reason: decision.reason,
        ...fromFact(decision.from),
      });
    case 'limit exceeded': {
      const { login, reason, most, action } = decision;
      const facts = { event: 'limit exceeded', ...factsOf(login), reason, most, action };
      return { ...warn(`${keyed(login, facts)} most=${most} action=${action}`), facts };
    }
    case 'allowed':
    case 'revoked':
    case 'lifted':
    case 'order bounded':
    case 'in force':
      return orderLine(decision);
    case 'evicted': {
      const { length } = decision.grants;
      const text = `there are more grants than --max-grants allows: ${length} have ended before their time`;
      return { ...warn(text), facts: { event: 'evicted', grants: length } };
    }
    case 'map failed': {
      const { line, seconds, overdue } = decision;
      const lasting =
        seconds === 0
          ? ''
          : `, for ${formatDuration(seconds)} now; ${overdue} rows still to be taken out`;
      const text = `${line}; what is to be written is kept${lasting}`;
      return { level: 'error', text, facts: { event: 'map failed', seconds, overdue } };
    }
    case 'map recovered': {
      const { changes } = decision;
      const text = `the map can be written again, ${changes} rows have been caught up`;
      return { ...info(text), facts: { event: 'map recovered', rows: changes } };
    }
    case 'logout':
    case 'kept':
      return null;
  }
}

function loginLine({ login, outcome, from }: Extract<Decision, { kind: 'login' }>): LogLine | null {
  if (outcome.kind === 'refreshed') return null;
  const facts = { ...factsOf(login), ...outcomeFacts(outcome), ...fromFact(from) };
  return { ...info(keyed(login, facts)), facts };
}

function outcomeFacts(outcome: Exclude<Outcome, { kind: 'refreshed' }>): Facts {
  if (outcome.kind === 'ignored') return { event: 'ignored', reason: outcome.reason };
  if (outcome.effect === 'foreign')
    return { event: 'left alone', reason: 'row of the administrator' };
  return { event: 'granted' };
}

/** The host of the fleet that has told us. */
const fromFact = (from: string | undefined): Readonly<Record<string, string>> =>
  from === undefined ? {} : { from };

const factsOf = ({ ip, user, server, time }: LoginEvent): Omit<Facts, 'event'> => ({
  ip,
  user,
  server,
  login: time === null ? null : isoTime(time),
});

/** More would be a line that nobody reads; `popbsmtp list --orders` shows all. */
const MOST_ORDERS = 20;

/** Null for an order about nobody. */
function orderLine(
  decision: Extract<
    Decision,
    { kind: 'allowed' | 'revoked' | 'lifted' | 'order bounded' | 'in force' }
  >,
): LogLine | null {
  switch (decision.kind) {
    case 'allowed': {
      const { order, from } = decision;
      const facts = { event: 'allowed', ...orderFacts([order]), ...giverFacts(from) };
      const text = `allowed ${subjectText(order)} ${untilText(order)}${giverText(from)}`;
      return { ...info(text), facts };
    }
    case 'revoked': {
      const { orders, grants, from } = decision;
      const [first] = orders;
      if (first === undefined) return null;
      const facts = {
        event: 'revoked',
        ...orderFacts(orders),
        grants: grants.length,
        ...giverFacts(from),
      };
      const subjects = orders.map(subjectText).join(' ');
      const text = `revoked ${subjects} ${untilText(first)} grants=${grants.length}${giverText(from)}`;
      return { ...info(text), facts };
    }
    case 'lifted': {
      const { orders, grants, from } = decision;
      const { ip, user } = orderFacts(orders);
      const facts = { event: 'lifted', ip, user, grants: grants.length, ...giverFacts(from) };
      const subjects = orders.map(subjectText).join(' ');
      return { ...info(`lifted ${subjects} grants=${grants.length}${giverText(from)}`), facts };
    }
    case 'order bounded': {
      const { what, order } = decision;
      const facts = { event: `order ${what}`, order: order.kind, ...orderFacts([order]) };
      return {
        ...warn(`${NEWS_TEXT[what]}: ${order.kind} ${subjectText(order)} ${untilText(order)}`),
        facts,
      };
    }
    case 'in force': {
      const { orders } = decision;
      return { ...info(inForceText(orders)), facts: { event: 'in force', orders: orders.length } };
    }
  }
}

/** The addresses between blanks, or the user, and when the orders end; they were given as one. */
function orderFacts(
  orders: readonly Given[],
): Readonly<Record<'ip' | 'user' | 'until', string | null>> {
  const [first] = orders;
  const ips = orders.flatMap(({ subject }) => (subject.kind === 'address' ? [subject.ip] : []));
  return {
    ip: ips.length === 0 ? null : ips.join(' '),
    user: first?.subject.kind === 'user' ? first.subject.user : null,
    until: first === undefined ? null : isoTime(Math.floor(first.until)),
  };
}

/** Who gave an order: the control socket of this host, or another host. */
const giverFacts = (from: string | undefined): Readonly<Record<string, string>> =>
  from === undefined ? { by: 'control' } : { by: 'fleet', from };

const giverText = (from: string | undefined): string =>
  from === undefined ? ' by=control' : ` by=fleet${fromText(from)}`;

/** A name of letters, digits, dots, dashes and underscores (fleet/entry.ts). */
const fromText = (from: Facts[string] | undefined): string =>
  from === undefined ? '' : ` from=${from}`;

function inForceText(orders: readonly Given[]): string {
  const shown = orders
    .slice(0, MOST_ORDERS)
    .map(order => `${order.kind} ${subjectText(order)} ${untilText(order)}`);
  const more = orders.length > MOST_ORDERS ? [`and ${orders.length - MOST_ORDERS} more`] : [];
  return `orders by hand in force: ${[...shown, ...more].join(', ')}`;
}

const subjectText = ({ subject }: Given): string =>
  subject.kind === 'address' ? `ip=${subject.ip}` : `user=${JSON.stringify(subject.user)}`;

const untilText = ({ until }: Given): string => `until="${formatStamp(until)}"`;

function keyed(login: LoginEvent, { event, reason, from }: Facts): string {
  const why = reason === undefined ? '' : ` reason="${reason}"`;
  return `${event} ip=${login.ip} ${holderText(login)}${why}${fromText(from)}`;
}

function endLine(
  { grant, holder }: Extract<Decision, { kind: 'purged' | 'withdrawn' }>,
  { event, ...more }: Facts,
): LogLine {
  const { ip, stamp } = grant;
  const { reason, from } = more;
  const whose = holder === undefined ? '' : ` ${holderText(holder)}`;
  const why = reason === undefined ? '' : ` reason="${reason}"`;
  const facts = {
    event,
    ip,
    user: holder?.user ?? null,
    server: holder?.server ?? null,
    login: isoTime(stamp),
    ...more,
  };
  const text = `${event} ip=${ip}${whose} login="${formatStamp(stamp)}"${why}${fromText(from)}`;
  return { ...info(text), facts };
}

/** User names are a stranger's text: quotes and control characters must not pass for ours. */
const holderText = ({ user, server }: Holder): string =>
  `user=${JSON.stringify(user ?? '')} server=${server ?? ''}`;

export function noticeLine(notice: Notice): LogLine {
  const facts = { event: 'source', source: notice.path, state: notice.kind };
  return { ...noticeText(notice), facts };
}

function noticeText(notice: Notice): Line {
  const { path } = notice;
  switch (notice.kind) {
    case 'opened':
      return info(`watching ${path}${path.startsWith('/') ? ` from byte ${notice.position}` : ''}`);
    case 'preferred': {
      const { over, isEmpty, modified, server, login } = notice;
      const state = isEmpty ? 'is empty' : `has not been written to since ${formatCtime(modified)}`;
      return warn(
        `watching the ${path}, since ${over} ${state} and the journal has a login by ${server} of ` +
          `${formatCtime(login)}; name a log with --watchlog to choose`,
      );
    }
    case 'ended':
      return info(`${path} has ended`);
    case 'connected':
      return info(`fleet: connected to ${path}`);
    case 'lost':
      return warn(
        `fleet: no connection to ${path}: ${notice.reason}; going on without it, trying again`,
      );
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
    case 'mounted':
      return warn(
        `${path} is mounted by itself (a bind mount), so what it is rotated to by renaming is never seen here: mount its directory instead`,
      );
    case 'polling':
      return warn(
        `the kernel does not report changes of ${path}: ${notice.reason}; polling instead`,
      );
    case 'untrusted':
      return warn(
        `${notice.count} entries of ${path} under the tag ${notice.tag} were not taken, the latest from uid ` +
          `${notice.uid ?? 'unknown'} by ${notice.transport ?? 'an unknown way'}: they are not the server's own words (patterns/README.md, [journal])`,
      );
    case 'unreadable':
      return warn(`${notice.count} entries of ${path} could not be read as a line`);
    case 'warned':
      return warn(`${path}: ${notice.text}`);
    case 'too long':
      return warn(`${path}: ${notice.count} lines of more than 8 KiB were skipped so far`);
  }
}
