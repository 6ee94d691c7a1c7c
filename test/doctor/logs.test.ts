import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { failure } from '../../src/base/errors.ts';
import type { LogState } from '../../src/doctor/log-state.ts';
import { judgeClock, judgeLogs } from '../../src/doctor/logs.ts';
import { said } from './arrange.ts';
import { facts, GRACE, HOUR, LOG, NOW, TAIL } from './log-facts.ts';

describe('the log', () => {
  const table: readonly (readonly [string, LogState, RegExp])[] = [
    ['as it should be', LOG, /^ok: \/log can be read/],
    ['on standard input', { kind: 'input', name: '-' }, /^skipped: /],
    [
      'missing',
      { kind: 'unusable', name: '/log', problem: failure('LOG_MISSING', { path: '/log' }) },
      /^error: cannot read \/log: no such file/,
    ],
    [
      'closed to the account',
      { ...LOG, account: { name: 'popbsmtp', mayRead: 'no', group: 'adm' } },
      /^error: the account popbsmtp of the daemon cannot read \/log/,
    ],
    [
      'open to the account, as far as is known',
      { ...LOG, account: { name: 'popbsmtp', mayRead: 'unknown', group: 'adm' } },
      /^warning: whether the account popbsmtp/,
    ],
    ['mounted by itself', { ...LOG, mounted: true }, /^warning: \/log is mounted by itself/],
    ['empty', { ...LOG, tail: { ...TAIL, lines: 0 } }, /^warning: \/log is empty/],
    [
      'without the logins that the journal has',
      {
        ...LOG,
        modified: epoch(NOW - HOUR),
        ahead: { server: 'dovecot', login: NOW, modified: epoch(NOW - HOUR), isEmpty: false },
      },
      /^error: \/log was last written to .*, but the journal has a login by dovecot of /,
    ],
    ['silent for a night', { ...LOG, modified: epoch(NOW - 20 * HOUR) }, /^ok: /],
    ['silent for days', { ...LOG, modified: epoch(NOW - 50 * HOUR) }, /^warning: .* for 2 days/],
    [
      'the journal, silent for days',
      { ...LOG, modified: null, tail: { ...TAIL, lastStamp: epoch(NOW - 50 * HOUR) } },
      /^warning: .* for 2 days/,
    ],
  ];
  for (const [name, log, expected] of table) {
    test(name, () => assert.match(said(judgeLogs(facts(log)))[0] ?? '', expected));
  }
});

test('a syslog daemon that does not run is to be started', () => {
  const ahead = { server: 'dovecot', login: NOW, modified: epoch(NOW - HOUR), isEmpty: false };
  const hintWith = (stopped: string | null): string =>
    judgeLogs({ ...facts({ ...LOG, ahead }), stopped })[0]?.hint ?? '';
  assert.match(hintWith('rsyslog.service'), /: systemctl start rsyslog\.service$/);
  assert.match(hintWith(null), /or see that the syslog daemon runs and writes there$/);
});

test('a closed log is opened by its group, where it has one that may read it', () => {
  const hintFor = (group: string | null): string | null | undefined =>
    judgeLogs(facts({ ...LOG, account: { name: 'popbsmtp', mayRead: 'no', group } }))[0]?.hint;
  assert.match(hintFor('logs') ?? '', /usermod -aG logs popbsmtp, .*: systemctl restart popbsmtp$/);
  assert.match(hintFor(null) ?? '', /"chgrp adm \/log && chmod g\+r \/log"/);
});

test('a log that only the daemon may read is a warning to others', () => {
  const problem = failure('LOG_UNREADABLE', { path: '/log', reason: 'permission denied' });
  const closed: LogState = { kind: 'unusable', name: '/log', problem };
  assert.match(said(judgeLogs(facts(closed))).join(), /^error: /);
  assert.match(said(judgeLogs({ ...facts(closed), asDaemon: false })).join(), /^warning: /);
});

describe('the files of a wildcard', () => {
  const among = '/*.log';
  const old = { ...LOG, name: '/a.log', among, modified: epoch(NOW - 90 * HOUR) };

  test('may be silent, one by one', () => {
    const verdicts = said(judgeLogs(facts(old, { ...LOG, name: '/b.log', among }, old)));
    assert.deepEqual(
      verdicts.map(text => text.replace(/;.*/, '')),
      ['ok: 3 files match /*.log', 'ok: /b.log can be read'],
    );
  });

  test('but not all of them', () => {
    assert.match(
      said(judgeLogs(facts(old, old))).join(),
      /warning: nothing has been written to \/a/,
    );
  });

  test('and none is told', () => {
    const verdicts = said(judgeLogs(facts({ kind: 'none', name: among })));
    assert.match(verdicts.join(), /^warning: no file matches \/\*\.log yet/);
  });
});

describe('the clock', () => {
  const off = (stamp: number, modified = 0): string[] =>
    said(
      judgeClock(
        facts({
          ...LOG,
          modified: epoch(NOW + modified),
          tail: { ...TAIL, lastStamp: epoch(NOW + stamp) },
        }),
      ),
    );
  const hintOf = (stamp: number): string => {
    const tail = { ...TAIL, lastStamp: epoch(NOW + stamp) };
    return judgeClock(facts({ ...LOG, tail }))[0]?.hint ?? '';
  };

  test('agrees within a minute', () => {
    for (const stamp of [0, 59, -59]) assert.match(off(stamp)[0] ?? '', /^ok: /);
    assert.match(off(-10 * HOUR, -10 * HOUR)[0] ?? '', /^ok: /, 'an old log with an old stamp');
  });

  test('is slow by less than the grace period, or by more', () => {
    assert.match(off(-300)[0] ?? '', /^warning: .*5 minutes before/);
    assert.match(off(-GRACE)[0] ?? '', /^error: .*too old/);
  });

  test('is ahead', () => {
    assert.match(off(HOUR)[0] ?? '', /^warning: .*60 minutes after/);
    assert.match(off(HOUR, HOUR)[0] ?? '', /^error: .*set back/);
  });

  test('a difference of zones is told from one of clocks', () => {
    assert.match(hintOf(-2 * HOUR), /set watchlog-zone to the time zone .* at -01:00 now/);
    assert.match(hintOf(-5.5 * HOUR), /time zone/);
    assert.match(hintOf(5.75 * HOUR + 20), /time zone/);
    assert.match(hintOf(-2 * HOUR - 400), /set the clock/);
    assert.match(hintOf(-40 * HOUR), /set the clock/);
  });

  test('says nothing of what has no stamp', () => {
    assert.deepEqual(judgeClock(facts({ ...LOG, tail: { ...TAIL, lastStamp: null } })), []);
  });
});
