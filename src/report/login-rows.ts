/** What there is to say of what the servers' logs tell: logins, logouts, and limits that a login is over. */
import type { Effect } from '../grant/change.ts';
import type { Holder, Outcome } from '../grant/decision.ts';
import { formatStamp } from '../line/stamp.ts';
import type { LoginEvent, ServerEvent } from '../recogniser/event.ts';
import { none, type Rows } from './decision-row.ts';
import { type Facts, warn } from './log-line.ts';
import { isoTime } from './print.ts';
import type { ShowUser } from './user-names.ts';

export const LOGIN_ROWS = {
  login: {
    line({ login, outcome, from }) {
      if (outcome.kind === 'refreshed') return null;
      const facts = admissionFacts(login, outcome, from);
      return { level: 'info', text: keyed(login, facts), facts };
    },
    debug: ({ login, outcome, from }, dryRun) => [
      readLine(login, from),
      ...outcomeLines(outcome, dryRun).map(text => `    ${text}`),
    ],
    json({ login, outcome }) {
      const { event, server, ip, user, time } = login;
      const { kind } = outcome;
      const reason = kind === 'ignored' ? outcome.reason : null;
      return { event, outcome: kind, reason, server, ip, user, time: time && isoTime(time) };
    },
    withUsers: (decision, show) => ({ ...decision, login: withUser(decision.login, show) }),
    audited: false,
  },
  logout: {
    line: none,
    // A session that was not known to be open is no news.
    debug: ({ logout, ip }) => (ip === null ? [] : [`logout ts=${stampOf(logout)} ip=${ip}`]),
    json({ logout: { event, server, ip, user, time } }) {
      return { event, server, ip, user, time: time && isoTime(time) };
    },
    withUsers: (decision, show) => ({ ...decision, logout: withUser(decision.logout, show) }),
    audited: false,
  },
  'limit exceeded': {
    line({ login, reason, most, action }) {
      const facts = { event: 'limit exceeded', ...factsOf(login), reason, most, action };
      return { ...warn(`${keyed(login, facts)} most=${most} action=${action}`), facts };
    },
    debug: ({ login, reason }) => [`over the limit ip=${login.ip} --- ${reason}`],
    json({ login: { server, ip, user, time }, reason, most, action }) {
      const stamp = time && isoTime(time);
      return { event: 'limit exceeded', reason, most, action, server, ip, user, time: stamp };
    },
    withUsers: (decision, show) => ({ ...decision, login: withUser(decision.login, show) }),
    audited: false,
  },
} satisfies Partial<Rows>;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const withUser = <E extends ServerEvent>(event: E, show: ShowUser): E => ({
  ...event,
  user: show(event.user),
});

/** Spelt out, as it is done for each login: what a spread makes takes V8 (Node 20) a hundred times as long. */
function admissionFacts(
  { ip, user, server, time }: LoginEvent,
  outcome: Exclude<Outcome, { kind: 'refreshed' }>,
  from: string | undefined,
): Facts {
  const { event, reason } = outcomeFacts(outcome);
  const login = time === null ? null : isoTime(time);
  const facts: Writable<Facts> = { ip, user, server, login, event };
  if (reason !== undefined) facts['reason'] = reason;
  if (from !== undefined) facts['from'] = from;
  return facts;
}

function outcomeFacts(outcome: Exclude<Outcome, { kind: 'refreshed' }>): Facts {
  if (outcome.kind === 'ignored') return { event: 'ignored', reason: outcome.reason };
  if (outcome.effect === 'foreign')
    return { event: 'left alone', reason: 'row of the administrator' };
  return { event: 'granted' };
}

const factsOf = ({ ip, user, server, time }: LoginEvent): Omit<Facts, 'event'> => ({
  ip,
  user,
  server,
  login: time === null ? null : isoTime(time),
});

function keyed(login: LoginEvent, { event, reason, from }: Facts): string {
  const why = reason === undefined ? '' : ` reason="${reason}"`;
  return `${event} ip=${login.ip} ${holderText(login)}${why}${fromText(from)}`;
}

/** User names are a stranger's text: quotes and control characters must not pass for ours. */
export const holderText = ({ user, server }: Holder): string =>
  `user=${JSON.stringify(user ?? '')} server=${server ?? ''}`;

/** The host of the fleet that has told us. */
export const fromFact = (from: string | undefined): Readonly<Record<string, string>> =>
  from === undefined ? {} : { from };

/** A name of letters, digits, dots, dashes and underscores (fleet/entry.ts). */
export const fromText = (from: Facts[string] | undefined): string =>
  from === undefined ? '' : ` from=${from}`;

const stampOf = ({ time }: ServerEvent): string => (time === null ? 'unknown' : formatStamp(time));

/** What another host has told was not read here. */
function readLine(login: LoginEvent, from: string | undefined): string {
  const what = `ts=${stampOf(login)} ip=${login.ip}`;
  return from === undefined ? `read ${what}` : `received ${what}${fromText(from)}`;
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
