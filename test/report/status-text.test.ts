import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { formatCtime } from '../../src/line/stamp.ts';
import { roughly } from '../../src/report/shown.ts';
import { chart, statusText, stoppedText } from '../../src/report/status-text.ts';
import { someFleet, someStatus } from '../control/status.ts';

const NOW = Date.parse('2026-11-25T02:05:00Z') / 1000;

test('torn lines, where there are some', () => {
  const text = statusText(someStatus({ tornLines: 1234, passedOver: 56 }), NOW);
  assert.match(text, /^torn {6}1,234 lines, and 56 of them passed over that read like logins$/m);
});

test('the state of a daemon, a line for each thing', () => {
  const since = formatCtime(epoch(Date.parse('2026-11-25T00:00:00Z') / 1000));
  assert.deepEqual(statusText(someStatus(), NOW).split('\n'), [
    `popbsmtp  1.2.3, pid 4711, running for 2h 5m, since ${since}`,
    'map       lmdb:/var/popbsmtp/pop-before-smtp, grace 15m',
    'source    /var/log/mail.log: 12,345 lines, at byte 1,234,567, 12 bytes behind; the last 3s ago',
    'source    journal: 0 lines; none yet',
    'lines     12,345',
    'logins    120: dovecot 100, courier 20; the last 9s ago',
    'grants    42 now; 50 granted, 61 refreshed, 5 kept',
    'ended     6 purged, 4 evicted, 1 revoked, 2 withdrawn',
    'ignored   9: in mynetworks 8, revoked 1',
    'sessions  3 open, 7 logouts',
    'commits   10 with 20 rows, 0.50 ms each, 1 failed',
    'problem   none',
    '',
  ]);
});

test('trouble is seen, and what it quotes commands no terminal', () => {
  const lastProblem = { time: '2026-11-25T02:04:00.000Z', text: 'cannot read /log\x1b[2J' };
  const text = statusText(
    someStatus({ settled: false, sessions: null, warnings: 3, lastProblem }),
    NOW,
  );
  assert.match(text, /^map .*; NOT WRITTEN, tried again$/m);
  assert.match(text, /^sessions {2}7 logouts$/m);
  assert.match(text, /^problem {3}3; the last 1m ago: cannot read \/log\\x1b\[2J$/m);
});

test('durations are told by their two largest units', () => {
  const table: [number, string][] = [
    [0, '0s'],
    [0.9, '0s'],
    [59.9, '59s'],
    [60, '1m'],
    [843, '14m 3s'],
    [3600, '1h'],
    [3661, '1h 1m'],
    [90_000, '1d 1h'],
  ];
  for (const [seconds, text] of table) assert.equal(roughly(seconds), text);
});

test('without a daemon, what the map holds', () => {
  const stopped = {
    running: false,
    map: 'lmdb:/map',
    rows: 2,
    own: 0,
    overdue: 0,
    lastLogin: null,
    problem: null,
  } as const;
  assert.equal(
    stoppedText(stopped),
    'no popbsmtp is running for lmdb:/map; the map holds 2 grants\n',
  );
  assert.match(stoppedText({ ...stopped, own: 1 }), /2 grants, and 1 row of your own$/m);
  assert.match(stoppedText({ ...stopped, rows: 1 }), / holds 1 grant$/m);
  assert.match(stoppedText({ ...stopped, overdue: 2 }), /2 grants, 2 rows still to be taken out$/m);
  assert.equal(
    stoppedText({ ...stopped, rows: null, own: null, problem: 'there is none' }),
    'no popbsmtp is running for lmdb:/map: there is none\n',
  );
});

describe('the chart', () => {
  const { LC_ALL } = process.env;
  beforeEach(() => {
    process.env['LC_ALL'] = 'C.UTF-8';
  });
  afterEach(() => {
    if (LC_ALL === undefined) delete process.env['LC_ALL'];
    else process.env['LC_ALL'] = LC_ALL;
  });

  test('has a column for each minute, as high as it had logins', () => {
    const [title, bars = '', scale = ''] = chart(someStatus()).split('\n');
    assert.equal(title, 'logins of the last hour: 37, at most 8 a minute');
    assert.equal(bars, `|${' ▁'.repeat(29)} █|`);
    assert.equal(scale.length, bars.length - 1, 'now is under the last column');
  });

  test('does without Unicode where the locale does', () => {
    process.env['LC_ALL'] = 'C';
    assert.equal(chart(someStatus()).split('\n')[1], `|${' .'.repeat(29)} @|`);
  });

  test('of nothing is empty', () => {
    const { loginsByMinute } = someStatus();
    const quiet = chart({ loginsByMinute: loginsByMinute.map(() => 0) });
    assert.equal(quiet.split('\n')[1], `|${' '.repeat(60)}|`);
  });
});

test('a host of a fleet tells of it', () => {
  const rows = (fleet: typeof someFleet): string[] =>
    statusText(someStatus({ fleet }), NOW)
      .split('\n')
      .filter(line => /^(?:fleet|published|received) /.test(line));
  assert.deepEqual(rows(someFleet), [
    "fleet     redis://redis.example.org:6379/0 as mx1, both: connected, its clock 0.3 s from this host's",
    'published 1,234, 5 waiting, 6 lost',
    'received  7,890, 2 refused, 1.5 s behind; last 1700000000000-1',
  ]);
  const alone = { ...someFleet, connected: false, clockOffset: null, publish: null };
  assert.deepEqual(
    rows({ ...alone, role: 'subscribe' })[0],
    'fleet     redis://redis.example.org:6379/0 as mx1, subscribe: NOT CONNECTED, tried again',
  );
  const reason = { code: 'WRONGPASS', text: 'WRONGPASS invalid pair' };
  assert.equal(
    rows({ ...alone, reason })[0],
    'fleet     redis://redis.example.org:6379/0 as mx1, both: NOT CONNECTED, tried again: WRONGPASS invalid pair',
  );
  const replica = { readsFrom: 'redis://r:6379/0', upstream: { isUp: false, silence: 40 } };
  assert.match(
    rows({ ...someFleet, ...replica })[0] ?? '',
    /^fleet {5}redis:\/\/redis\.example\.org:6379\/0, reading from redis:\/\/r:6379\/0 as mx1/,
  );
  assert.match(
    statusText(someStatus({ fleet: { ...someFleet, ...replica } }), NOW),
    /^replica {3}has not heard of its primary for 40 s$/m,
  );
  assert.equal(rows(alone).length, 2);
});
