/**
 * Lines behind the headers of relays: read where the relay is trusted, and a second header nowhere else.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { type Line, parseLine } from '../../src/line/prefix.ts';
import { headersBefore, relaysOf } from '../../src/line/relay.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { assertFails } from '../failure.ts';
import { inZone } from './zone.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z') / 1000;
const TIME = Date.parse('2026-11-23T00:53:00Z') / 1000;
const RELAYS = ['loghost-a', '192.0.2.1'];

const parse = (text: string, relays: readonly string[]): Line =>
  inZone('UTC', () =>
    parseLine(text, new StampReader(() => epoch(NOW)), {
      linePrefixes: [],
      relays: new Set(relays),
    }),
  );

const MESSAGE = 'imap-login: Login: user=<anna>';

/** How the line of another host comes: the header of the relay, then its own. */
const FORMS: readonly string[] = [
  'Nov 23 00:53:01 192.0.2.1 <22>Nov 23 00:53:00 mx dovecot: ',
  'Nov 23 00:53:01 loghost-a Nov 23 00:53:00 mx dovecot: ',
  '<22>Nov 23 00:53:01 loghost-a Nov 23 00:53:00 mx dovecot[7]: ',
  '2026-11-23T00:53:01+00:00 loghost-a 2026-11-23T00:53:00+00:00 mx dovecot: ',
  'Nov 23 00:53:01 loghost-a 2026-11-23T01:53:00.123+01:00 mx dovecot[7]: ',
  '2026-11-23T00:53:01Z 192.0.2.1 1 2026-11-23T00:53:00Z mx dovecot 442 - - ',
  'Nov 23 00:53:01 192.0.2.1 <22>1 2026-11-23T00:53:00Z mx dovecot 442 - - ',
  // rsyslog takes what stands before the first colon for the tag.
  'Nov 23 00:53:01 loghost-a 2026-11-23T01: 53:00+01:00 mx dovecot: ',
  'Nov 23 00:53:01 loghost-a <22>1 2026-11-23T00: 53:00Z mx dovecot 442 - - ',
  // No tag, as rsyslog and RFC 5424 write it.
  'Nov 23 00:53:01 loghost-a - <22>Nov 23 00:53:00 mx dovecot: ',
  '<22>1 2026-11-23T00:53:01Z loghost-a - - - - Nov 23 00:53:00 mx dovecot: ',
  '<22>1 2026-11-23T00:53:01Z loghost-a - - - [a@1 x="y"] \xef\xbb\xbf<22>Nov 23 00:53:00 mx dovecot: ',
  'Nov 23 00:53:01 <mail.info> loghost-a Nov 23 00:53:00 mx dovecot: ',
  // From one relay to the next, and in a container's log.
  'Nov 23 00:53:02 192.0.2.1 Nov 23 00:53:01 loghost-a Nov 23 00:53:00 mx dovecot: ',
  '2026-11-23T00:53:05Z stdout F Nov 23 00:53:01 loghost-a Nov 23 00:53:00 mx dovecot: ',
];

describe('a line behind the header of a relay', () => {
  for (const form of FORMS)
    test(form, () => {
      const line = parse(form + MESSAGE, RELAYS);
      assert.deepEqual(
        [line.host, line.program, line.message, line.time],
        ['mx', 'dovecot', MESSAGE, TIME],
      );
      for (const others of [[], ['loghost'], ['mx'], ['loghost-b']])
        assert.equal(parse(form + MESSAGE, others).program, null, others.join());
    });

  test('was written no later than the relay wrote it', () => {
    const line = parse('Nov 23 00:53:00 loghost-a Nov 23 01:53:00 mx dovecot: x', RELAYS);
    assert.equal(line.time, TIME);
  });
});

describe('no line behind a header', () => {
  const table = [
    'Nov 23 00:53:01 loghost-a: Nov 23 00:53:00 mx dovecot: x',
    'Nov 23 00:53:01 loghost-a x: Nov 23 00:53:00 mx dovecot: x',
    'Nov 23 00:53:01 loghost-a x Nov 23 00:53:00 mx dovecot: x',
    'Nov 23 00:53:01 loghost-a "Nov 23 00:53:00 mx dovecot: x',
    'Nov 23 00:53:01 mx loghost-a Nov 23 00:53:00 mx dovecot: x',
    'loghost-a Nov 23 00:53:00 mx dovecot: x',
    'x Nov 23 00:53:01 loghost-a Nov 23 00:53:00 mx dovecot: x',
    '<22>1 2026-11-23T00:53:01Z loghost-a x - - - Nov 23 00:53:00 mx dovecot: x',
    // Not trusted before one that is.
    'Nov 23 00:53:02 mx Nov 23 00:53:01 loghost-a Nov 23 00:53:00 mx dovecot: x',
    'Nov 23 00:53:02 loghost-a Nov 23 00:53:01 mx Nov 23 00:53:00 mx dovecot: x',
  ];
  for (const text of table)
    test(text, () => assert.notEqual(parse(text, RELAYS).program, 'dovecot'));
});

test('what a program says under its tag is never a second header, whatever a stranger has it say', () => {
  const second = fc
    .tuple(
      fc.constantFrom('', '<22>', '- ', '\xef\xbb\xbf', 'loghost-a '),
      fc.constantFrom(...FORMS, 'Nov 23 00:53:00 mx dovecot: '),
    )
    .map(([before, form]) => `${before}${form}${MESSAGE}`);
  const text = fc
    .array(fc.oneof(second, fc.string({ maxLength: 12 }), fc.constantFrom('\t', ' ', ': ', ']: ')))
    .map(parts => parts.join(''));
  const first = fc.constantFrom(
    'Nov 23 00:53:01 loghost-a ',
    '2026-11-23T00:53:01Z loghost-a ',
    '<22>Nov 23 00:53:01 192.0.2.1 ',
    '2026-11-23T00:53:01Z stdout F Nov 23 00:53:01 loghost-a ',
  );
  const tag = fc.constantFrom(
    ...['sshd[7]: ', 'dovecot: ', 'postfix/smtpd[99]: ', 'kernel: ', 'x:', 'mail.info x: '],
    ...['a-b[7]:', 'CRON[1]: ', 'Nov: ', '2026: ', '-: '],
  );
  fc.assert(
    fc.property(first, tag, text, (header, by, words) => {
      const line = `${header}${by}${words}`;
      assert.deepEqual(parse(line, RELAYS), parse(line, []));
      assert.deepEqual(
        headersBefore(line, () => true),
        [],
      );
    }),
    { numRuns: 5000 },
  );
});

test('naming relays changes no line that is understood without', () => {
  const part = fc.constantFrom(
    ...FORMS.flatMap(form => form.split(/(?<= )/)),
    ...['dovecot: ', 'x[7]: ', 'mx ', 'Info: ', '- '],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), parts => {
      const text = parts.join('');
      const alone = parse(text, []);
      const all = [...RELAYS, 'mx', 'dovecot', '-', 'x'];
      if (alone.program !== null) assert.deepEqual(parse(text, all), alone);
    }),
    { numRuns: 5000 },
  );
});

test('a name that can stand in no header is an error', () => {
  const given = (...value: readonly string[]) => ({ value, origin: '--trusted-relays' });
  assert.deepEqual(relaysOf(given('a', '2001:db8::1', 'src@relay/mx')).size, 3);
  for (const name of ['', 'a b', 'relay:', '[a]', 'a,b'])
    assertFails(() => relaysOf(given('a', name)), 'TRUSTED_RELAY', '--trusted-relays');
});
