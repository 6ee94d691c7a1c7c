import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type EpochSeconds, epoch } from '../../src/base/clock.ts';
import { formatCtime, formatStamp, STAMP, StampReader } from '../../src/line/stamp.ts';
import { inZone } from './zone.ts';

const utc = (text: string): EpochSeconds => epoch(Date.parse(text) / 1000);
const readerAt = (reference: string): StampReader => new StampReader(() => utc(reference));
const WHOLE_STAMP = new RegExp(`^${STAMP}$`);

/** Whole seconds from 2000 to 2037. */
const anyTime = fc.integer({ min: 946_684_800, max: 2_145_916_800 }).map(epoch);

describe('no line is younger than the reference', () => {
  const reference = '2026-11-26T10:05:00.5Z';
  for (const [name, stamp, time] of [
    ['a stamp before it is what it says', '2026-11-26T10:04:59Z', '2026-11-26T10:04:59Z'],
    ['one shortly after it counts as it', '2026-11-26T10:05:01Z', '2026-11-26T10:05:00Z'],
    ['one of a zone further east, too', '2026-11-26T23:59:59Z', '2026-11-26T10:05:00Z'],
    ['up to a day', '2026-11-27T10:05:00Z', '2026-11-26T10:05:00Z'],
    ['one more than a day after it counts as none', '2026-11-27T10:05:01Z', null],
    ['one of a month later, too', '2026-12-25T10:00:00Z', null],
    ['without a year it is of the year before', 'Dec 25 10:00:00', '2025-12-25T10:00:00Z'],
  ] as const) {
    test(name, () => {
      const reader = readerAt(reference);
      assert.equal(
        inZone('UTC', () => reader.bounded(reader.read(stamp))),
        time && utc(time),
      );
    });
  }

  test('what it says can be had all the same, to be compared', () => {
    const stamp = '2026-12-25T10:00:00Z';
    assert.equal(readerAt(reference).read(stamp), utc(stamp));
  });

  test('nor than what is known of the lines at hand, for as long as they are', () => {
    const reader = readerAt('2026-11-27T22:44:00Z');
    const time = utc('2026-11-27T08:00:00Z');
    reader.writtenBy(utc('2026-11-26T10:05:00Z'));
    assert.equal(reader.bounded(time), utc('2026-11-26T10:05:00Z'));
    reader.writtenBy(utc('2026-11-26T07:00:00Z'));
    assert.equal(reader.bounded(time), null);
    reader.writtenBy(null);
    assert.equal(reader.bounded(time), time);
    // The reference still holds: a file may have been written to in the future.
    reader.writtenBy(utc('2026-12-25T10:00:00Z'));
    assert.equal(reader.bounded(utc('2026-12-25T10:00:00Z')), null);
  });
});

describe('the forms of stamps, in UTC', () => {
  const reference = '2026-11-24T12:00:00Z';
  const table: readonly (readonly [string, string | null])[] = [
    ['Nov 23 00:53:00', '2026-11-23T00:53:00Z'],
    ['Nov  3 00:53:00', '2026-11-03T00:53:00Z'],
    ['Nov 3 00:53:00', '2026-11-03T00:53:00Z'],
    ['Nov 03 00:53:00', '2026-11-03T00:53:00Z'],
    ['Nov 23 00:53:00.987654', '2026-11-23T00:53:00Z'],
    ['Mar 22 2003 11:03:29', '2003-03-22T11:03:29Z'],
    ['Mon Nov 23 00:53:00', '2026-11-23T00:53:00Z'],
    ['Thu Mar 22 11:03:29 2001', '2001-03-22T11:03:29Z'],
    ['2026-11-23T00:53:00Z', '2026-11-23T00:53:00Z'],
    ['2026-11-23T00:53:00.123456+01:00', '2026-11-22T23:53:00Z'],
    ['2026-11-23T00:53:00+0100', '2026-11-22T23:53:00Z'],
    ['2026-11-22T20:23:00-03:30', '2026-11-22T23:53:00Z'],
    ['2026-11-23T00:53:00-00:00', '2026-11-23T00:53:00Z'],
    ['2026-11-23 00:53:00,123', '2026-11-23T00:53:00Z'],
    ['2026-11-23 00:53:00', '2026-11-23T00:53:00Z'],
    ['2026/11/23 00:53:00', '2026-11-23T00:53:00Z'],
    ['Mon 2026-11-23 00:53:00 UTC', '2026-11-23T00:53:00Z'],
    ['Mon 2026-11-23 00:53:00 CET', '2026-11-23T00:53:00Z'],
    ['Mon 2026-11-23 00:53:00.123456 +03', '2026-11-22T21:53:00Z'],
    ['Mon 2026-11-23 00:53:00 -0330', '2026-11-23T04:23:00Z'],
    ['1795395180.123456', '2026-11-23T00:53:00Z'],
    ['999999999.000000', '2001-09-09T01:46:39Z'],
    ['@40000000386d438a1dcd6500', '2000-01-01T00:00:00Z'],
    // A leap second is the first one of the next day, as everywhere else.
    ['Jun 30 23:59:60', '2026-07-01T00:00:00Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z'],
    ['Feb 29 12:00:00', '2024-02-29T12:00:00Z'],
    // Not a moment.
    ['Feb 30 12:00:00', null],
    ['Feb 29 2026 12:00:00', null],
    ['2026-02-29T12:00:00Z', null],
    ['2026-11-31T12:00:00', null],
    ['2026-13-01T12:00:00Z', null],
    ['Nov  0 12:00:00', null],
    ['Nov 23 24:00:00', null],
    ['Nov 23 12:60:00', null],
    ['Nov 23 12:00:61', null],
    ['2026-11-23T00:53:00+24:00', null],
    ['2026-11-23T00:53:00+01:60', null],
    ['0099-11-23T00:53:00Z', null],
    ['@00000000386d438a1dcd6500', null],
    ['@ffffffffffffffff1dcd6500', null],
  ];
  for (const [stamp, moment] of table) {
    test(stamp, () => {
      assert.match(stamp, WHOLE_STAMP);
      const read = inZone('UTC', () => readerAt(reference).read(stamp));
      assert.equal(read, moment === null ? null : utc(moment));
    });
  }
});

describe('what is no stamp', () => {
  const table = [
    '',
    'nov 23 00:53:00',
    'Nov 23 0:53:00',
    'Nov 23 00:53',
    '2026-11-23',
    '26-11-23T00:53:00Z',
    '@4000',
    // A host may be called 2026; only behind a weekday is it a year.
    'Nov 23 00:53:00 2026',
  ];
  for (const text of table) {
    test(JSON.stringify(text), () => assert.doesNotMatch(text, WHOLE_STAMP));
  }
});

describe('a stamp without a year', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['just before New Year, read just after', 'Dec 31 23:59:59', '2026-12-31T23:59:59Z'],
    ['just after New Year', 'Jan  1 00:00:01', '2027-01-01T00:00:01Z'],
    ['the clock of the writer is ahead', 'Jan  1 20:00:00', '2027-01-01T20:00:00Z'],
    ['more than a day ahead is last year', 'Jan  2 20:00:00', '2026-01-02T20:00:00Z'],
    ['the 29th of February', 'Feb 29 12:00:00', '2024-02-29T12:00:00Z'],
  ];
  for (const [what, stamp, moment] of table) {
    test(what, () => {
      const read = inZone('UTC', () => readerAt('2027-01-01T00:00:05Z').read(stamp));
      assert.equal(read, utc(moment));
    });
  }

  test('of tomorrow, read on New Year’s Eve', () => {
    const read = inZone('UTC', () => readerAt('2026-12-31T23:59:58Z').read('Jan  1 00:00:03'));
    assert.equal(read, utc('2027-01-01T00:00:03Z'));
  });

  test('across a century that is no leap year', () => {
    const read = inZone('UTC', () => readerAt('2103-06-01T00:00:00Z').read('Feb 29 12:00:00'));
    assert.equal(read, utc('2096-02-29T12:00:00Z'));
  });
});

describe('the changes of summer time', () => {
  test('spring: the hours on both sides of the gap', () => {
    inZone('Europe/Berlin', () => {
      const reader = readerAt('2026-03-29T12:00:00Z');
      assert.equal(reader.read('Mar 29 01:59:59'), utc('2026-03-29T00:59:59Z'));
      assert.equal(reader.read('Mar 29 03:00:00'), utc('2026-03-29T01:00:00Z'));
    });
  });

  test('spring: a time that does not exist is read as one, not refused', () => {
    inZone('Europe/Berlin', () => {
      const read = readerAt('2026-03-29T12:00:00Z').read('Mar 29 02:30:00');
      assert.equal(read, utc('2026-03-29T01:30:00Z'));
    });
  });

  const autumn: readonly (readonly [string, string, string, string])[] = [
    ['Europe/Berlin', 'live, before the change', 'Oct 25 02:30:00', '2026-10-25T00:30:00Z'],
    ['Europe/Berlin', 'live, after the change', 'Oct 25 02:30:00', '2026-10-25T01:30:00Z'],
    ['America/New_York', 'live, before the change', 'Nov  1 01:30:00', '2026-11-01T05:30:00Z'],
    ['America/New_York', 'live, after the change', 'Nov  1 01:30:00', '2026-11-01T06:30:00Z'],
    // Half an hour only.
    ['Australia/Lord_Howe', 'before the change', 'Apr  5 01:40:00', '2026-04-04T14:40:00Z'],
    ['Australia/Lord_Howe', 'after the change', 'Apr  5 01:40:00', '2026-04-04T15:10:00Z'],
    ['Australia/Lord_Howe', 'just not repeated', 'Apr  5 02:10:00', '2026-04-04T15:40:00Z'],
  ];
  for (const [zone, what, stamp, moment] of autumn) {
    test(`autumn in ${zone}: ${what}`, () => {
      inZone(zone, () => assert.equal(readerAt(moment).read(stamp), utc(moment)));
    });
  }

  test('autumn: a finished log goes by the line before', () => {
    inZone('Europe/Berlin', () => {
      const reader = readerAt('2026-10-30T00:00:00Z');
      const stamps = ['01:50', '02:10', '02:50', '02:05', '02:45', '03:05'];
      const read = stamps.map(clock => reader.read(`Oct 25 ${clock}:00`));
      const hours = ['23:50', '00:10', '00:50', '01:05', '01:45', '02:05'];
      const days = [24, 25, 25, 25, 25, 25];
      assert.deepEqual(
        read,
        hours.map((clock, index) => utc(`2026-10-${days[index]}T${clock}:00Z`)),
      );
    });
  });

  test('autumn: a line after a long silence is of now, not of an hour ago', () => {
    inZone('Europe/Berlin', () => {
      let now = utc('2026-10-24T23:50:00Z');
      const reader = new StampReader(() => now);
      reader.read('Oct 25 01:50:00');
      now = utc('2026-10-25T01:55:01Z');
      assert.equal(reader.read('Oct 25 02:55:00'), utc('2026-10-25T01:55:00Z'));
    });
  });

  for (const zone of ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe']) {
    test(`any live line is read as the moment it was written: ${zone}`, () => {
      inZone(zone, () =>
        fc.assert(
          fc.property(anyTime, time => {
            const reader = new StampReader(() => epoch(time + 0.5));
            assert.equal(reader.read(formatStamp(time)), time);
          }),
        ),
      );
    });
  }

  test('any log with a line each hour or more often is read in its order, around the change', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 3500 }), { minLength: 1, maxLength: 60 });
    inZone('Europe/Berlin', () =>
      fc.assert(
        fc.property(steps, gaps => {
          const reader = readerAt('2026-10-30T00:00:00Z');
          let time = utc('2026-10-24T23:00:00Z');
          for (const gap of gaps) {
            time = epoch(time + gap);
            assert.equal(reader.read(formatStamp(time)), time);
          }
        }),
      ),
    );
  });
});

describe('any moment, in each form', () => {
  const offset = fc.integer({ min: -14 * 60, max: 14 * 60 });
  test('RFC 3339 with any zone', () => {
    fc.assert(
      fc.property(anyTime, offset, (time, minutes) => {
        const local = new Date((time + minutes * 60) * 1000).toISOString().slice(0, 19);
        const size = Math.abs(minutes);
        const zone = [Math.floor(size / 60), size % 60].map(part => String(part).padStart(2, '0'));
        const stamp = `${local}.5${minutes < 0 ? '-' : '+'}${zone.join(':')}`;
        assert.match(stamp, WHOLE_STAMP);
        assert.equal(readerAt('2026-01-01T00:00:00Z').read(stamp), time);
      }),
    );
  });

  test('ctime, as formatCtime writes it', () => {
    fc.assert(
      fc.property(anyTime, time => {
        const stamp = formatCtime(time);
        assert.match(stamp, WHOLE_STAMP);
        const read = inZone('UTC', () => readerAt('2026-01-01T00:00:00Z').read(formatCtime(time)));
        assert.equal(read, time);
      }),
    );
  });

  test('svlogd, whatever the zone of the log', () => {
    fc.assert(
      fc.property(anyTime, time => {
        const [day = '', clock = ''] = new Date(time * 1000).toISOString().slice(0, 19).split('T');
        for (const stamp of [`${day}_${clock}.12345`, `${day}T${clock}.12345`]) {
          assert.match(stamp, WHOLE_STAMP);
          const read = inZone('Asia/Tokyo', () => readerAt('2026-01-01T00:00:00Z').read(stamp));
          assert.equal(read, time);
        }
      }),
    );
  });

  test('TAI64N', () => {
    fc.assert(
      fc.property(anyTime, time => {
        const label = `@${(2n ** 62n + 10n + BigInt(time)).toString(16).padStart(16, '0')}00000000`;
        assert.match(label, WHOLE_STAMP);
        assert.equal(readerAt('2026-01-01T00:00:00Z').read(label), time);
      }),
    );
  });

  test('whatever has the shape of a stamp is read as a moment or as none', () => {
    fc.assert(
      fc.property(fc.stringMatching(WHOLE_STAMP), stamp => {
        const time = readerAt('2026-01-01T00:00:00Z').read(stamp);
        assert.ok(time === null || Number.isInteger(time));
      }),
    );
  });
});

test('what people read', () => {
  inZone('Europe/Berlin', () => {
    assert.equal(formatStamp(utc('2002-03-22T09:21:50Z')), 'Mar 22 10:21:50');
    assert.equal(formatStamp(utc('2002-03-02T09:21:50Z')), 'Mar  2 10:21:50');
    assert.equal(formatCtime(utc('2002-03-22T09:21:50Z')), 'Fri Mar 22 10:21:50 2002');
  });
});
