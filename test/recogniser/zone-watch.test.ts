import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { zoneOf } from '../../src/line/zone.ts';
import { LOGINS_BEFORE_WARNING, ZoneWatch } from '../../src/recogniser/zone-watch.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z') / 1000;
const HOUR = 3600;

/** What is told of logins whose stamps are off by so many seconds, one after the other. */
function told(offs: readonly number[], zone = 'Europe/Berlin', logs = ['/log']): string[] {
  const warnings: string[] = [];
  const watch = new ZoneWatch(zoneOf({ value: zone, origin: '' }), text => warnings.push(text));
  for (const [index, off] of offs.entries()) {
    const log = logs[index % logs.length] ?? '';
    watch.login(log, epoch(NOW + index + off), epoch(NOW + index));
  }
  return warnings;
}

const times = (count: number, ...offs: readonly number[]): number[] =>
  Array.from({ length: count }, () => offs).flat();

for (const [what, offs, expected] of [
  ['late by an hour', times(5, -HOUR), / 1 h before they were written.* \+00:00 now/],
  ['early by hours', times(5, 5 * HOUR), / 5 h after they were written.* \+06:00 now/],
  ['late by a zone with quarters', times(5, -5.75 * HOUR), / 5 h 45 min before .* -04:45 now/],
  ['late by 14 hours and a little', times(5, -14 * HOUR - 50), / 14 h before .* -13:00 now/],
  ['on time first', [0, 0, ...times(5, -HOUR)], / 1 h before /],
] as const)
  test(`told once: ${what}`, () => {
    const warnings = told([...offs, ...offs]);
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(warnings[0] ?? '', expected);
    assert.match(warnings[0] ?? '', /^the last 5 logins in \/log .* watchlog-zone /);
  });

for (const [what, offs] of [
  ['on time', times(20, 0)],
  ['a little late', times(20, -70)],
  ['not many', times(LOGINS_BEFORE_WARNING - 1, -HOUR)],
  ['on time between them', times(9, -HOUR, -HOUR, -HOUR, -HOUR, 0)],
  ['late, but by no zone', times(20, -HOUR - 300)],
  ['of several zones', times(20, -HOUR, 2 * HOUR)],
  ['of another year', times(20, -365 * 24 * HOUR)],
] as const)
  test(`not told: ${what}`, () => assert.deepEqual(told(offs), []));

test('each log by itself, and the same difference once', () => {
  assert.deepEqual(told(times(4, -HOUR, -HOUR), 'UTC', ['/a', '/b']), []);
  assert.equal(told(times(9, -HOUR, -HOUR), 'UTC', ['/a', '/b']).length, 1);
  assert.equal(told(times(9, -HOUR, 0), 'UTC', ['/a', '/b']).length, 1);
});
