import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { IpText } from '../../src/base/address.ts';
import { type Entry, entryOf } from '../../src/history/entry.ts';
import { Summary } from '../../src/history/summary.ts';
import type { Summed } from '../../src/history/summary-rows.ts';
import { blocksOf } from './blocks.ts';

const ip = '198.51.100.7' as IpText;
const other = '2001:db8::17' as IpText;
const NOON = new Date(2026, 10, 27, 12).getTime() / 1000;

const login = (seconds: number, fields: Partial<Entry> = {}): Entry =>
  entryOf('login', NOON + seconds, {
    ...{ ip, user: 'anna', server: 'dovecot', what: 'refreshed', tls: true },
    ...fields,
  });
const relayed = (seconds: number, fields: Partial<Entry> = {}): Entry =>
  entryOf('relayed', NOON + seconds, {
    ...{ ip, user: 'anna', server: 'dovecot', id: 'mx A', messages: 1, recipients: 1, bytes: 500 },
    ...fields,
  });
const ended = (seconds: number): Entry => entryOf('ended', NOON + seconds, { ip, what: 'purged' });
const sent = (user: string): Entry => entryOf('sent', NOON, { ip, user, id: 'mx B' });
const refused = (of: IpText, what = 'relay access denied'): Entry =>
  entryOf('refused', NOON + 9, { ip: of, what });

function sumOf(entries: readonly Entry[], since = NOON - 86_400, until = NOON + 3600): Summed {
  const summary = new Summary(since, until);
  for (const block of blocksOf(entries)) summary.take(block);
  return summary.sum();
}

describe('a summary', () => {
  test('relayed: one row for each address and user, in the order of what they sent', () => {
    const { relayed: rows, totals } = sumOf([
      relayed(5, { ip: other }),
      relayed(10),
      relayed(20, { messages: 0, recipients: 2, bytes: 0 }),
      relayed(30, { bytes: 700 }),
      relayed(40, { user: 'bert' }),
      relayed(99_999),
    ]);
    assert.deepEqual(rows, [
      {
        ip,
        user: 'anna',
        server: 'dovecot',
        messages: 2,
        recipients: 4,
        bytes: 1200,
        first: NOON + 10,
        last: NOON + 30,
      },
      {
        ip: other,
        user: 'anna',
        server: 'dovecot',
        messages: 1,
        recipients: 1,
        bytes: 500,
        first: NOON + 5,
        last: NOON + 5,
      },
      {
        ip,
        user: 'bert',
        server: 'dovecot',
        messages: 1,
        recipients: 1,
        bytes: 500,
        first: NOON + 40,
        last: NOON + 40,
      },
    ]);
    assert.deepEqual([totals.messages, totals.recipients, totals.bytes], [4, 6, 2200]);
  });

  test('by day and by hour, also where nothing happened', () => {
    const { days, hours } = sumOf(
      [login(0, { what: 'granted' }), login(-86_400), login(60, { what: 'not encrypted' })],
      NOON - 2 * 86_400,
    );
    assert.deepEqual(
      days.map(([day, { granted, ignored, grants }]) => [day, granted, ignored, grants]),
      [
        ['2026-11-25', 0, 0, 0],
        ['2026-11-26', 1, 0, 0],
        ['2026-11-27', 1, 1, 1],
      ],
    );
    assert.deepEqual(hours.map(({ granted }) => granted).filter(Boolean), [2]);
    assert.equal(hours[12]?.granted, 2);
  });

  test('who still needs it', () => {
    const { needs } = sumOf([
      login(0),
      relayed(1),
      login(0, { user: 'bert@example.org', ip: other }),
      sent('Bert'),
      login(0, { user: 'carl' }),
      sent('carl@example.org'),
      login(0, { user: 'dora' }),
      sent('emil'),
      login(0, { user: null, ip: other }),
    ]);
    assert.deepEqual(
      needs.map(({ user, need, messages, authenticated }) => [user, need, messages, authenticated]),
      [
        ['anna', 'relays', 1, 0],
        ['bert@example.org', 'authenticates', 0, 1],
        ['carl', 'authenticates', 0, 1],
        ['dora', 'never', 0, 0],
        [other, 'never', 0, 0],
      ],
    );
  });

  test('shared addresses, refusals, what was open longest, and what was not encrypted', () => {
    const {
      shared,
      refused: rows,
      longest,
      withoutTls,
      ignored,
    } = sumOf([
      login(0),
      login(5, { user: 'bert', tls: null }),
      login(5, { what: 'excluded', user: 'carl' }),
      ended(900),
      login(1000, { tls: false }),
      refused(ip),
      refused(ip),
      refused(ip, 'another restriction'),
      refused(other),
    ]);
    assert.deepEqual(shared, [{ ip, users: ['anna', 'bert'] }]);
    assert.deepEqual(
      rows.map(row => [row.ip, row.refused]),
      [[ip, 2]],
    );
    assert.deepEqual(
      longest.map(row => row.to - row.from),
      [2600, 900],
    );
    assert.deepEqual(
      withoutTls.map(({ user, tls }) => [user, tls]),
      [
        ['bert', null],
        ['anna', false],
      ],
    );
    assert.deepEqual(ignored, [['excluded', 1]]);
  });
});
