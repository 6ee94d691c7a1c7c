/**
 * The state of a daemon as people read it.
 */
import { epoch } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { noun } from '../base/quantity.ts';
import type { SourceStatus, Status } from '../control/status.ts';
import type { FleetStatus } from '../fleet/fleet.ts';
import { isStale } from '../fleet/info.ts';
import { formatCtime } from '../line/stamp.ts';
import { bars } from './bars.ts';
import { roughly, shown } from './shown.ts';

/** Without a daemon; what cannot be read is null. */
export interface Stopped {
  readonly running: false;
  readonly map: string;
  /** Of ours, and of the administrator's. */
  readonly rows: number | null;
  readonly own: number | null;
  /** Of ours, those that are due and still there. */
  readonly overdue: number | null;
  readonly lastLogin: string | null;
  /** Why it cannot be read, in a line; null when it can. */
  readonly problem: string | null;
}

/** A warning is one line. */
const MOST_OF_PROBLEM = 1000;

/** @param now Unix time */
export function statusText(status: Status, now: number): string {
  const { commits, logins, ignored } = status;
  const mean = commits.count === 0 ? 0 : (commits.seconds / commits.count) * 1000;
  const held = status.sessions === null ? [] : [`${count(status.sessions)} open`];
  const rows: [label: string, text: string][] = [
    [
      'popbsmtp',
      `${status.version}, pid ${status.pid}, running for ${roughly(status.uptime)}, since ${ctime(status.since)}`,
    ],
    [
      'map',
      `${shown(status.map)}, grace ${formatDuration(status.grace)}${status.settled ? '' : '; NOT WRITTEN, tried again'}`,
    ],
    ...status.sources.map((source): [string, string] => ['source', sourceText(source, now)]),
    ['lines', count(status.lines)],
    ['logins', `${tallied(logins)}; ${last(status.lastLogin, now)}`],
    [
      'grants',
      `${count(status.grants)} now${overdueText(status.overdue)}; ${count(status.granted)} granted, ${count(status.refreshed)} refreshed, ${count(status.kept)} kept`,
    ],
    [
      'ended',
      `${count(status.purged)} purged, ${count(status.evicted)} evicted, ${count(status.revoked)} revoked, ${count(status.withdrawn)} withdrawn`,
    ],
    ['ignored', tallied(ignored)],
    ...(status.tornLines === 0 ? [] : [pair('torn', tornText(status))]),
    ['sessions', [...held, amount(status.logouts, 'logout')].join(', ')],
    [
      'commits',
      `${count(commits.count)} with ${amount(commits.rows, 'row')}, ${mean.toFixed(2)} ms each, ${count(commits.errors)} failed`,
    ],
    ...(status.fleet === null ? [] : fleetRows(status.fleet)),
    ['problem', problemText(status, now)],
  ];
  return rows.map(([label, text]) => `${label.padEnd(10)}${text}\n`).join('');
}

function sourceText({ name, lines, position, lag, lastLine }: SourceStatus, now: number): string {
  const place = position === null ? '' : `, at byte ${count(position)}`;
  const behind = lag === null ? '' : `, ${amount(lag, 'byte')} behind`;
  return `${shown(name)}: ${amount(lines, 'line')}${place}${behind}; ${last(lastLine, now)}`;
}

function fleetRows(fleet: FleetStatus): [string, string][] {
  const { engine, name, role, connected, clockOffset, publish, subscribe } = fleet;
  // A daemon of an earlier version gives none of these.
  const { readsFrom = null, reason = null, upstream = null } = fleet;
  const clocks =
    clockOffset === null ? '' : `, its clock ${clockOffset.toFixed(1)} s from this host's`;
  const why = reason === null ? '' : `: ${shown(reason.text)}`;
  const state = connected ? `connected${clocks}` : `NOT CONNECTED, tried again${why}`;
  const where = readsFrom === null ? engine : `${engine}, reading from ${readsFrom}`;
  const stale = isStale(upstream)
    ? [pair('replica', `has not heard of its primary for ${upstream?.silence ?? 0} s`)]
    : [];
  return [
    ['fleet', `${where} as ${name}, ${role}: ${state}`],
    ...stale,
    ...(publish === null
      ? []
      : [
          pair(
            'published',
            `${count(publish.published)}, ${count(publish.waiting)} waiting, ${count(publish.dropped)} lost`,
          ),
        ]),
    ...(subscribe === null
      ? []
      : [
          pair(
            'received',
            `${count(subscribe.received)}, ${count(subscribe.refused)} refused, ${subscribe.lag.toFixed(1)} s behind; last ${shown(subscribe.lastId ?? 'none')}`,
          ),
        ]),
  ];
}

const tornText = ({ tornLines, passedOver }: Status): string =>
  `${amount(tornLines, 'line')}, and ${count(passedOver)} of them passed over that ${noun(passedOver, 'reads like a login', 'read like logins')}`;

const pair = (label: string, text: string): [string, string] => [label, text];

function problemText({ lastProblem, warnings }: Status, now: number): string {
  if (lastProblem === null) return 'none';
  return `${count(warnings)}; ${last(lastProblem.time, now)}: ${shown(lastProblem.text, MOST_OF_PROBLEM)}`;
}

/** `120: dovecot 100, courier 20` */
function tallied(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const total = entries.reduce((sum, [, value]) => sum + value, 0);
  const parts = entries.map(([name, value]) => `${shown(name)} ${count(value)}`);
  return `${count(total)}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}

const count = (value: number): string => value.toLocaleString('en-US');

const amount = (value: number, one: string): string => `${count(value)} ${noun(value, one)}`;

const ctime = (iso: string): string => formatCtime(epoch(Date.parse(iso) / 1000));

const last = (iso: string | null, now: number): string =>
  iso === null ? 'none yet' : `the last ${roughly(Math.max(0, now - Date.parse(iso) / 1000))} ago`;

const overdueText = (overdue: number | null): string =>
  overdue === null || overdue === 0 ? '' : `, ${amount(overdue, 'row')} still to be taken out`;

/** One line. */
export function stoppedText({ map, rows, own, overdue, lastLogin, problem }: Stopped): string {
  const first = `no popbsmtp is running for ${shown(map)}`;
  if (rows === null) return `${first}: ${problem}\n`;
  const others = own === null || own === 0 ? '' : `, and ${amount(own, 'row')} of your own`;
  const last = lastLogin === null ? '' : `; the latest login was on ${ctime(lastLogin)}`;
  return `${first}; the map holds ${amount(rows, 'grant')}${others}${overdueText(overdue)}${last}\n`;
}

/** The logins of the last hour, a column a minute. */
export function chart({ loginsByMinute }: Pick<Status, 'loginsByMinute'>): string {
  const levels = bars();
  const most = Math.max(...loginsByMinute);
  const columns = loginsByMinute.map(
    value => levels[most === 0 ? 0 : Math.ceil((value / most) * (levels.length - 1))] ?? ' ',
  );
  const total = loginsByMinute.reduce((sum, value) => sum + value, 0);
  return (
    `logins of the last hour: ${count(total)}, at most ${count(most)} a minute\n` +
    `|${columns.join('')}|\n -60 min${'now'.padStart(53)}\n`
  );
}
