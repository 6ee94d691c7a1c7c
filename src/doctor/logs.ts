/**
 * Whether the logs can be read, by the daemon too, are alive, and have the time that the clock has.
 *
 * Leaves to others: what stands in them (logins.ts).
 */

import type { EpochSeconds } from '../base/clock.ts';
import type { ErrorCode } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import type { NewestLogin } from '../daemon/live-source.ts';
import { formatStamp } from '../line/stamp.ts';
import type { Zone } from '../line/zone.ts';
import { isZoneApart, offsetOfLog } from '../recogniser/zone-watch.ts';
import { JOURNAL } from '../source/journal-store.ts';
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
  /** The unit of a syslog daemon that does not run; null without one. */
  readonly stopped: string | null;
}

export type ReadLog = Extract<LogState, { kind: 'read' }>;

export async function gatherLogs({ logs, service, now, settings }: Subject): Promise<LogFacts> {
  const found = await service();
  return {
    ...(await logs()),
    now: now(),
    grace: settings.grace.standard,
    zone: settings.watchlogZone,
    asDaemon: isDaemonsAccount(settings.map),
    stopped: found !== null && 'stopped' in found ? found.stopped : null,
  };
}

export const logCheck = check('log', gatherLogs, judgeLogs);
export const clockCheck = check('clock', gatherLogs, judgeClock);

export const HOUR = 3600;
/** A log of mail that is silent for longer has lost its writer, or its users. */
const SILENCE = 48 * HOUR;
/** Seconds by which syslog may be late, and machines apart, without harm. */
export const SLACK = 60;

export function judgeLogs(facts: LogFacts): Verdict[] {
  const { logs } = facts;
  const lives = new Map<string, ReadLog[]>();
  const verdicts = logs.flatMap(log => {
    if (log.kind === 'read' && log.among !== null)
      lives.set(log.among, [...(lives.get(log.among) ?? []), log]);
    return logVerdicts(log, facts);
  });
  return [...verdicts, ...[...lives.values()].flatMap(files => filesVerdict(files, facts))];
}

/** What another account may not read is no fault, as far as is known. */
const CLOSED: readonly ErrorCode[] = ['LOG_UNREADABLE', 'JOURNAL_UNREADABLE'];

function logVerdicts(log: LogState, facts: LogFacts): Verdict[] {
  switch (log.kind) {
    case 'unusable':
      if (facts.asDaemon || !CLOSED.includes(log.problem.code)) return [failed(log.problem)];
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
      return [
        ...accessVerdict(log),
        ...mountVerdict(log),
        ...(log.among === null ? [lifeVerdict(log, facts)] : []),
      ];
  }
}

function accessVerdict({ name, account }: ReadLog): Verdict[] {
  const what = name === JOURNAL ? 'the systemd journal' : name;
  switch (account?.mayRead) {
    case 'no':
      return [
        error(
          `the account ${account.name} of the daemon cannot read ${what}`,
          accessCure(name, account),
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

const mountVerdict = ({ name, mounted }: ReadLog): Verdict[] =>
  mounted
    ? [
        warning(
          `${name} is mounted by itself (a bind mount), so what it is rotated to by renaming is never seen here`,
          'mount its directory instead, and restart the daemon',
        ),
      ]
    : [];

/** A file that no group may read but root's, is given to the one that reads logs: whoever is in root's may read more than those. */
function accessCure(path: string, { name, group }: NonNullable<ReadLog['account']>): string {
  if (group === null)
    return `let the group that reads logs read it: "chgrp adm ${path} && chmod g+r ${path}", and have rotation make it so (logrotate: create 0640 root adm)`;
  return `let it, through the group ${group}: usermod -aG ${group} ${name}, then restart the daemon: systemctl restart popbsmtp`;
}

/** Of the files of a wildcard, each may be silent, such as yesterday's; but not all of them. */
function filesVerdict(files: readonly ReadLog[], facts: LogFacts): Verdict[] {
  const latest = files.reduce((a, b) => ((b.modified ?? 0) > (a.modified ?? 0) ? b : a));
  const verdict = lifeVerdict(latest, facts);
  const number = files.length === 1 ? '1 file matches' : `${files.length} files match`;
  return [ok(`${number} ${latest.among}`), verdict];
}

function lifeVerdict(
  { name, modified, tail, ahead }: ReadLog,
  { now, stopped }: LogFacts,
): Verdict {
  const last = modified ?? tail.lastStamp;
  if (ahead !== null) {
    const state = ahead.isEmpty ? 'is empty' : `was last written to ${formatStamp(ahead.modified)}`;
    return error(
      `${name} ${state}, but the journal has a login by ${ahead.server} of ${formatStamp(ahead.login)}: it does not get the logins`,
      stopped === null
        ? 'watch the journal (--watchlog journal), or see that the syslog daemon runs and writes there'
        : `watch the journal (--watchlog journal), or start the syslog daemon, which does not run: systemctl start ${stopped}`,
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
