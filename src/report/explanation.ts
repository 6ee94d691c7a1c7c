/**
 * Explanations as text for people and as JSON for programs.
 *
 * Whatever a log line holds is shown as an excerpt (recogniser/excerpt.ts), so that it cannot command the terminal.
 */

import { formatDuration } from '../base/duration.ts';
import { excerpt } from '../base/excerpt.ts';
import type { Preview } from '../daemon/preview.ts';
import { formatCtime } from '../line/stamp.ts';
import type { LoginEvent, ServerEvent } from '../recogniser/event.ts';
import type { Attempt, Explanation, Outcome } from '../recogniser/explain.ts';
import { isLoginLike } from '../recogniser/login-like.ts';
import type { Stray } from '../recogniser/stray.ts';
import { strayText } from '../recogniser/stray-watch.ts';
import { isoTime } from './print.ts';
import { refusalObject, refusalRows, type Standing } from './refusal-rows.ts';

/** Beyond these, the ways on are variations of what stands there already. */
const MOST_EXPECTED = 6;

type Row = readonly [label: string, text: string];

/**
 * @param prospect what would come of a login; null for other lines, here and below
 * @param standing what is known where Postfix has refused somebody
 */
export function explanationText(
  explanation: Explanation,
  prospect: Preview | null,
  standing: Standing | null = null,
): string {
  const { line, attempts } = explanation;
  const rows: Row[] = [
    ['time', line.time === null ? '-' : formatCtime(line.time)],
    ['host', shown(line.host)],
    ['program', shown(line.program)],
    ['pid', shown(line.pid)],
    ['message', excerpt(line.message)],
    ['tried', attempts.length === 0 ? 'no pattern' : attempts.map(nameOf).join(', ')],
    ...(standing === null ? outcomeRows(explanation) : refusalRows(standing)),
    ...(prospect === null ? [] : prospectRows(prospect)),
  ];
  return rows.map(([label, text]) => `${label.padEnd(11)}${text}\n`).join('');
}

const shown = (text: string | null): string => (text === null ? '-' : excerpt(text));

/** So that blanks at the ends are seen. */
const quoted = (bytes: string): string => `"${excerpt(bytes)}"`;

const nameOf = ({ pattern: { server, event, name } }: Attempt): string =>
  `${server} ${event} "${name}"`;

const withFile = (attempt: Attempt): string => `${nameOf(attempt)} in ${attempt.file.path}`;

function outcomeRows({ line, outcome }: Explanation): Row[] {
  switch (outcome.kind) {
    case 'event':
      return [
        ['result', eventText(outcome.event)],
        ['by', withFile(outcome.by)],
        ...(outcome.event.event === 'login' ? [encryptedRow(outcome.event, outcome.by)] : []),
      ];
    case 'connect':
    case 'failure':
    case 'obstacle':
      return [
        ['result', `no login: ${reasonOf(outcome)}`],
        ['by', withFile(outcome.by)],
      ];
    case 'not described':
      return [
        ['result', `no login: ${reasonOf(outcome)}`],
        ...(outcome.nearest === null ? [] : nearestRows(outcome.nearest, line.message)),
        ...hintRows(line.message),
      ];
    case 'no program':
    case 'unknown program':
      return [['result', `no login: ${reasonOf(outcome)}`], ...strayRows(outcome.stray)];
    case 'torn':
      return [['result', `no login: ${reasonOf(outcome)}`]];
  }
}

function strayRows(stray: Stray | null): Row[] {
  if (stray === null) return [];
  const { what, cure } = strayText(stray);
  return [['hint', `lines ${what}; ${cure}`]];
}

/** Whether a line that is none looks like a login. */
function isLike({ line, outcome }: Explanation): boolean {
  if (outcome.kind === 'not described') return isLoginLike(line.message);
  return 'stray' in outcome && outcome.stray !== null && outcome.stray.kind !== 'dropped';
}

/** Whether the line tells that the connection was encrypted. */
const encryptedRow = ({ tls }: LoginEvent, { pattern }: Attempt): Row => [
  'encrypted',
  tls === null ? untold(pattern) : tls ? 'yes' : 'no',
];

const untold = ({ groups }: Attempt['pattern']): string =>
  groups.includes('tls')
    ? 'not known: the line speaks of TLS, but not where it is known to'
    : 'the lines of this server do not tell';

function eventText({ event, server, ip, user }: ServerEvent): string {
  return `${event} ip=${ip ?? '-'} user=${JSON.stringify(user ?? '')} server=${server}`;
}

function reasonOf(outcome: Exclude<Outcome, { kind: 'event' }>): string {
  switch (outcome.kind) {
    case 'no program':
      return 'its beginning is not understood, so no program is known to have written it';
    case 'unknown program':
      return 'no pattern file names this program';
    case 'torn':
      return 'it may be a piece of a longer line that the server has torn apart, with a text that anybody may have sent';
    case 'connect':
      return 'it tells the address of a client, which a later line of this process may tell to have logged in';
    case 'failure':
      return 'it tells that a login has failed';
    case 'obstacle':
      return obstacleText(outcome);
    case 'not described':
      return outcome.nearest === null
        ? "no pattern of this program describes even the message's first character"
        : 'no pattern of this program describes the whole message';
  }
}

function obstacleText({ obstacle, by }: Extract<Outcome, { kind: 'obstacle' }>): string {
  switch (obstacle) {
    case 'too long':
      return `the message is longer than the ${by.pattern.maxLength} bytes that a line of this server may have`;
    case 'no address':
      return 'what stands in the place of the address is none';
    case 'no connection':
      return 'it tells no address, and no line of the same host, program and pid before it has told one';
  }
}

function nearestRows(nearest: Attempt, message: string): Row[] {
  const { reached, expected } = nearest;
  const more = expected.length > MOST_EXPECTED ? [`${expected.length - MOST_EXPECTED} more`] : [];
  const ways = [...expected.slice(0, MOST_EXPECTED), ...more].map(way => excerpt(way));
  return [
    ['nearest', withFile(nearest)],
    ['matched', quoted(message.slice(0, reached))],
    ['then came', reached === message.length ? 'the end' : quoted(message.slice(reached))],
    ['expected', ways.join(' or ')],
  ];
}

const HINT =
  'it looks like a login: if it is a genuine one, update popbsmtp or add a pattern of your own (patterns/README.md)';

const hintRows = (message: string): Row[] => (isLoginLike(message) ? [['hint', HINT]] : []);

function prospectRows(prospect: Preview): Row[] {
  const { unasked } = prospect;
  const note: Row[] =
    unasked === null ? [] : [['mynetworks', `not known, and taken for empty: ${unasked}`]];
  return [...note, ['grant', grantText(prospect)]];
}

function grantText(prospect: Preview): string {
  const grace = formatDuration(prospect.grace);
  if (prospect.kind === 'granted')
    return `until ${formatCtime(prospect.until)}, ${grace} after the login`;
  switch (prospect.reason) {
    case 'in mynetworks':
      return 'none: the address is in mynetworks, and may relay anyway';
    case 'excluded':
      return 'none: the address is excluded (--exclude)';
    case 'own address':
      return "none: it is an address of this machine's own, which all clients behind a proxy have in common (--allow-own-addresses)";
    case 'gateway':
      return 'none: it is the default gateway of this machine, which all clients behind it may have in common (--allow-own-addresses)';
    case 'opens other networks':
      return 'none: Postfix would find its row for longer addresses too, in other networks (--whole-addresses)';
    case 'not encrypted':
      return 'none: the line does not say, or not where it is known to, that the connection was encrypted (--require-tls)';
    case 'user not allowed':
      return 'none: the user may not (--allow-users, --deny-users)';
    case 'too many users':
      return 'none: too many users have logged in from this address (--max-users-per-address)';
    case 'too many addresses':
      return 'none: the user has logged in from too many addresses (--max-addresses-per-user)';
    case 'too many messages':
      return 'none: too many messages were relayed by one grant (--max-messages-per-grant)';
    case 'too many recipients':
      return 'none: messages were relayed to too many recipients (--max-recipients-per-grant, --max-recipients-per-hour)';
    case 'revoked':
      return 'none: the address or the user is refused by hand (popbsmtp revoke)';
    case 'too old':
      return `none: the login is older than the grace period of ${grace}`;
    case 'no time stamp':
      return 'none: the line does not say when it was written, or says a time more than a day ahead';
  }
}

/** One line of JSON. */
export function explanationObject(
  explanation: Explanation,
  prospect: Preview | null,
  standing: Standing | null = null,
): string {
  const { line, attempts } = explanation;
  const { time, host, program, pid, message } = line;
  const object = {
    time: time === null ? null : isoTime(time),
    host: host === null ? null : excerpt(host),
    program: program === null ? null : excerpt(program),
    pid: pid === null ? null : excerpt(pid),
    message: excerpt(message),
    tried: attempts.map(attempt => attemptObject(attempt, message)),
    ...outcomeObject(explanation),
    loginLike: isLike(explanation),
    grant: prospect === null ? null : prospectObject(prospect),
    refusal: standing === null ? null : refusalObject(standing),
  };
  return `${JSON.stringify(object)}\n`;
}

function outcomeObject({ line, outcome }: Explanation): object {
  if (outcome.kind === 'event') {
    const { event, server, ip, user } = outcome.event;
    return {
      event,
      server,
      ip,
      user,
      tls: outcome.event.event === 'login' ? outcome.event.tls : null,
      reason: null,
      nearest: attemptObject(outcome.by, line.message),
    };
  }
  const nearest =
    outcome.kind === 'not described' ? outcome.nearest : 'by' in outcome ? outcome.by : null;
  const kind = outcome.kind === 'obstacle' ? outcome.obstacle : outcome.kind;
  return {
    event: null,
    server: null,
    ip: null,
    user: null,
    tls: null,
    reason: { kind, text: reasonOf(outcome) },
    nearest: nearest === null ? null : attemptObject(nearest, line.message),
  };
}

function attemptObject({ file, pattern, reached, expected }: Attempt, message: string): object {
  const { server, event, name } = pattern;
  return {
    server,
    event,
    name,
    file: file.path,
    matched: excerpt(message.slice(0, reached)),
    rest: excerpt(message.slice(reached)),
    expected,
  };
}

function prospectObject(prospect: Preview): object {
  const mynetworks = prospect.unasked;
  return prospect.kind === 'granted'
    ? { outcome: 'granted', until: isoTime(prospect.until), reason: null, mynetworks }
    : { outcome: 'ignored', until: null, reason: prospect.reason, mynetworks };
}
