import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { masked } from '../../src/base/excerpt.ts';
import { decode, type Entry, encode } from '../../src/fleet/entry.ts';
import { MAX_SECONDS } from '../../src/grant/order.ts';
import { ip } from '../map/addresses.ts';

const SENDER = { name: 'mx1.example.org', instance: '0123abcd' };
const NOON = 1_700_000_000;

const FIELDS = {
  v: '1',
  from: 'mx1/0123abcd',
  kind: 'login',
  ip: '198.51.100.1',
  time: String(NOON),
  server: 'dovecot',
  user: 'anna',
  tls: 'yes',
};
const ORDER = { v: '1', from: 'mx1/0123abcd', kind: 'revoke', user: 'anna', made: '1', until: '2' };

const flat = (fields: Record<string, unknown>): unknown[] => Object.entries(fields).flat();
const without = (name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(FIELDS).filter(([key]) => key !== name));

const address = fc.oneof(
  fc.ipV4().map(ip),
  fc.constantFrom(ip('2001:db8::1'), ip('::'), ip('fe80::1:0:0:2')),
);
const user = fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }).map(masked);
const time = fc.integer({ min: 0, max: 9_999_999_999 }).map(epoch);
const span = fc
  .tuple(fc.integer({ min: 0, max: 2e12 }), fc.integer({ min: 0, max: MAX_SECONDS * 1000 }))
  .map(([made, lasts]) => ({ made: epoch(made / 1000), until: epoch((made + lasts) / 1000) }));

const PLAIN = { noNullPrototype: true } as const;

const entries: fc.Arbitrary<Entry> = fc.oneof(
  fc.record(
    {
      kind: fc.constantFrom('login' as const, 'session' as const),
      ip: address,
      time,
      server: fc.constantFrom('dovecot', 'uw-imap'),
      user: fc.option(user),
      tls: fc.constantFrom(true, false, null),
    },
    PLAIN,
  ),
  fc.record(
    {
      kind: fc.constant('withdrawn' as const),
      ip: address,
      time,
      reason: fc.constantFrom('too many users' as const, 'too many addresses' as const),
    },
    PLAIN,
  ),
  fc.tuple(address, span).map(
    ([which, times]): Entry => ({
      kind: 'order',
      order: { kind: 'allow', subject: { kind: 'address', ip: which }, ...times },
    }),
  ),
  fc.tuple(address, user, fc.boolean(), span, fc.constantFrom('revoke', 'lift')).map(
    ([which, name, isUser, times, kind]): Entry => ({
      kind: 'order',
      order: {
        kind,
        subject: isUser ? { kind: 'user', user: name } : { kind: 'address', ip: which },
        ...times,
      },
    }),
  ),
);

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(entries, entry => {
      const received = decode(encode(entry, SENDER));
      assert.deepEqual(received, { from: SENDER.name, instance: SENDER.instance, entry });
    }),
  );
});

describe('what somebody else has written is refused:', () => {
  const table: [what: string, fields: unknown[], why: string][] = [
    ['nothing', [], 'another version'],
    ['a name without a value', ['v'], 'not a list of fields'],
    ['no text', flat({ ...FIELDS, time: 7 }), 'not a list of fields'],
    ['a field twice', [...flat(FIELDS), 'ip', '192.0.2.1'], 'not a list of fields'],
    [
      'very many fields',
      flat({
        ...FIELDS,
        ...Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`x${at}`, ''])),
      }),
      'not a list of fields',
    ],
    ['a field too many', flat({ ...FIELDS, x: '' }), 'a field too many'],
    ['another version', flat({ ...FIELDS, v: '2' }), 'another version'],
    ['no sender', flat(without('from')), 'no sender'],
    ['a sender with a blank', flat({ ...FIELDS, from: 'm x/0123abcd' }), 'no sender'],
    ['a sender with a line end', flat({ ...FIELDS, from: 'mx1/0123abcd\n' }), 'no sender'],
    ['another kind', flat({ ...FIELDS, kind: 'grant' }), 'no such kind'],
    ['a kind from the prototype', flat({ ...FIELDS, kind: 'constructor' }), 'no such kind'],
    ['a network', flat({ ...FIELDS, ip: '10' }), 'no canonical address'],
    [
      'an address in another spelling',
      flat({ ...FIELDS, ip: '::ffff:192.0.2.1' }),
      'no canonical address',
    ],
    ['an address with a zone', flat({ ...FIELDS, ip: 'fe80::1%eth0' }), 'no canonical address'],
    ['no address', flat(without('ip')), 'no canonical address'],
    ['a negative time', flat({ ...FIELDS, time: '-1' }), 'no time'],
    ['a time with a fraction', flat({ ...FIELDS, time: '1.5' }), 'no time'],
    ['a time that is none', flat({ ...FIELDS, time: '1e9' }), 'no time'],
    ['a time far away', flat({ ...FIELDS, time: '10000000000' }), 'no time'],
    ['a server with a line end', flat({ ...FIELDS, server: 'dovecot\nx' }), 'no server'],
    ['no server', flat({ ...FIELDS, server: '' }), 'no server'],
    [
      'an endless user',
      flat({ ...FIELDS, user: 'x'.repeat(9000) }),
      'a user of too many characters',
    ],
    ['half encrypted', flat({ ...FIELDS, tls: 'maybe' }), 'neither encrypted nor not'],
    ['a revocation of nobody', flat({ ...ORDER, user: '' }), 'neither an address nor a user'],
    ['a revocation of both', flat({ ...ORDER, ip: '192.0.2.1' }), 'a field too many'],
    ['an order that ends before it was made', flat({ ...ORDER, until: '0' }), 'no span of time'],
    ['an order for ever', flat({ ...ORDER, until: '99999999999999' }), 'no span of time'],
    ['an allowance of a user', flat({ ...ORDER, kind: 'allow' }), 'no canonical address'],
    [
      'a withdrawal for no reason',
      flat({
        v: '1',
        from: 'a/0123abcd',
        kind: 'withdrawn',
        ip: '192.0.2.1',
        time: '1',
        reason: 'so',
      }),
      'no such reason',
    ],
  ];
  for (const [what, fields, why] of table) {
    test(what, () => assert.equal(decode(fields), why));
  }
});

test('the longest order is taken, whatever the fraction of its second', () => {
  const made = 616_217_759_124;
  const received = (lasts: number): unknown =>
    decode(flat({ ...ORDER, made: String(made), until: String(made + lasts) }));
  assert.equal(typeof received(MAX_SECONDS * 1000), 'object');
  assert.equal(received(MAX_SECONDS * 1000 + 1), 'no span of time');
});

test('whatever is written, it is an entry within bounds, or refused', () => {
  const names = fc.constantFrom(...Object.keys(FIELDS), 'made', 'until', 'reason', 'x');
  const values = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...Object.values(FIELDS), 'revoke', 'allow', 'session', '1', '2'),
    fc.constantFrom(null, 1, {}),
  );
  const changed = fc
    .tuple(names, values)
    .map(([name, value]) => flat({ ...FIELDS, [name]: value }));
  const any = fc.array(fc.oneof(names, values), { maxLength: 40 });
  fc.assert(
    fc.property(fc.oneof(changed, any), fields => {
      const received = decode(fields);
      if (typeof received === 'string') return;
      // What was taken is what would have been written.
      const { from, instance, entry } = received;
      assert.deepEqual(decode(encode(entry, { name: from, instance })), received);
    }),
    { numRuns: 1000 },
  );
});

test('a name that would turn the text around it is received as it would have been read here', () => {
  for (const fields of [FIELDS, ORDER]) {
    const received = decode(flat({ ...fields, user: 'an\u{202e}na\t' }));
    assert.ok(typeof received !== 'string');
    assert.match(JSON.stringify(received.entry), /"an\?na\?"/);
  }
});
