/**
 * Whether the logs tell of logins that are recognised, all of them, and as often as before.
 */
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { quantity } from '../base/quantity.ts';
import type { NewestLogin } from '../daemon/live-source.ts';
import { formatStamp } from '../line/stamp.ts';
import { strayText } from '../recogniser/stray-watch.ts';
import { check } from './check.ts';
import { error, ok, span, type Verdict, warning } from './finding.ts';
import { gatherLogs, HOUR, type LogFacts, type ReadLog, SLACK } from './logs.ts';

export const loginsCheck = check('logins', gatherLogs, judgeLogins);

export function judgeLogins({ logs, journalLogin, now }: LogFacts): Verdict[] {
  const read = logs.filter(log => log.kind === 'read');
  if (read.length === 0) return [];
  return [
    ...read.flatMap(missedVerdict),
    ...read.flatMap(strayVerdicts),
    ...elsewhereVerdict(read, journalLogin),
    ...silenceVerdict(read, now),
    ...recognisedVerdict(read, now),
  ];
}

function missedVerdict({ name, tail: { missed } }: ReadLog): Verdict[] {
  if (missed.lines === 0) return [];
  return [
    warning(
      `${name}: ${quantity(missed.lines, 'line')} that looked like logins but were not recognised, such as "${missed.example}"`,
      'run "popbsmtp explain" on that line of the log, then update popbsmtp or add a pattern of your own',
    ),
  ];
}

const strayVerdicts = ({ name, tail }: ReadLog): Verdict[] =>
  tail.strays.map(({ stray, lines }) => {
    const { what, cure } = strayText(stray);
    return warning(`${name}: ${quantity(lines, 'line')} ${what}`, cure);
  });

/** The times of the logins by the clock, also where the stamps are of another zone: by how long before the last line they were. */
function loginTimes({ modified, tail }: ReadLog): EpochSeconds[] {
  const off = modified === null || tail.lastStamp === null ? 0 : modified - tail.lastStamp;
  const by = Math.abs(off) > SLACK ? off : 0;
  return tail.logins.flatMap(({ time }) => (time === null ? [] : [epoch(time + by)]));
}

const newestIn = (logs: readonly ReadLog[]): EpochSeconds | null => {
  const times = logs.flatMap(loginTimes);
  return times.length === 0 ? null : epoch(Math.max(...times));
};

/** A login in the journal that is in none of the logs, which are written to by others. */
function elsewhereVerdict(logs: readonly ReadLog[], found: NewestLogin | null): Verdict[] {
  const isTold = logs.some(({ ahead, modified }) => ahead !== null || modified === null);
  if (found === null || isTold) return [];
  const newest = newestIn(logs);
  // Without a login they may be too short to have that one.
  const since = newest ?? logs.flatMap(({ tail }) => tail.firstStamp ?? [])[0] ?? null;
  if (since === null || found.time <= since + SLACK) return [];
  const last = newest === null ? 'no login at all' : `none since ${formatStamp(newest)}`;
  return [
    error(
      `the journal has a login by ${found.server} of ${formatStamp(found.time)}, and ${listed(logs)} ${last}: the logins do not get there`,
      'watch the journal (--watchlog journal), or let the mail server log where it did before',
    ),
  ];
}

const listed = (logs: readonly ReadLog[]): string => logs.map(({ name }) => name).join(' and ');

/** As many logins as show how long pauses are. */
const ENOUGH = 5;

/** Nobody has logged in for much longer than ever, while the log goes on. */
function silenceVerdict(logs: readonly ReadLog[], now: EpochSeconds): Verdict[] {
  const times = logs.flatMap(loginTimes).sort((one, other) => one - other);
  const newest = times.at(-1);
  const written = logs.map(({ modified, tail }) => modified ?? tail.lastStamp ?? 0);
  if (newest === undefined || now - Math.max(...written) > HOUR) return [];
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? time));
  const longest = times.length < ENOUGH ? 8 * HOUR : Math.max(...pauses);
  const silence = now - newest;
  if (silence <= Math.max(HOUR, 3 * longest)) return [];
  const refused = new Set(
    logs.flatMap(({ tail }) =>
      tail.refusals.flatMap(({ ip, time }) => (time > newest ? [ip] : [])),
    ),
  );
  const since =
    refused.size === 0 ? '' : `, and Postfix has refused ${quantity(refused.size, 'client')} since`;
  return [
    warning(
      `no login for ${span(silence)}, although ${listed(logs)} goes on${since}`,
      'log in once: if that is not found either, see where the mail server logs, and whether it logs logins at all (Dovecot: level info)',
    ),
  ];
}

function recognisedVerdict(logs: readonly ReadLog[], now: EpochSeconds): Verdict[] {
  const servers = new Map<string, number>();
  for (const { tail } of logs)
    for (const { server } of tail.logins) servers.set(server, (servers.get(server) ?? 0) + 1);
  const lines = logs.reduce((sum, { tail }) => sum + tail.lines, 0);
  // Of an empty log that has been said.
  if (lines === 0) return [];
  const found = [...servers].map(([server, logins]) => `${server} ${logins}`).join(', ');
  const newest = newestIn(logs);
  const when = newest === null ? '' : `, the last one ${span(now - newest)} ago`;
  if (found !== '')
    return [ok(`recognised among the last ${quantity(lines, 'line')}: ${found}${when}`)];
  return [
    warning(
      `no login was recognised among the last ${quantity(lines, 'line')}`,
      'log in once and look again; if there are logins, "popbsmtp match" and "popbsmtp explain" say more',
    ),
  ];
}
