/**
 * What a daemon tells of itself, as one JSON object: for `popbsmtp status`, and what the metrics are made from.
 *
 * Times are ISO 8601 in UTC, durations seconds, sizes bytes.
 */
import type { EpochSeconds } from '../base/clock.ts';
import type { FleetStatus } from '../fleet/fleet.ts';
import type { CommitCount, Counters, Totals } from './counters.ts';

export interface SourceStatus {
  readonly name: string;
  readonly lines: number;
  readonly lastLine: string | null;
  /** How far the file that is the log now has been dealt with; null when that is no file, or not known. */
  readonly position: number | null;
  /** What of it has not been dealt with; null as for the position. */
  readonly lag: number | null;
}

export interface ToldProblem {
  readonly time: string;
  readonly text: string;
}

/** With the single numbers of counters.ts. */
export interface Status extends Readonly<Totals> {
  readonly version: string;
  readonly pid: number;
  readonly since: string;
  /** Seconds since the start. */
  readonly uptime: number;
  /** As main.cf names it. */
  readonly map: string;
  readonly grace: number;
  readonly sources: readonly SourceStatus[];
  readonly lines: number;
  /** By server. */
  readonly logins: Readonly<Record<string, number>>;
  readonly lastLogin: string | null;
  /** Of each of the last 60 minutes, the present one last. */
  readonly loginsByMinute: readonly number[];
  /** How many there were then. */
  readonly grantsByMinute: readonly number[];
  readonly grants: number;
  /** Open sessions; null when sessions keep nothing. */
  readonly sessions: number | null;
  /** Messages that grants have relayed, and their recipients, by the server of the login. */
  readonly relayed: Readonly<Record<string, number>>;
  readonly relayedRecipients: Readonly<Record<string, number>>;
  /** By reason. */
  readonly ignored: Readonly<Record<string, number>>;
  readonly commits: Readonly<CommitCount>;
  /** Whether the map has everything that was decided. */
  readonly settled: boolean;
  /** Why it has not, in one line; null when it has. */
  readonly trouble: string | null;
  /** Rows that are due, or were revoked, and may still be in the map: what Postfix still lets relay. */
  readonly overdue: number;
  /** Null for a host that is alone. */
  readonly fleet: FleetStatus | null;
  readonly lastProblem: ToldProblem | null;
  /** The last few, the latest first. */
  readonly recentProblems: readonly ToldProblem[];
}

/** What the daemon knows besides the counters. */
export interface Present
  extends Pick<
    Status,
    | 'version'
    | 'map'
    | 'grace'
    | 'grants'
    | 'sessions'
    | 'settled'
    | 'trouble'
    | 'overdue'
    | 'fleet'
    | 'uptime'
  > {
  readonly places: readonly Pick<SourceStatus, 'name' | 'position' | 'lag'>[];
}

export function statusOf(counters: Counters, { places, uptime, ...present }: Present): Status {
  const { totals, commits, minutes } = counters;
  counters.grants(present.grants);
  const recentProblems = counters.problems.map(({ time, text }) => ({ time: iso(time), text }));
  const sources = places.map(({ name, position, lag }) => {
    const { lines = 0, lastLine = null } = counters.sources.get(name) ?? {};
    return { name, lines, lastLine: isoOrNull(lastLine), position, lag };
  });
  return {
    ...present,
    ...totals,
    pid: process.pid,
    since: iso(counters.started.wall),
    uptime: Math.floor(uptime),
    sources,
    lines: sources.reduce((sum, { lines }) => sum + lines, 0),
    logins: Object.fromEntries(counters.logins),
    lastLogin: isoOrNull(counters.lastLogin),
    loginsByMinute: minutes.loginsByMinute,
    grantsByMinute: minutes.grantsByMinute,
    relayed: Object.fromEntries(counters.relayedMessages),
    relayedRecipients: Object.fromEntries(counters.relayedRecipients),
    ignored: Object.fromEntries(counters.ignored),
    commits: { ...commits },
    lastProblem: recentProblems[0] ?? null,
    recentProblems,
  };
}

const iso = (time: EpochSeconds): string => new Date(time * 1000).toISOString();

const isoOrNull = (time: EpochSeconds | null): string | null => (time === null ? null : iso(time));
