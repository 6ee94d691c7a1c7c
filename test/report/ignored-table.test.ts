import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IgnoredTable } from '../../src/report/ignored-table.ts';

test('users by reasons, those with most first, with the sums', () => {
  const table = new IgnoredTable();
  for (let at = 0; at < 12; at++) table.count('not encrypted', 'scanner');
  table.count('too old', 'anna');
  table.count('not encrypted', 'anna');
  table.count('not encrypted', null);
  assert.deepEqual(table.text().split('\n'), [
    'ignored               not encrypted  too old',
    'scanner                          12        -',
    'anna                              1        1',
    '(no name in the log)              1        -',
    'TOTAL                            14        1',
    '',
  ]);
});

test('nothing where nothing was ignored', () => assert.equal(new IgnoredTable().text(), ''));

test('names command no terminal, and there may be any number of them', () => {
  const table = new IgnoredTable();
  table.count('revoked', '\x1b[2J');
  for (let at = 0; at < 20_000; at++) table.count('revoked', `user${at}`);
  table.count('revoked', '\x1b[2J');
  const lines = table.text().split('\n');
  assert.ok(!table.text().includes('\x1b'));
  assert.match(lines[1] ?? '', /^\(others\) +10001$/);
  assert.match(lines[2] ?? '', /^\\x1b\[2J +2$/);
  assert.match(lines.at(-3) ?? '', /^\(and \d+ more\)$/);
  assert.match(lines.at(-2) ?? '', /^TOTAL +20002$/);
  assert.ok(lines.length < 50);
});
