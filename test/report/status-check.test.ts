import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Status } from '../../src/control/status.ts';
import { checkLine, critical, isBusy, judge } from '../../src/report/status-check.ts';
import { someFleet, someStatus } from '../control/status.ts';

const LOG = { name: '/var/log/mail.log', lines: 5, lastLine: null } as const;
const JOURNAL = { name: 'journal', lines: 0, lastLine: null, position: null, lag: null } as const;

const calm = (changes: Partial<Status> = {}): Status =>
  someStatus({ sources: [{ ...LOG, position: 10, lag: 0 }, JOURNAL], ...changes });

const at = (position: number | null, lag: number | null): Partial<Status> => ({
  sources: [{ ...LOG, position, lag }],
});

describe('the level', () => {
  const table: readonly (readonly [string, Partial<Status>, Partial<Status>, string])[] = [
    ['all is well', {}, {}, 'OK'],
    ['rows are due, twice', { overdue: 2 }, { overdue: 1 }, 'CRITICAL'],
    ['rows were due for a moment', { overdue: 2 }, {}, 'OK'],
    ['rows have just come due', {}, { overdue: 2 }, 'OK'],
    ['nothing is committed', { settled: false }, { settled: false }, 'CRITICAL'],
    ['the log is not read', at(10, 5), at(10, 7), 'CRITICAL'],
    ['the log is being read', at(10, 5), at(12, 5), 'OK'],
    ['the log has just grown', at(10, 0), at(10, 7), 'OK'],
    ['the log is gone', at(null, null), at(null, null), 'WARNING'],
    ['the fleet is away', {}, { fleet: { ...someFleet, connected: false } }, 'WARNING'],
    [
      'the fleet is read from a replica without its primary',
      {},
      { fleet: { ...someFleet, upstream: { isUp: false, silence: 40 } } },
      'WARNING',
    ],
    ['the fleet is there', {}, { fleet: someFleet }, 'OK'],
  ];
  for (const [name, before, now, level] of table)
    test(name, () => assert.equal(judge(calm(before), calm(now)).level, level));

  test('a commit between two looks is progress', () => {
    const before = calm({ settled: false });
    const now = { ...before, commits: { ...before.commits, count: before.commits.count + 1 } };
    assert.equal(judge(before, now).level, 'OK');
  });
});

test('the gravest stands first, and the others behind it', () => {
  const worse = calm({ ...at(null, null), overdue: 3 });
  assert.equal(
    judge(worse, worse).text,
    '3 rows are due and still in the map; the log /var/log/mail.log is not there, or cannot be read',
  );
});

test('a second look is taken only where the first leaves it open', () => {
  assert.equal(isBusy(calm()), false);
  for (const changes of [{ overdue: 1 }, { settled: false }, at(1, 1)])
    assert.equal(isBusy(calm(changes)), true);
});

test('the line is one, with performance data', () => {
  assert.match(
    checkLine(judge(calm(), calm()), calm()),
    /^POPBSMTP OK - 42 grants, the last login at \S+ \| grants=42 logins=120c overdue=0 lag=0B warnings=0c\n$/,
  );
  assert.equal(checkLine(critical('a|b\nc'), null), 'POPBSMTP CRITICAL - a/b c\n');
});
