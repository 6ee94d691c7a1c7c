import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalIp } from '../../src/base/address.ts';
import type { Lookup } from '../../src/doctor/map-naming.ts';
import { PLAIN, relayForms } from '../../src/doctor/relay-forms.ts';
import { findPlace, strangerAddress } from '../../src/doctor/relay-place.ts';
import { judgeRelay, type RelayFacts } from '../../src/doctor/relay-verdicts.ts';
import { postfixWords } from '../../src/doctor/relay-words.ts';
import type { Reply } from '../../src/doctor/smtp-session.ts';
import { postfixWith, said } from './arrange.ts';

const reply = (text: string): Reply => ({ code: Number(text.slice(0, 3)), text });
const REFUSED = reply('554 5.7.1 Relay access denied');
const TAKEN = reply('250 2.1.5 Ok');

const FORMS = relayForms('example.org', '[127.0.0.1]');

const answers = (strange: Reply, plain = strange) =>
  FORMS.map(form => ({ form, reply: form === PLAIN ? plain : strange }));

function judge(
  strange: Reply,
  granted: Reply,
  afterwards: Reply,
  plain = strange,
  {
    lookup = null,
    wholeAddresses = false,
    override = null,
  }: { lookup?: Lookup | null; wholeAddresses?: boolean; override?: string | null } = {},
): string {
  const from = canonicalIp('127.0.0.9');
  assert.ok(from !== null);
  const facts: RelayFacts = {
    kind: 'tested',
    from,
    endpoint: { host: '127.0.0.1', port: 25 },
    strange: answers(strange, plain),
    granted: { kind: 'tried', result: granted, leftOver: null },
    afterwards,
    lookup,
    wholeAddresses,
    words: postfixWords(override),
  };
  return said(judgeRelay(facts)).join('\n');
}

describe('the relay test', () => {
  const table: readonly (readonly [string, string, RegExp])[] = [
    ['as it should be', judge(REFUSED, TAKEN, REFUSED), /^ok: strangers are refused in 23 forms/],
    ['deferring strangers', judge(reply('454 4.7.1 Relay access denied'), TAKEN, REFUSED), /^ok: /],
    [
      'deferring strangers without a name',
      judge(
        reply(
          '450 4.4.0 <relaytest@example.com>... Relaying temporarily denied. Cannot resolve PTR record for 127.1.2.3',
        ),
        TAKEN,
        REFUSED,
      ),
      /^ok: /,
    ],
    [
      'open',
      judge(TAKEN, TAKEN, TAKEN),
      /^error: strangers may relay at 127\.0\.0\.1:25, .*23 of 23[^\n]*$/,
    ],
    [
      'open in all forms but the plain one',
      judge(TAKEN, TAKEN, REFUSED, REFUSED),
      /^error: .*22 of 23/,
    ],
    [
      'a grant that does nothing',
      judge(REFUSED, REFUSED, REFUSED),
      /^error: a client may not relay/,
    ],
    [
      'a grant, and another reason',
      judge(REFUSED, reply('550 5.1.2 Domain not found'), REFUSED),
      /^warning: .*Domain not found/,
    ],
    ['a grant without an end', judge(REFUSED, TAKEN, TAKEN), /^error: a client may still relay/],
    [
      'TLS first',
      judge(reply('530 5.7.0 Must issue a STARTTLS command first'), REFUSED, REFUSED),
      /^warning: .*STARTTLS/,
    ],
    [
      'a broken table',
      judge(reply('451 4.3.0 lookup failure'), REFUSED, REFUSED),
      /^error: Postfix defers all mail/,
    ],
    ['greylisting', judge(reply('450 4.2.0 later'), TAKEN, REFUSED), /^warning: .*cannot be told/],
  ];
  for (const [name, found, expected] of table) test(name, () => assert.match(found, expected));
});

test('a refusal of the grant that is not about relaying proves nothing', () => {
  const hostname = reply('550 5.7.25 Client host rejected: cannot find your hostname');
  assert.match(
    judge(hostname, hostname, hostname),
    /^warning: whether a row opens .*your hostname/,
  );
});

describe('what smtpd looks up', () => {
  const seen = (lookup: Lookup, wholeAddresses: boolean): string =>
    judge(REFUSED, TAKEN, REFUSED, REFUSED, { lookup, wholeAddresses });
  for (const [lookup, wholeAddresses, expected] of [
    ['parts', true, /^error: whole-addresses is set, but a row opens .* longer/m],
    ['parts', false, /^ok: a row opens the relay for longer .* other networks$/m],
    ['whole', true, /^ok: a row opens the relay for its own address only/m],
    ['whole', false, /^ok: a row opens the relay for its own address only/m],
  ] as const)
    test(`${lookup}, ${wholeAddresses ? 'with' : 'without'} the option`, () => {
      const told = seen(lookup, wholeAddresses);
      assert.match(told, expected);
      assert.match(told, /^ok: strangers are refused/);
    });
});

describe('the stranger', () => {
  const choose = (mynetworks: string, host = '127.0.0.1', taken: readonly string[] = []) =>
    strangerAddress(
      {
        endpoint: { host, port: 25 },
        domain: 'example.org',
        mynetworks,
        override: null,
        isProxied: false,
      },
      { postfixConfig: null, taken: new Set(taken), wholeAddresses: false },
      ['127.0.0.1', '203.0.113.5', '203.0.113.6', '::1', 'fe80::1', 'fd00::5', '2001:db8::5'],
    );

  test('comes from a loopback address where that is none of mynetworks', async () => {
    assert.match((await choose('127.0.0.1/32')) ?? '', /^127\./);
    assert.match((await choose('')) ?? '', /^127\./);
    assert.equal(await choose('', '::1'), '::1');
  });

  test('else from an interface', async () => {
    assert.equal(await choose('127.0.0.0/8'), '203.0.113.5');
    assert.equal(await choose('127.0.0.0/8', '127.0.0.1', ['203.0.113.5']), '203.0.113.6');
    assert.equal(await choose('[::1]/128', '::1'), '2001:db8::5');
  });

  test('else from nowhere', async () => {
    assert.equal(await choose('0.0.0.0/0 [::]/0'), null);
    assert.equal(await choose('0.0.0.0/0 [::]/0', '::1'), null);
  });
});

test('every form asks for a domain that is nobody', () => {
  for (const { recipient } of FORMS) assert.match(recipient, /example\.com/);
  assert.equal(new Set(FORMS.map(({ name }) => name)).size, FORMS.length);
});

describe('where Postfix listens', () => {
  const find = (services: string, mainCf = '', overrides = ''): string | null => {
    const place = findPlace(postfixWith(mainCf, services, overrides), '/nonexistent');
    return place && `${place.endpoint.host} ${place.endpoint.port}`;
  };
  const table: readonly (readonly [string, string | null])[] = [
    ['smtp inet n - n - - smtpd', '127.0.0.1 25'],
    ['25 inet n - n - - smtpd', '127.0.0.1 25'],
    ['smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd', '127.0.0.1 25'],
    ['127.0.0.1:10025 inet n - n - - smtpd\n192.0.2.5:25 inet n - n - - smtpd', '192.0.2.5 25'],
    ['[::1]:2525 inet n - n - - smtpd', '::1 2525'],
    ['2525 inet n - n - - smtpd', '127.0.0.1 2525'],
    ['unknown-name inet n - n - - smtpd', null],
    ['pickup unix n - n 60 1 pickup', null],
  ];
  for (const [services, expected] of table)
    test(services.replace('\n', '; '), () => assert.equal(find(services), expected));

  test('as main.cf says', () => {
    const smtp = 'smtp inet n - n - - smtpd';
    assert.equal(find(smtp, 'inet_interfaces = 192.0.2.5, 127.0.0.1\n'), '192.0.2.5 25');
    assert.equal(find(smtp, 'inet_interfaces = all\ninet_protocols = ipv6\n'), '::1 25');
    assert.equal(find(smtp, '', 'smtp/inet/smtpd_tls_wrappermode = yes\n'), null);
  });
});
