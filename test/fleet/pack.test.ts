import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { masked } from '../../src/base/excerpt.ts';
import { encode, type PresenceEntry } from '../../src/fleet/entry.ts';
import { isPackable, MOST_LOGINS, pack, unpack } from '../../src/fleet/pack.ts';
import { ip } from '../map/addresses.ts';

const SENDER = { name: 'mx1.example.org', instance: '0123abcd' };
const FROM = { from: SENDER.name, instance: SENDER.instance };

const LOGIN: PresenceEntry = {
  kind: 'login',
  ip: ip('192.0.2.1'),
  time: epoch(1_700_000_000),
  server: 'dovecot',
  user: 'anna@example.org',
  tls: true,
};

const presence: fc.Arbitrary<PresenceEntry> = fc.record(
  {
    kind: fc.constantFrom('login' as const, 'session' as const),
    ip: fc.oneof(fc.ipV4().map(ip), fc.constantFrom(ip('2001:db8::1'), ip('::'))),
    time: fc.integer({ min: 0, max: 9_999_999_999 }).map(epoch),
    server: fc.constantFrom('dovecot', 'uw-imap'),
    user: fc.option(fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }).map(masked)),
    tls: fc.constantFrom(true, false, null),
  },
  { noNullPrototype: true },
);

test('what is packed is unpacked', () => {
  const some = fc.array(presence.filter(isPackable), { minLength: 1, maxLength: MOST_LOGINS });
  fc.assert(
    fc.property(some, entries => {
      assert.deepEqual(unpack(pack(entries, SENDER)), {
        received: entries.map(entry => ({ ...FROM, entry })),
        refused: [],
      });
    }),
  );
});

test('is written as the documentation says', () => {
  const unknown: PresenceEntry = { ...LOGIN, kind: 'session', tls: null, user: null };
  assert.deepEqual(pack([LOGIN, unknown], SENDER), [
    ...['v', '2', 'from', 'mx1.example.org/0123abcd', 'logins'],
    'login 1700000000 192.0.2.1 yes dovecot anna@example.org\nsession 1700000000 192.0.2.1 - dovecot',
  ]);
});

test('an entry of format 1 is one login', () => {
  assert.deepEqual(unpack(encode(LOGIN, SENDER)), {
    received: [{ ...FROM, entry: LOGIN }],
    refused: [],
  });
  assert.deepEqual(unpack(['v', '3']), { received: [], refused: ['another version'] });
});

test('a user with the end of a line, and what is no login, is not for this format', () => {
  assert.ok(!isPackable({ ...LOGIN, user: 'a\nlogin' }));
  const { ip: address, time } = LOGIN;
  assert.ok(!isPackable({ kind: 'withdrawn', ip: address, time, reason: 'too many users' }));
});

describe('what somebody else has written is refused, and the others of its entry are not:', () => {
  const good = 'login 1700000000 192.0.2.1 yes dovecot anna@example.org';
  const table: [line: string, why: string][] = [
    ['', 'not a login'],
    ['logout 1700000000 192.0.2.1 yes dovecot', 'not a login'],
    ['login  192.0.2.1 yes dovecot', 'not a login'],
    ['login 1700000000 192.0.2.1 maybe dovecot', 'not a login'],
    ['login 1700000000 192.0.2.1 yes', 'not a login'],
    ['login 17000000000 192.0.2.1 yes dovecot', 'no time'],
    ['login 1700000000 192.0.2.01 yes dovecot', 'no canonical address'],
    ['login 1700000000 2001:DB8::1 yes dovecot', 'no canonical address'],
    ['login 1700000000 192.0.2.1 yes dove\u001bcot', 'no server'],
    [`login 1700000000 192.0.2.1 yes dovecot ${'a'.repeat(8193)}`, 'a user of too many characters'],
  ];
  for (const [line, why] of table) {
    test(JSON.stringify(line.slice(0, 60)), () => {
      const text = [good, line, good].join('\n');
      const { received, refused } = unpack(['v', '2', 'from', 'a/00000000', 'logins', text]);
      assert.deepEqual(refused, [why]);
      assert.equal(received.length, 2);
    });
  }

  for (const [what, fields, why] of [
    ['another field', ['v', '2', 'from', 'a/00000000', 'x', good], 'not the fields of format 2'],
    [
      'a field too many',
      ['v', '2', 'from', 'a/00000000', 'logins', good, 'x', 'y'],
      'not the fields of format 2',
    ],
    ['no sender', ['v', '2', 'from', 'a b/00000000', 'logins', good], 'no sender'],
    [
      'too many',
      ['v', '2', 'from', 'a/00000000', 'logins', `${good}\n`.repeat(51)],
      'too many logins',
    ],
  ] as const)
    test(what, () => assert.deepEqual(unpack(fields), { received: [], refused: [why] }));

  test('whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.anything()), fc.string(), (fields, text) => {
        unpack(fields);
        unpack(['v', '2', ...fields]);
        unpack(['v', '2', 'from', 'a/00000000', 'logins', text]);
      }),
    );
  });
});
