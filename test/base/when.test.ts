import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseWhen } from '../../src/base/when.ts';
import { assertFails } from '../failure.ts';

const NOW = new Date(2026, 10, 27, 12, 30, 15).getTime() / 1000;
const local = (...parts: [number, number, number, number?, number?, number?]): number =>
  new Date(...parts).getTime() / 1000;

describe('a moment', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['now', NOW],
    ['90s', NOW - 90],
    ['2h', NOW - 7200],
    ['7d', NOW - 7 * 86_400],
    ['10:42', local(2026, 10, 27, 10, 42)],
    ['today', local(2026, 10, 27)],
    ['yesterday', local(2026, 10, 26)],
    ['yesterday 10:42', local(2026, 10, 26, 10, 42)],
    ['2026-11-01', local(2026, 10, 1)],
    ['2026-11-01 9:05', local(2026, 10, 1, 9, 5)],
    ['2026-11-01T10:42:11', local(2026, 10, 1, 10, 42, 11)],
    ['2026-11-01T10:42:11.5Z', Date.UTC(2026, 10, 1, 10, 42, 11, 500) / 1000],
    ['2026-11-01T10:42:11+02:00', Date.UTC(2026, 10, 1, 8, 42, 11) / 1000],
  ];
  for (const [value, wanted] of cases)
    test(value, () => assert.equal(parseWhen({ value, origin: '--at' }, NOW), wanted));

  for (const value of [
    '',
    '10',
    '25:00',
    '2026-02-31',
    '2026-13-01',
    'tomorrow',
    '10:42 10:43',
    '5w',
  ])
    test(`not "${value}"`, () =>
      assertFails(() => parseWhen({ value, origin: '--at' }, NOW), 'WHEN'));
});
