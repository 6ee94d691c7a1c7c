/**
 * Whether the logs can be read, by the daemon too, are alive, tell of logins that are recognised, and have the time
 * that the clock has.
 */

import { type EpochSeconds, epoch } from '../base/clock.ts';
import type { ErrorCode } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import type { NewestLogin } from '../daemon/live-source.ts';
import { formatStamp } from '../line/stamp.ts';
import type { Zone } from '../line/zone.ts';
import { strayText } from '../recogniser/stray-watch.ts';
import { isZoneApart, offsetOfLog } from '../recogniser/zone-watch.ts';
import { isJournal, JOURNAL } from '../source/journal-store.ts';
import { isDaemonsAccount } from './account.ts';
import { check, type Subject } from './check.ts';
import { error, failed, ok, skipped, span, type Verdict, warning } from './finding.ts';
import type { LogState } from './log-state.ts';

export interface LogFacts {
  readonly logs: readonly LogState[];
  /** The newest login in the journal; null without any. */
  readonly journalLogin: NewestLogin | null;
  readonly now: EpochSeconds;
  /** Seconds. */
  readonly grace: number;
  /** In which stamps are read that do not tell theirs. */
  readonly zone: Zone;
  /** Whether the daemon can read what we can, and no more. */
  readonly asDaemon: boolean;
}

type ReadLog = Extract<LogState, { kind: 'read' }>;

const gather = async ({ logs, now, settings }: Subject): Promise<LogFacts> => ({
  ...(await logs()),
  now: now(),
  grace: settings.grace.standard,
  zone: settings.watchlogZone,
  asDaemon: isDaemonsAccount(settings.map),
});

export const logCheck = check('log', gather, judgeLogs);
export const loginsCheck = check('logins', gather, judgeLogins);
export const clockCheck = check('clock', gather, judgeClock);

const HOUR = 3600;
/** A log of mail that is silent for longer has lost its writer, or its users. */
const SILENCE = 48 * HOUR;
/** Seconds by which syslog may be late, and machines apart, without harm. */
const SLACK = 60;

export function judgeLogs({ logs, now, asDaemon }: LogFacts): Verdict[] {
  const lives = new Map<string, ReadLog[]>();
  const verdicts = logs.flatMap(log => {
    if (log.kind === 'read' && log.among !== null)
      lives.set(log.among, [...(lives.get(log.among) ?? []), log]);
    return logVerdicts(log, now, asDaemon);
  });
  return [...verdicts, ...[...lives.values()].flatMap(files => filesVerdict(files, now))];
}

/** What another account may not read is no fault, as far as is known. */
const CLOSED: readonly ErrorCode[] = ['LOG_UNREADABLE', 'JOURNAL_UNREADABLE'];

function logVerdicts(log: LogState, now: EpochSeconds, asDaemon: boolean): Verdict[] {
  switch (log.kind) {
    case 'unusable':
      if (asDaemon || !CLOSED.includes(log.problem.code)) return [failed(log.problem)];
      return [
        warning(log.problem.message, 'run "popbsmtp doctor" as root, or as the daemon\'s account'),
      ];
    case 'none':
      return [
        warning(
          `no file matches ${log.name} yet`,
          'look for a misspelt name; the daemon waits for the files, and watches them as they come',
        ),
      ];
    case 'input':
      return [skipped('standard input is not looked at: only the daemon can read it')];
    case 'read':
      return [...accessVerdict(log), ...(log.among === null ? [lifeVerdict(log, now)] : [])];
  }
}

function accessVerdict({ name, account }: ReadLog): Verdict[] {
  const what = name === JOURNAL ? 'the systemd journal' : name;
  const group = isJournal(name) ? 'systemd-journal' : 'adm';
  switch (account?.mayRead) {
    case 'no':
      return [
        error(
          `the account ${account.name} of the daemon cannot read ${what}`,
          `let it, for example through the group ${group}: usermod -aG ${group} ${account.name}, and start it again`,
        ),
      ];
    case 'unknown':
      return [
        warning(
          `whether the account ${account.name} of the daemon can read ${what} cannot be told`,
          'install setpriv (util-linux), or run "popbsmtp doctor" as that account',
        ),
      ];
    case 'yes':
    case undefined:
      return [];
  }
}

/** Of the files of a wildcard, each may be silent, such as yesterday's; but not all of them. */
function filesVerdict(files: readonly ReadLog[], now: EpochSeconds): Verdict[] {
  const latest = files.reduce((a, b) => ((b.modified ?? 0) > (a.modified ?? 0) ? b : a));
  const verdict = lifeVerdict(latest, now);
  const number = files.length === 1 ? '1 file matches' : `${files.length} files match`;
  return [ok(`${number} ${latest.among}`), verdict];
}

function lifeVerdict({ name, modified, tail, ahead }: ReadLog, now: EpochSeconds): Verdict {
  const last = modified ?? tail.lastStamp;
  if (ahead !== null) {
    const state = ahead.isEmpty ? 'is empty' : `was last written to ${formatStamp(ahead.modified)}`;
    return error(
      `${name} ${state}, but the journal has a login by ${ahead.server} of ${formatStamp(ahead.login)}: it does not get the logins`,
      'watch the journal (--watchlog journal), or see that the syslog daemon runs and writes there',
    );
  }
  if (tail.lines === 0) {
    return warning(
      modified === null
        ? `${name === JOURNAL ? 'the journal' : name} has no entry of a POP3/IMAP server`
        : `${name} is empty`,
      'make sure that the server logs there, and that rotation has not taken the log from its writer',
    );
  }
  if (last !== null && now - last > SILENCE) {
    const days = Math.floor((now - last) / (24 * HOUR));
    return warning(
      `nothing has been written to ${name} for ${quantity(days, 'day')}`,
      'look whether the syslog daemon runs, and whether the server still logs there',
    );
  }
  return ok(
    `${name} can be read; last written to ${last === null ? 'at no known time' : formatStamp(last)}`,
  );
}

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

export function judgeClock(facts: LogFacts): Verdict[] {
  const { logs } = facts;
  const verdicts = logs.flatMap(log => (log.kind === 'read' ? clockVerdict(log, facts) : []));
  const told = logs.some(log => log.kind === 'read' && log.tail.lastStamp !== null);
  if (verdicts.length > 0) return verdicts;
  return told ? [ok('stamps of the log agree with the clock')] : [];
}

function clockVerdict(
  { name, modified, tail }: ReadLog,
  { now, grace, zone }: LogFacts,
): Verdict[] {
  const stamp = tail.lastStamp;
  if (modified !== null && modified > now + SLACK)
    return [
      error(
        `${name} was written to in the future (${formatStamp(modified)}): the clock has been set back`,
        'set the clock, and keep it with NTP',
      ),
    ];
  if (stamp === null) return [];
  // A line is stamped when it is written; what the last one is off by, the clock or the zone is off by.
  const off = stamp - (modified ?? Math.max(now, stamp));
  const cure = isZoneApart(off)
    ? `set watchlog-zone to the time zone of the log (its clock is at ${offsetOfLog(off, zone, now)} now), or have the syslog daemon write stamps with a zone`
    : 'set the clock of the machine that logs, and keep it with NTP';
  if (off > SLACK)
    return [warning(`the last line of ${name} is stamped ${span(off)} after it was written`, cure)];
  if (modified !== null && off < -SLACK) return [lateVerdict(name, -off, grace, cure)];
  return [];
}

function lateVerdict(name: string, seconds: number, grace: number, cure: string): Verdict {
  const what = `the last line of ${name} is stamped ${span(seconds)} before it was written`;
  return seconds >= grace
    ? error(`${what}, so logins are taken for too old`, cure)
    : warning(what, cure);
}
