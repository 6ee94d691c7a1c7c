/**
 * The daemon's numbers for Prometheus: one table of metrics, and its text exposition format, version 0.0.4.
 *
 * Names follow the conventions: one prefix, base units, `_total` for counters.  Labels are servers, reasons and sources:
 * the pattern files, the code and the configuration name them, so there are few; never users or addresses.
 * prom-client was measured and left out: loading it takes 35 ms where Node itself takes 40, it adds 10 MB and four packages,
 * and it would hold every number once more, since it does not render what others have counted.
 * Source: prometheus.io/docs/instrumenting/exposition_formats and /docs/practices/naming; checked by `promtool
 * check metrics` of Prometheus 2.42.
 */

import { fullness } from '../fleet/info.ts';
import { COMMIT_BOUNDS, TOTAL_NAMES, TOTALS, type Total } from './counters.ts';
import type { Status } from './status.ts';

type Labels = Readonly<Record<string, string>>;

/** The suffix stands behind the metric's name, for the parts of a histogram. */
interface Sample {
  readonly labels?: Labels;
  readonly suffix?: string;
  readonly value: number;
}

interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: (status: Status) => readonly Sample[];
}

const one = (value: number): readonly Sample[] => [{ value }];

/** None when there is no such number. */
const maybe = (value: number | null | undefined): readonly Sample[] =>
  value === null || value === undefined ? [] : one(value);

const by = (label: string, counts: Readonly<Record<string, number>>): readonly Sample[] =>
  Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));

/** Unix time; none when it is not known. */
const moment = (time: string | null, labels: Labels = {}): readonly Sample[] =>
  time === null ? [] : [{ labels, value: Date.parse(time) / 1000 }];

const ofSources = (
  { sources }: Status,
  numberOf: (source: Status['sources'][number]) => number | null,
): readonly Sample[] =>
  sources.flatMap(source => {
    const value = numberOf(source);
    return value === null ? [] : [{ labels: { source: source.name }, value }];
  });

/** The single numbers of counters.ts: those of one metric are its samples. */
const TOTAL_METRICS: Readonly<Record<string, Metric>> = Object.fromEntries(
  Object.values<Total>(TOTALS).map(({ metric, label, help }) => [
    metric,
    { type: 'counter', help, samples: status => totalSamples(status, metric, label) },
  ]),
);

export const METRICS: Readonly<Record<string, Metric>> = {
  popbsmtp_build_info: {
    type: 'gauge',
    help: 'Always 1; the version is in the labels.',
    samples: ({ version }) => [{ labels: { version, node: process.versions.node }, value: 1 }],
  },
  popbsmtp_start_time_seconds: {
    type: 'gauge',
    help: 'When the daemon started, in Unix time.',
    samples: ({ since }) => moment(since),
  },
  popbsmtp_lines_total: {
    type: 'counter',
    help: 'Log lines read, by source.',
    samples: status => ofSources(status, ({ lines }) => lines),
  },
  popbsmtp_source_last_line_timestamp_seconds: {
    type: 'gauge',
    help: 'When lines last came, in Unix time, by source.',
    samples: ({ sources }) =>
      sources.flatMap(({ name, lastLine }) => moment(lastLine, { source: name })),
  },
  popbsmtp_source_position_bytes: {
    type: 'gauge',
    help: 'How far the present log file has been dealt with, by source.',
    samples: status => ofSources(status, ({ position }) => position),
  },
  popbsmtp_source_lag_bytes: {
    type: 'gauge',
    help: 'How much of the present log file has not been dealt with, by source.',
    samples: status => ofSources(status, ({ lag }) => lag),
  },
  popbsmtp_logins_total: {
    type: 'counter',
    help: 'Logins recognised, by server.',
    samples: ({ logins }) => by('server', logins),
  },
  popbsmtp_logins_ignored_total: {
    type: 'counter',
    help: 'Logins that led to no grant, by reason.',
    samples: ({ ignored }) => by('reason', ignored),
  },
  popbsmtp_messages_relayed_total: {
    type: 'counter',
    help: 'Messages that grants have relayed, by the server of the login.',
    samples: ({ relayed }) => by('server', relayed),
  },
  popbsmtp_recipients_relayed_total: {
    type: 'counter',
    help: 'Recipients of messages that grants have relayed, by the server of the login.',
    samples: ({ relayedRecipients }) => by('server', relayedRecipients),
  },
  popbsmtp_last_login_timestamp_seconds: {
    type: 'gauge',
    help: 'When the last login was read, in Unix time.',
    samples: ({ lastLogin }) => moment(lastLogin),
  },
  popbsmtp_grants: {
    type: 'gauge',
    help: 'Addresses that may relay now.',
    samples: ({ grants }) => one(grants),
  },
  popbsmtp_rows_overdue: {
    type: 'gauge',
    help: 'Rows that are due and still in the map, since it cannot be written.',
    samples: ({ overdue }) => one(overdue),
  },
  popbsmtp_open_sessions: {
    type: 'gauge',
    help: 'Sessions that are known to be open.',
    samples: ({ sessions }) => (sessions === null ? [] : one(sessions)),
  },
  popbsmtp_map_commits_total: {
    type: 'counter',
    help: 'Commits to the map.',
    samples: ({ commits }) => one(commits.count),
  },
  popbsmtp_map_commit_errors_total: {
    type: 'counter',
    help: 'Commits to the map that have failed.',
    samples: ({ commits }) => one(commits.errors),
  },
  popbsmtp_map_rows_changed_total: {
    type: 'counter',
    help: 'Changes of rows that were committed.',
    samples: ({ commits }) => one(commits.rows),
  },
  popbsmtp_map_settled: {
    type: 'gauge',
    help: '1 when the map has everything that was decided, else 0.',
    samples: ({ settled }) => one(settled ? 1 : 0),
  },
  popbsmtp_commit_seconds: {
    type: 'histogram',
    help: 'How long commits to the map took, with the wait for its lock.',
    samples: commitSamples,
  },
  popbsmtp_fleet_connected: {
    type: 'gauge',
    help: '1 when the engine of the fleet can be reached, else 0.',
    samples: ({ fleet }) => maybe(fleet && (fleet.connected ? 1 : 0)),
  },
  popbsmtp_fleet_disconnected: {
    type: 'gauge',
    help: '1 while the engine of the fleet cannot be used, with the word of the reason as its label.',
    samples: ({ fleet }) =>
      fleet?.reason ? [{ labels: { reason: fleet.reason.code }, value: 1 }] : [],
  },
  popbsmtp_fleet_memory_ratio: {
    type: 'gauge',
    help: 'How much of its maxmemory the engine of the fleet has used.',
    samples: ({ fleet }) => maybe(fleet?.memory ? fullness(fleet.memory) : null),
  },
  popbsmtp_fleet_replica_silence_seconds: {
    type: 'gauge',
    help: 'How long the replica that is read from has not heard of its primary.',
    samples: ({ fleet }) => maybe(fleet?.upstream?.silence),
  },
  popbsmtp_fleet_clock_offset_seconds: {
    type: 'gauge',
    help: "How far the clock of the fleet's engine is ahead.",
    samples: ({ fleet }) => maybe(fleet?.clockOffset),
  },
  popbsmtp_fleet_published_total: {
    type: 'counter',
    help: 'Entries that the engine of the fleet has taken from this host.',
    samples: ({ fleet }) => maybe(fleet?.publish?.published),
  },
  popbsmtp_fleet_waiting: {
    type: 'gauge',
    help: 'Entries that are still to be published.',
    samples: ({ fleet }) => maybe(fleet?.publish?.waiting),
  },
  popbsmtp_fleet_lost_total: {
    type: 'counter',
    help: 'Entries that were not published for want of room.',
    samples: ({ fleet }) => maybe(fleet?.publish?.dropped),
  },
  popbsmtp_fleet_received_total: {
    type: 'counter',
    help: 'Entries of other hosts that were dealt with.',
    samples: ({ fleet }) => maybe(fleet?.subscribe?.received),
  },
  popbsmtp_fleet_refused_total: {
    type: 'counter',
    help: 'Entries of the streams that were refused.',
    samples: ({ fleet }) => maybe(fleet?.subscribe?.refused),
  },
  popbsmtp_fleet_lag_seconds: {
    type: 'gauge',
    help: 'How long the latest entries had been with the engine; 0 when there are no more.',
    samples: ({ fleet }) => maybe(fleet?.subscribe?.lag),
  },
  ...TOTAL_METRICS,
};

const totalSamples = (status: Status, metric: string, label?: string): readonly Sample[] =>
  TOTAL_NAMES.flatMap(name => {
    if (TOTALS[name].metric !== metric) return [];
    const labels = label === undefined ? {} : { [label]: name };
    return [{ labels, value: status[name] }];
  });

function commitSamples({ commits: { buckets, count, seconds } }: Status): readonly Sample[] {
  let below = 0;
  const bounded = COMMIT_BOUNDS.map((bound, index): Sample => {
    below += buckets[index] ?? 0;
    return { suffix: '_bucket', labels: { le: String(bound) }, value: below };
  });
  return [
    ...bounded,
    { suffix: '_bucket', labels: { le: '+Inf' }, value: count },
    { suffix: '_sum', value: seconds },
    { suffix: '_count', value: count },
  ];
}

/** The whole text, with its last line end. */
export function metricsText(status: Status): string {
  return Object.entries(METRICS)
    .map(([name, { type, help, samples }]) => {
      const lines = samples(status).map(
        ({ suffix = '', labels = {}, value }) => `${name}${suffix}${labelText(labels)} ${value}\n`,
      );
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

/** A label value may be any text: a log's path, for one. */
const escaped = (value: string): string => value.replace(/[\\"\n]/g, found => ESCAPES[found] ?? '');
