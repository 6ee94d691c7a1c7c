/**
 * The exposition format, read by a strict reader of our own, and the names, which a dashboard hangs on.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { noTotals, TOTAL_NAMES, TOTALS, type Total } from '../../src/control/counters.ts';
import { METRICS, metricsText } from '../../src/control/metrics.ts';
import { someFleet, someStatus } from './status.ts';

const NAME = /^[a-z][a-z0-9_]*$/;
const SAMPLE = /^([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (\S+)$/;
const LABEL = /([a-z]+)="((?:[^"\\\n]|\\[\\"n])*)"/g;

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: string;
  readonly samples: Sample[];
}

function unescaped(text: string): string {
  return text.replace(/\\([\\"n])/g, (_, found: string) => (found === 'n' ? '\n' : found));
}

function sampleOf(line: string): Sample {
  const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? assert.fail(line);
  const pairs = [...labels.matchAll(LABEL)].map(([, key = '', text = '']) => [
    key,
    unescaped(text),
  ]);
  assert.match(value, /^(?:\d+(?:\.\d+)?(?:e[+-]\d+)?)$/, line);
  return { name, labels: Object.fromEntries(pairs), value: Number(value) };
}

/** HELP, TYPE, then the samples, for each metric once. */
function read(text: string): Family[] {
  assert.ok(text.endsWith('\n'));
  const families: Family[] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    const current = families.at(-1);
    if (word === 'HELP') {
      assert.ok(
        families.every(family => family.name !== name),
        `${name} comes twice`,
      );
      families.push({ name, type: '', samples: [] });
    } else if (word === 'TYPE') {
      assert.equal(name, current?.name);
      families[families.length - 1] = { name, type: rest, samples: [] };
    } else current?.samples.push(sampleOf(line));
  }
  return families;
}

const families = read(metricsText(someStatus()));

describe('the metrics', () => {
  test('follow the conventions for names', () => {
    for (const { name, type } of families) {
      assert.match(name, NAME);
      assert.ok(name.startsWith('popbsmtp_'), name);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.match(type, /^(?:counter|gauge|histogram)$/, name);
      assert.doesNotMatch(name, /milli|_ms|kilo|_minutes/, name);
    }
    assert.deepEqual(
      families.map(({ name }) => name),
      Object.keys(METRICS),
    );
  });

  test('say what the state says', () => {
    const told = (name: string): [object, number][] =>
      (families.find(family => family.name === name)?.samples ?? []).map(
        ({ labels, value }): [object, number] => [labels, value],
      );
    assert.deepEqual(told('popbsmtp_logins_total'), [
      [{ server: 'dovecot' }, 100],
      [{ server: 'courier' }, 20],
    ]);
    assert.deepEqual(told('popbsmtp_grants'), [[{}, 42]]);
    assert.deepEqual(told('popbsmtp_source_lag_bytes'), [[{ source: '/var/log/mail.log' }, 12]]);
    assert.deepEqual(told('popbsmtp_last_login_timestamp_seconds'), [
      [{}, Date.parse('2026-11-25T02:04:50.500Z') / 1000],
    ]);
  });

  test('have each single number once: as a metric of its own, or told apart by a label', () => {
    const numbers = noTotals();
    for (const [index, name] of TOTAL_NAMES.entries()) numbers[name] = 1000 + index;
    const told = read(metricsText(someStatus(numbers))).flatMap(({ name, samples }) =>
      samples
        .filter(({ value }) => value >= 1000 && value < 1000 + TOTAL_NAMES.length)
        .map(({ labels, value }) => [value, name, labels]),
    );
    assert.deepEqual(
      told.toSorted(([a], [b]) => Number(a) - Number(b)),
      TOTAL_NAMES.map((name, index) => {
        const { metric, label }: Total = TOTALS[name];
        return [1000 + index, metric, label === undefined ? {} : { [label]: name }];
      }),
    );
    assert.deepEqual(
      families
        .find(({ name }) => name === 'popbsmtp_grants_ended_total')
        ?.samples.map(({ labels }) => labels['how'])
        .toSorted(),
      ['evicted', 'purged', 'revoked', 'withdrawn'],
    );
  });

  test('say what a host does in its fleet, and nothing of one that is alone', () => {
    const told = (fleet: typeof someFleet | null): [string, number][] =>
      read(metricsText(someStatus({ fleet })))
        .flatMap(({ samples }) => samples)
        .flatMap(({ name, value }) => (name.includes('_fleet_') ? [[name, value]] : []));
    assert.deepEqual(told(null), []);
    assert.deepEqual(told(someFleet), [
      ['popbsmtp_fleet_connected', 1],
      ['popbsmtp_fleet_clock_offset_seconds', 0.25],
      ['popbsmtp_fleet_published_total', 1234],
      ['popbsmtp_fleet_waiting', 5],
      ['popbsmtp_fleet_lost_total', 6],
      ['popbsmtp_fleet_received_total', 7890],
      ['popbsmtp_fleet_refused_total', 2],
      ['popbsmtp_fleet_lag_seconds', 1.5],
    ]);
    assert.equal(
      told({ ...someFleet, publish: null, subscribe: null, clockOffset: null }).length,
      1,
    );
  });

  test('say why the engine of the fleet cannot be used, by one word', () => {
    const reason = { code: 'WRONGPASS', text: 'WRONGPASS invalid username-password pair' };
    const fleet = { ...someFleet, connected: false, reason };
    const text = metricsText(someStatus({ fleet }));
    assert.match(text, /^popbsmtp_fleet_disconnected\{reason="WRONGPASS"\} 1$/m);
    assert.doesNotMatch(
      metricsText(someStatus({ fleet: someFleet })),
      /^popbsmtp_fleet_disconnected\{/m,
    );
  });

  test('tell of the room of the engine, and of a replica without its primary', () => {
    const memory = { used: 950, most: 1000, policy: 'noeviction' };
    const fleet = { ...someFleet, memory, upstream: { isUp: false, silence: 40 } };
    const text = metricsText(someStatus({ fleet }));
    assert.match(text, /^popbsmtp_fleet_memory_ratio 0\.95$/m);
    assert.match(text, /^popbsmtp_fleet_replica_silence_seconds 40$/m);
  });

  test('have no sample twice', () => {
    const keys = families.flatMap(({ samples }) =>
      samples.map(({ name, labels }) => JSON.stringify([name, labels])),
    );
    assert.equal(new Set(keys).size, keys.length);
  });

  test('have a histogram whose buckets only grow, up to the count', () => {
    const { samples = [] } = families.find(({ type }) => type === 'histogram') ?? {};
    const buckets = samples.filter(({ name }) => name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')));
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
    );
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY);
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
    );
    assert.equal(counts.at(-1), samples.find(({ name }) => name.endsWith('_count'))?.value);
    assert.equal(counts.at(-2), 9, 'one commit took longer than all bounds');
  });

  test('have labels that stay few: never a user or an address', () => {
    const labels = families.flatMap(({ samples }) =>
      samples.flatMap(sample => Object.keys(sample.labels)),
    );
    const known = ['version', 'node', 'source', 'server', 'reason', 'how', 'le'];
    assert.deepEqual([...new Set(labels)].sort(), known.sort());
  });

  test('carry any name of a log', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), name => {
        const [source] = someStatus().sources;
        assert.ok(source);
        const found = read(metricsText(someStatus({ sources: [{ ...source, name }] })));
        const lines = found.find(family => family.name === 'popbsmtp_lines_total');
        assert.equal(lines?.samples[0]?.labels['source'], name);
      }),
    );
  });
});

/** Also those that only a host in a fleet has, and one whose engine cannot be used, or is a replica. */
const names = [
  someFleet,
  { ...someFleet, reason: { code: 'OOM', text: 'OOM' }, upstream: { isUp: false, silence: 40 } },
  { ...someFleet, memory: { used: 950, most: 1000, policy: 'noeviction' } },
].flatMap(fleet =>
  read(metricsText(someStatus({ fleet }))).flatMap(({ samples }) =>
    samples.map(({ name }) => name),
  ),
);

const INIT = join(import.meta.dirname, '../../../init');

test('the alerts ask for metrics that there are', () => {
  const rules = readFileSync(join(INIT, 'popbsmtp-alerts.yml'), 'utf8');
  const asked = [...rules.matchAll(/^ +expr: (.*)$/gm)].flatMap(([, expr = '']) =>
    Array.from(expr.matchAll(/\bpopbsmtp_\w+/g), ([name]) => name),
  );
  assert.ok(asked.length > 10);
  for (const name of asked) assert.ok(names.includes(name), name);
});

test('the dashboard asks for metrics that there are, and for most of them', () => {
  const file = join(INIT, 'popbsmtp-dashboard.json');
  const dashboard: {
    panels: { id: number; title: string; targets: { expr: string }[] }[];
  } = JSON.parse(readFileSync(file, 'utf8'));
  const asked = dashboard.panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) => [...expr.matchAll(/popbsmtp_\w+/g)].map(([name]) => name)),
  );
  for (const name of asked) assert.ok(names.includes(name), name);
  assert.ok(new Set(asked).size * 3 > families.length * 2);
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});
