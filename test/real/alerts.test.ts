/**
 * The alert rules, as Prometheus itself reads and evaluates them.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { mustRun } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const skip = requirePrograms(['promtool']);
const RULES = join(import.meta.dirname, '../../../init/popbsmtp-alerts.yml');
const rig = new Rig();
after(() => rig.close());

interface Case {
  readonly alert: string;
  /** With its labels, and its samples of each minute as promtool writes them. */
  readonly series: Readonly<Record<string, string>>;
  readonly minute: number;
  /** The labels of what fires, besides `instance`; null when nothing does. */
  readonly fires: Readonly<Record<string, string>> | null;
}

const critical = { severity: 'critical' };
const warning = { severity: 'warning' };
const log = { source: '/var/log/mail.log' };

const CASES: readonly Case[] = [
  {
    alert: 'PopbsmtpDown',
    series: { 'up{job="popbsmtp"}': '1 0x9' },
    minute: 5,
    fires: { ...critical, job: 'popbsmtp' },
  },
  { alert: 'PopbsmtpDown', series: { 'up{job="popbsmtp"}': '1 0 1x9' }, minute: 5, fires: null },
  {
    alert: 'PopbsmtpMetricsStale',
    series: { 'node_textfile_mtime_seconds{file="/x/popbsmtp.prom"}': '0x20' },
    minute: 10,
    fires: { ...critical, file: '/x/popbsmtp.prom' },
  },
  {
    alert: 'PopbsmtpRowsOverdue',
    series: { popbsmtp_rows_overdue: '0 2x9' },
    minute: 5,
    fires: critical,
  },
  {
    alert: 'PopbsmtpRowsOverdue',
    series: { popbsmtp_rows_overdue: '0 2 0x9' },
    minute: 5,
    fires: null,
  },
  {
    alert: 'PopbsmtpMapNotWritten',
    series: { popbsmtp_map_settled: '1 0x9' },
    minute: 5,
    fires: critical,
  },
  {
    alert: 'PopbsmtpLogNotRead',
    series: {
      'popbsmtp_source_lag_bytes{source="/var/log/mail.log"}': '5x20',
      'popbsmtp_source_position_bytes{source="/var/log/mail.log"}': '100x20',
    },
    minute: 15,
    fires: { ...critical, ...log },
  },
  {
    alert: 'PopbsmtpLogNotRead',
    series: {
      'popbsmtp_source_lag_bytes{source="/var/log/mail.log"}': '5x20',
      'popbsmtp_source_position_bytes{source="/var/log/mail.log"}': '100+10x20',
    },
    minute: 15,
    fires: null,
  },
  {
    alert: 'PopbsmtpNoLogins',
    series: { popbsmtp_last_login_timestamp_seconds: '0x1500' },
    minute: 1450,
    fires: warning,
  },
  {
    alert: 'PopbsmtpNoLogins',
    series: { popbsmtp_last_login_timestamp_seconds: '0+60x1500' },
    minute: 1450,
    fires: null,
  },
  {
    alert: 'PopbsmtpLimitExceeded',
    series: { popbsmtp_limits_exceeded_total: '0 0 1x9' },
    minute: 5,
    fires: warning,
  },
  {
    alert: 'PopbsmtpGrantsEvicted',
    series: { 'popbsmtp_grants_ended_total{how="purged"}': '0 0 9x9' },
    minute: 5,
    fires: null,
  },
  {
    alert: 'PopbsmtpFleetAway',
    series: { popbsmtp_fleet_connected: '1 0x9' },
    minute: 8,
    fires: warning,
  },
  {
    alert: 'PopbsmtpFleetRefuses',
    series: { 'popbsmtp_fleet_disconnected{reason="WRONGPASS"}': '1x9' },
    minute: 8,
    fires: { ...warning, reason: 'WRONGPASS' },
  },
  {
    alert: 'PopbsmtpFleetRefuses',
    series: { 'popbsmtp_fleet_disconnected{reason="ECONNREFUSED"}': '1x9' },
    minute: 8,
    fires: null,
  },
  {
    alert: 'PopbsmtpFleetFull',
    series: { popbsmtp_fleet_memory_ratio: '0.95x9' },
    minute: 8,
    fires: warning,
  },
  {
    alert: 'PopbsmtpFleetStale',
    series: { popbsmtp_fleet_replica_silence_seconds: '5 60+60x9' },
    minute: 8,
    fires: warning,
  },
  {
    alert: 'PopbsmtpFleetClock',
    series: { popbsmtp_fleet_clock_offset_seconds: '-9x9' },
    minute: 8,
    fires: warning,
  },
];

const withInstance = (series: string): string =>
  series.includes('{') ? series.replace('}', ',instance="mx1"}') : `${series}{instance="mx1"}`;

/** JSON is YAML. */
const testFile = {
  rule_files: [RULES],
  evaluation_interval: '1m',
  tests: CASES.map(({ alert, series, minute, fires }) => ({
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({
      series: withInstance(name),
      values,
    })),
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
        eval_time: `${minute}m`,
        exp_samples: [{ labels: '{}', value: fires === null ? 0 : 1 }],
      },
      ...(fires === null
        ? []
        : [
            {
              expr: `ALERTS{alertname="${alert}"}`,
              eval_time: `${minute}m`,
              exp_samples: [{ labels: labelsOf(alert, fires), value: 1 }],
            },
          ]),
    ],
  })),
};

function labelsOf(alert: string, fires: Readonly<Record<string, string>>): string {
  const all = { alertname: alert, alertstate: 'firing', instance: 'mx1', ...fires };
  const pairs = Object.entries(all).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `ALERTS{${pairs.join(',')}}`;
}

describe('the alert rules', { skip }, () => {
  test('are rules that Prometheus takes', async () => {
    await mustRun('promtool', ['check', 'rules', RULES]);
  });

  test('fire when they should, and only then', async () => {
    const file = join(await rig.directory(), 'tests.yml');
    await writeFile(file, JSON.stringify(testFile));
    await mustRun('promtool', ['test', 'rules', file]);
  });
});
