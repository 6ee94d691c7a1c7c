import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Damage } from '../../src/map/lmdb-meta.ts';
import { changeScript, makeScript, parseContents } from '../../src/map/nft-set.ts';
import { isEndless } from '../../src/map/row.ts';
import { ip } from './addresses.ts';

const NAME = { family: 'inet', table: 'filter', set: 'pop' } as const;

const TABLES = JSON.stringify({
  nftables: [
    { metainfo: { version: '1.0.6' } },
    { table: { family: 'ip', name: 'filter', handle: 1 } },
    { table: { family: 'inet', name: 'filter', handle: 7 } },
  ],
});

/** As nft 1.0.6 prints it. */
const printed = (version: 4 | 6, elem?: readonly unknown[], other: object = {}): string =>
  JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      {
        set: {
          family: 'inet',
          name: `pop${version}`,
          table: 'filter',
          type: `ipv${version}_addr`,
          handle: version,
          flags: ['timeout'],
          ...(elem && { elem }),
          ...other,
        },
      },
    ],
  });

const parse = (four: string, six = printed(6), tables = TABLES) =>
  parseContents({ tables, sets: { 4: four, 6: six } }, NAME);

const element = (val: unknown, timeout: number, expires: number, comment?: string) => ({
  elem: { val, timeout, expires, ...(comment !== undefined && { comment }) },
});

describe('what nft says of two sets', () => {
  test('is which they are, and what is in them', () => {
    const contents = parse(
      printed(4, [
        element('192.0.2.1', 905, 500, 'popbsmtp 1795817958'),
        '192.0.2.9',
        element('192.0.2.10', 60, 30),
        element('192.0.2.11', 60, 30, 'popbsmtp soon'),
        { elem: { val: '192.0.2.12', comment: 'popbsmtp 5' } },
      ]),
      printed(6, [element('2001:db8::1', 905, 0, 'popbsmtp 5')]),
    );
    assert.equal(contents?.table, '7');
    assert.equal(contents.identity, '7:4:6');
    assert.deepEqual(Object.fromEntries(contents.leases), {
      '192.0.2.1': { stamp: 1795817958, expires: 500 },
      '2001:db8::1': { stamp: 5, expires: 0 },
    });
    assert.deepEqual(
      contents.others.map(row => `${row.key} ${row.value}${isEndless(row) ? ', endless' : ''}`),
      [
        '192.0.2.9 no timeout, endless',
        '192.0.2.10 timeout 60s',
        '192.0.2.11 timeout 60s',
        '192.0.2.12 no timeout, endless',
      ],
    );
  });

  test('is nothing without the table, or without a set, unless the other is no such set', () => {
    const sets = (four: string) =>
      parseContents({ tables: TABLES, sets: { 4: four, 6: null } }, NAME);
    assert.equal(sets(printed(4)), null);
    assert.throws(() => sets(printed(4, [], { flags: ['interval'] })), Damage);
    assert.equal(parse(printed(4), printed(6), JSON.stringify({ nftables: [] })), null);
  });

  for (const [what, text] of [
    ['of another type', printed(4, [], { type: 'inet_service' })],
    ['without timeouts', printed(4, [], { flags: undefined })],
    ['of intervals', printed(4, [], { flags: ['timeout', 'interval'] })],
    ['of another name', printed(6)],
    ['no JSON', 'table inet filter {'],
    ['something else', '[]'],
  ] as const)
    test(`is refused of a set that is ${what}`, () => {
      assert.throws(() => parse(text), Damage);
    });

  test('is contents or damage, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), elem => {
        try {
          parse(printed(4, [elem, element(elem, 5, 5, 'popbsmtp 5')]));
        } catch (error) {
          assert.ok(error instanceof Damage);
        }
      }),
    );
  });
});

describe('what nft is told', () => {
  test('to make the sets', () => {
    assert.equal(
      makeScript(NAME),
      'add table inet filter\nadd set inet filter pop4 { type ipv4_addr; flags timeout; }\n' +
        'add set inet filter pop6 { type ipv6_addr; flags timeout; }\n',
    );
  });

  test('to take elements away before it makes others, in the set of each', () => {
    const row = (address: string) => ({ ip: ip(address), stamp: '5', timeout: 905 });
    const script = changeScript(
      NAME,
      ['192.0.2.1', '::1'].map(ip),
      ['192.0.2.1', '192.0.2.2'].map(row),
    );
    assert.equal(
      script,
      'delete element inet filter pop4 { 192.0.2.1 }\n' +
        'create element inet filter pop4 { 192.0.2.1 timeout 905s comment "popbsmtp 5", 192.0.2.2 timeout 905s comment "popbsmtp 5" }\n' +
        'delete element inet filter pop6 { ::1 }\n',
    );
    assert.equal(changeScript(NAME, [], []), '');
    const long = changeScript(NAME, [], [{ ...row('::1'), timeout: 200_000_000 }]);
    assert.match(long, / timeout 2314d70400s /);
  });
});
