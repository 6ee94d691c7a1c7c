/** Zones other than this machine's: the same moments as on a machine that has them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/errors.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { type ClockTime, formatOffset, LOCAL, type Zone, zoneOf } from '../../src/line/zone.ts';
import { inZone } from './zone.ts';

const named = (value: string): Zone => zoneOf({ value, origin: '--watchlog-zone' });
const utc = (text: string): number => Date.parse(text) / 1000;

/** With hours on both sides of the changes of summer time more often than others. */
const anyClock: fc.Arbitrary<ClockTime> = fc
  .tuple(
    fc.integer({ min: 2000, max: 2037 }),
    fc.oneof(fc.constantFrom(2, 3, 9, 10), fc.integer({ min: 0, max: 11 })),
    fc.integer({ min: 1, max: 28 }),
    fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 23 })),
    fc.integer({ min: 0, max: 59 }),
    fc.integer({ min: 0, max: 60 }),
  )
  .map(([year, month, day, hour, minute, second]) => ({ year, month, day, hour, minute, second }));

describe('a named zone has the moments that a machine in it has', () => {
  for (const name of [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'America/St_Johns',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'Pacific/Kiritimati',
  ])
    test(name, () => {
      const zone = named(name);
      inZone(name, () =>
        fc.assert(
          fc.property(anyClock, time => {
            assert.deepEqual(zone.moments(time), LOCAL.moments(time));
            const [moment] = zone.moments(time);
            assert.equal(zone.yearAt(moment), LOCAL.yearAt(moment));
            assert.equal(zone.offsetAt(moment), LOCAL.offsetAt(moment));
          }),
          { numRuns: 2000 },
        ),
      );
    });
});

describe('stamps of another zone than this machine’s', () => {
  for (const [zone, stamp, now, moment] of [
    ['Europe/Berlin', 'Nov 23 00:53:00', '2026-11-24T12:00:00Z', '2026-11-22T23:53:00Z'],
    ['Europe/Berlin', 'Jul 23 00:53:00', '2026-11-24T12:00:00Z', '2026-07-22T22:53:00Z'],
    ['Europe/Berlin', '2026-11-23 00:53:00', '2026-11-24T12:00:00Z', '2026-11-22T23:53:00Z'],
    ['+05:45', 'Nov 23 00:53:00', '2026-11-24T12:00:00Z', '2026-11-22T19:08:00Z'],
    ['-0330', 'Nov 23 00:53:00', '2026-11-24T12:00:00Z', '2026-11-23T04:23:00Z'],
    ['+02', 'Nov 23 00:53:00', '2026-11-24T12:00:00Z', '2026-11-22T22:53:00Z'],
    ['Z', 'Nov 23 00:53:00', '2026-11-24T12:00:00Z', '2026-11-23T00:53:00Z'],
    // What tells its own zone is what it says.
    ['+05:45', '2026-11-23T00:53:00+01:00', '2026-11-24T12:00:00Z', '2026-11-22T23:53:00Z'],
    ['Europe/Berlin', '2026-11-23T00:53:00Z', '2026-11-24T12:00:00Z', '2026-11-23T00:53:00Z'],
    // The hour that comes twice.
    ['Europe/Berlin', 'Oct 25 02:30:00', '2026-10-25T00:30:01Z', '2026-10-25T00:30:00Z'],
    ['Europe/Berlin', 'Oct 25 02:30:00', '2026-10-25T01:30:01Z', '2026-10-25T01:30:00Z'],
    // The hour that is none.
    ['Europe/Berlin', 'Mar 29 02:30:00', '2026-03-29T12:00:00Z', '2026-03-29T01:30:00Z'],
    // It is the new year there, or still the old one.
    ['Pacific/Kiritimati', 'Jan  1 13:59:00', '2026-12-31T23:59:30Z', '2026-12-31T23:59:00Z'],
    ['Pacific/Honolulu', 'Dec 31 14:00:00', '2027-01-01T00:00:30Z', '2027-01-01T00:00:00Z'],
  ] as const)
    for (const here of ['UTC', 'America/New_York', 'Asia/Tokyo'])
      test(`${stamp} in ${zone}, read in ${here}`, () => {
        const reader = new StampReader(() => epoch(utc(now)), named(zone));
        inZone(here, () => assert.equal(reader.read(stamp), utc(moment)));
      });
});

describe('what is no zone', () => {
  for (const text of ['Europe/Berin', 'CEST', '+15:00', '+02:60', '+2', '02:00', 'x', '-', ' UTC'])
    test(text, () =>
      assert.throws(
        () => named(text),
        (error: unknown) => error instanceof Failure && error.code === 'ZONE',
      ),
    );
});

test('none named is this machine’s', () => assert.equal(zoneOf(null), LOCAL));

test('an offset is written as it is read', () => {
  for (const text of ['+00:00', '+05:45', '-03:30', '+14:00'])
    assert.equal(formatOffset(named(text).offsetAt(0)), text);
});
