import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { IpText } from '../../src/base/address.ts';
import { type Entry, entryOf } from '../../src/history/entry.ts';
import { Summary } from '../../src/history/summary.ts';
import type { Summed } from '../../src/history/summary-rows.ts';
import { barChart, ticksOf } from '../../src/report/chart.ts';
import { usageHtml } from '../../src/report/usage-html.ts';
import { usageJson, usageText } from '../../src/report/usage-text.ts';
import { blocksOf } from '../history/blocks.ts';

const ip = '198.51.100.7' as IpText;
const NOON = new Date(2026, 10, 27, 12).getTime() / 1000;

function sumOf(...entries: Entry[]): Summed {
  const summary = new Summary(NOON - 86_400, NOON + 3600);
  for (const block of blocksOf(entries)) summary.take(block);
  return summary.sum();
}

const busy = (user: string): Summed =>
  sumOf(
    entryOf('login', NOON, { ip, user, server: 'dovecot', what: 'granted', tls: false }),
    entryOf('login', NOON, {
      ip,
      user: `${user}2`,
      server: 'dovecot',
      what: 'refreshed',
      tls: true,
    }),
    entryOf('relayed', NOON, {
      ip,
      user,
      server: 'dovecot',
      messages: 1,
      recipients: 3,
      bytes: 1500,
    }),
    entryOf('refused', NOON, { ip, what: 'relay access denied' }),
    entryOf('login', NOON, { ip, user, what: user, tls: true }),
  );

describe('the report as text', () => {
  test('has all who need it, and says of other tables how many are left out', () => {
    const users = Array.from({ length: 150 }, (_, at) => `user${at}`);
    const summed = sumOf(
      ...users.map(user =>
        entryOf('login', NOON, { ip, user, server: 'dovecot', what: 'granted', tls: false }),
      ),
    );
    const text = usageText(summed);
    const [needs = '', logins = ''] = ['Who still needs it', 'Logins:'].map(
      title => text.split('\n\n').find(part => part.startsWith(title)) ?? '',
    );
    assert.equal(needs.match(/user\d+/g)?.length, 150);
    assert.equal(logins.match(/user\d+/g)?.length, 100);
    assert.match(logins, /^ {4}and 50 more, which --json has$/m);
    assert.match(usageHtml(summed), /<p>and 50 more, which --json has<\/p>/);
  });

  test('has a table for each question', () => {
    const text = usageText(busy('anna'));
    for (const title of [
      'Who still needs it',
      'Relayed by grants',
      'Logins',
      'Refused relays',
      'Open longest',
      'By day',
    ])
      assert.match(text, new RegExp(`^${title}`, 'm'));
    assert.match(
      text,
      /^ {4}198\.51\.100\.7 {2}anna {2}dovecot +1 +3 +1\.5 kB {2}2026-11-27 12:00:00/m,
    );
    assert.doesNotMatch(text, /undefined|NaN/);
    assert.match(
      text,
      /1 grant; 1 message relayed by grants to 3 recipients .* 1 recipient refused$/m,
    );
  });

  test('says where there is nothing', () => {
    assert.match(usageText(sumOf()), /^Relayed by grants: .*\n {4}none$/m);
  });
});

test('the object has what is promised', () => {
  const { relayed } = JSON.parse(JSON.stringify(usageJson(busy('anna'))));
  assert.deepEqual(relayed, [
    {
      ...{ ip, user: 'anna', server: 'dovecot', messages: 1, recipients: 3, bytes: 1500 },
      ...{
        first: new Date(NOON * 1000).toISOString().replace('.000', ''),
        last: new Date(NOON * 1000).toISOString().replace('.000', ''),
      },
    },
  ]);
});

describe('the page', () => {
  test('needs nothing from elsewhere', () => {
    const page = usageHtml(busy('anna'));
    assert.doesNotMatch(page, /https?:|<script|<link|@import|url\(|src=/);
    assert.match(page, /^<!doctype html>/);
    assert.equal(page.match(/<svg /g)?.length, 4);
    assert.equal(page.match(/<details>/g)?.length, 2);
    assert.doesNotMatch(page, /undefined|NaN/);
  });

  test('a name is a text, whatever is in it', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 30 }),
      fc.constantFrom('</td><script>alert(1)</script>', '"><img onerror=x>', "'&lt;"),
    );
    const tags = (page: string): string[] =>
      (page.match(/<[^>]*>?/g) ?? []).map(tag => tag.replace(/"[^"]*"/g, '""'));
    fc.assert(
      fc.property(hostile, name => {
        assert.deepEqual(tags(usageHtml(busy(`x${name}`))), tags(usageHtml(busy('anna'))));
      }),
      { numRuns: 100 },
    );
  });
});

describe('a chart', () => {
  test('its grid ends above the highest bar, in round steps', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), most => {
        const ticks = ticksOf(most);
        assert.equal(ticks[0], 0);
        assert.ok(
          (ticks.at(-1) ?? 0) >= most && ticks.length >= 2 && ticks.length <= 6,
          String(ticks),
        );
        assert.ok(ticks.every(Number.isInteger));
      }),
    );
  });

  test('a bar is as high as its number', () => {
    const svg = barChart(
      'x',
      ['a', 'b'],
      [
        { name: 'n', values: [4, 2] },
        { name: 'm', values: [0, 2] },
      ],
    );
    const heights = [...svg.matchAll(/height="([\d.]+)"><title>(\w): (\d)/g)].map(
      ([, height, label, value]) => [label, value, Number(height)],
    );
    const whole = Number(heights[0]?.[2]);
    assert.ok(whole > 0);
    assert.deepEqual(heights, [
      ['a', '4', whole],
      ['b', '2', whole / 2],
      ['b', '2', whole / 2],
    ]);
  });
});
