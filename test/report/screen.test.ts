import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { GrantRow } from '../../src/control/protocol.ts';
import { paintFor } from '../../src/report/colour.ts';
import { chartLines, screenText, stateText } from '../../src/report/screen.ts';
import { someStatus } from '../control/status.ts';
import { ip } from '../map/addresses.ts';

const NOW = Date.parse('2026-11-25T02:05:00Z') / 1000;
const { LC_ALL } = process.env;
beforeEach(() => {
  process.env['LC_ALL'] = 'C';
});
afterEach(() => {
  if (LC_ALL === undefined) delete process.env['LC_ALL'];
  else process.env['LC_ALL'] = LC_ALL;
});

const latest = (count: number): GrantRow[] =>
  Array.from({ length: count }, (_, at) => [
    ip(`198.51.100.${at}`),
    600 - at,
    `user${at}`,
    'dovecot',
    NOW - 60,
    NOW - at,
    at === 1 ? ['bert'] : [],
    at === 2 ? NOW + 600 : null,
    at === 3 ? 1 : 0,
  ]);

const linesOf = (...args: Parameters<typeof screenText>): string[] =>
  screenText(...args)
    .split('\n')
    .slice(0, -1);

test('the whole screen is used, and no more: for any size', () => {
  const problem = { time: '2026-11-25T02:04:00.000Z', text: `x${'y'.repeat(2000)}` };
  const status = someStatus({ recentProblems: [problem], lastProblem: problem });
  for (const rows of [10, 24, 40, 60])
    for (const columns of [40, 80, 200]) {
      const lines = linesOf(status, latest(100), NOW, { rows, columns });
      assert.equal(lines.length, rows - 1);
      for (const line of lines) assert.ok(line.length < columns, line);
    }
});

test('has what was ignored by reason, warnings, and the newest rows with what keeps them', () => {
  const recentProblems = [{ time: '2026-11-25T02:04:00.000Z', text: 'the disk\x1b is full' }];
  const lines = linesOf(someStatus({ recentProblems }), latest(4), NOW, { rows: 60, columns: 160 });
  const after = (title: string): string[] => lines.slice(lines.indexOf(title) + 1);
  assert.match(after('ignored logins, by reason')[0] ?? '', /^ +8 {2}in mynetworks$/);
  assert.match(after('ignored logins, by reason')[1] ?? '', /^ +1 {2}revoked$/);
  assert.match(after('the last warning')[0] ?? '', /^ +1m ago {2}the disk\\x1b is full$/);
  const rows = after('42 grants, the newest first');
  assert.match(rows[0] ?? '', /^198\.51\.100\.0 .* 10m +dovecot +user0$/);
  assert.match(rows[1] ?? '', / user1, bert$/);
  assert.match(rows[2] ?? '', / by hand +dovecot /);
  assert.match(rows[3] ?? '', / session open +dovecot /);
});

test('states are coloured where there are colours', () => {
  const paint = paintFor({ isTTY: true }, {});
  const status = someStatus({ settled: false });
  const text = screenText(status, latest(4), NOW, { rows: 60, columns: 160 }, paint);
  assert.ok(text.includes('\x1b[31mmap '), text);
  assert.ok(stateText(status, NOW, paint).includes('\x1b[31mmap '));
  const plain = screenText(status, latest(4), NOW, { rows: 60, columns: 160 });
  assert.ok(!plain.includes('\u{1b}'));
});

describe('a chart', () => {
  test('has a scale, and a column a minute', () => {
    const values = Array.from({ length: 60 }, (_, at) => (at === 59 ? 1200 : at === 0 ? 300 : 0));
    const [title, ...lines] = chartLines('logins', values);
    assert.equal(title, 'logins');
    assert.deepEqual(lines, [
      `  1,200 |${' '.repeat(59)}@|`,
      `        |${' '.repeat(59)}@|`,
      `        |${' '.repeat(59)}@|`,
      `      0 |@${' '.repeat(58)}@|`,
      `         -60 min${' '.repeat(50)}now`,
    ]);
  });

  test('of nothing is empty', () => {
    const lines = chartLines(
      'grants',
      Array.from({ length: 60 }, () => 0),
    );
    assert.ok(lines[1]?.startsWith('      0 |   '), lines[1]);
  });
});
