import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalIp } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import { entriesOf, type MakemapRecord, PLAIN, recordsOf } from '../../src/map/makemap-records.ts';
import type { MakemapForm, Row } from '../../src/map/map.ts';

const ACCESS: MakemapForm = { prefix: 'Connect:', value: 'RELAY' };

const records = (pairs: Readonly<Record<string, string>>): MakemapRecord[] =>
  Object.entries(pairs).map(([key, value]) => ({ key, value }));

const rows = (pairs: Readonly<Record<string, string>>, form: MakemapForm): Row[] =>
  entriesOf(records(pairs), form).flatMap(({ row }) => row ?? []);

const grant = (key: string, stamp: number): Row => ({
  key,
  value: String(stamp),
  stamp: epoch(stamp),
});
const foreign = (key: string, value: string): Row => ({ key, value, stamp: null });

describe('the records of a grant', () => {
  const table: [address: string, form: MakemapForm, made: Record<string, string>][] = [
    ['192.0.2.1', PLAIN, { '192.0.2.1': '9' }],
    ['2001:db8::1', PLAIN, { 'ipv6:2001:db8:0:0:0:0:0:1': '9' }],
    [
      '192.0.2.1',
      ACCESS,
      { 'connect:192.0.2.1': 'RELAY', 'popbsmtp:connect:192.0.2.1': '9 192.0.2.1 RELAY' },
    ],
    [
      '2001:db8::1',
      ACCESS,
      {
        'connect:ipv6:2001:db8:0:0:0:0:0:1': 'RELAY',
        'popbsmtp:connect:ipv6:2001:db8:0:0:0:0:0:1': '9 2001:db8::1 RELAY',
      },
    ],
    [
      '192.0.2.1',
      { prefix: '', value: 'OK' },
      { '192.0.2.1': 'OK', 'popbsmtp:192.0.2.1': '9 192.0.2.1 OK' },
    ],
    [
      '192.0.2.1',
      { prefix: 'Pop:', value: null },
      { 'pop:192.0.2.1': '9', 'popbsmtp:pop:192.0.2.1': '9 192.0.2.1 9' },
    ],
  ];
  for (const [address, form, made] of table) {
    test(`${address} by ${JSON.stringify(form)}, which any form reads`, () => {
      assert.deepEqual(recordsOf(address, '9', form), records(made));
      for (const reader of [form, PLAIN, ACCESS])
        assert.deepEqual(rows(made, reader), [grant(address, 9)]);
    });
  }

  test('of any address, in any form, are read back as it', () => {
    const text = fc.stringMatching(/^[!-~]{1,8}$/).filter(one => !/^popbsmtp:|%/i.test(one));
    fc.assert(
      fc.property(
        fc.oneof(fc.ipV4(), fc.ipV6()).map(one => canonicalIp(one) ?? assert.fail(one)),
        fc.nat(),
        fc.record({
          prefix: fc.oneof(
            fc.constant(''),
            text.map(one => `${one}:`),
          ),
          value: fc.option(text),
        }),
        (address, stamp, form) => {
          const entries = entriesOf(recordsOf(address, String(stamp), form), ACCESS);
          assert.deepEqual(
            entries.map(({ row }) => row),
            [grant(address, stamp)],
          );
        },
      ),
    );
  });
});

describe("records that are not a grant's", () => {
  const table: [what: string, pairs: Record<string, string>, found: Row[]][] = [
    ['a value of its own', { 'connect:192.0.2.1': 'REJECT' }, [foreign('192.0.2.1', 'REJECT')]],
    ['no time', { 'connect:192.0.2.1': 'RELAY' }, [foreign('192.0.2.1', 'RELAY')]],
    [
      'another spelling',
      { 'Connect:IPv6:2001:DB8::1': 'RELAY' },
      [foreign('2001:db8::1', 'RELAY')],
    ],
    ['part of an address', { 'connect:192.0.2': 'RELAY' }, [foreign('connect:192.0.2', 'RELAY')]],
    [
      'a number under another prefix',
      { 'greetpause:192.0.2.1': '5000', 'clientrate:192.0.2.1': '10' },
      [foreign('greetpause:192.0.2.1', '5000'), foreign('clientrate:192.0.2.1', '10')],
    ],
    ['a number', { 'connect:192.0.2.1': '12' }, [foreign('192.0.2.1', '"12"')]],
    ['a tag without an address', { 'ipv6:192.0.2.1': '12' }, [foreign('ipv6:192.0.2.1', '12')]],
    ['an IPv6 address without its tag', { '2001:db8::1': '12' }, [foreign('2001:db8::1', '"12"')]],
    [
      'a time that says something else',
      { 'popbsmtp:192.0.2.1': 'soon' },
      [foreign('popbsmtp:192.0.2.1', 'soon')],
    ],
    [
      'a name',
      { 'popbsmtp:connect:example.org': '9 192.0.2.1 RELAY', 'connect:example.org': 'RELAY' },
      [
        foreign('popbsmtp:connect:example.org', '9 192.0.2.1 RELAY'),
        foreign('connect:example.org', 'RELAY'),
      ],
    ],
  ];
  for (const [what, pairs, found] of table) {
    test(`${what}`, () => assert.deepEqual(rows(pairs, ACCESS), found));
  }

  test('which has been changed since is not ours, and its time is no row', () => {
    const [changed, time] = [
      { 'connect:192.0.2.1': 'REJECT' },
      { 'popbsmtp:connect:192.0.2.1': '9 192.0.2.1 RELAY' },
    ];
    assert.deepEqual(rows({ ...changed, ...time }, ACCESS), [foreign('192.0.2.1', 'REJECT')]);
    assert.deepEqual(rows(time, ACCESS), []);
  });
});
