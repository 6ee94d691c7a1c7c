/** What Postfix logs of clients that may not relay. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { relayRefusalOf } from '../../src/postfix/relay-refusal.ts';

const REST =
  'Relay access denied; from=<anna@example.org> to=<you@example.net> proto=ESMTP helo=<laptop>';
const V4 = `NOQUEUE: reject: RCPT from unknown[192.0.2.50]: 454 4.7.1 <you@example.net>: ${REST}`;
const V6 = V4.replace('192.0.2.50', '2001:db8::1');
const ANNA = '192.0.2.50 anna@example.org';

describe('a refusal', () => {
  const table: readonly (readonly [string, string | null, string, string | null])[] = [
    ['over IPv4, for now', 'postfix/smtpd', V4, ANNA],
    ['for good', 'postfix/submission/smtpd', V4.replace('454 4', '554 5'), ANNA],
    ['over IPv6', 'postfix/smtpd', V6, '2001:db8::1 anna@example.org'],
    ['in a queue file', 'postfix-out/smtpd', V4.replace('NOQUEUE', '4F2aBcD1'), ANNA],
    ['with the port of the client', 'postfix/smtpd', V4.replace('50]:', '50]:4711:'), ANNA],
    ['of the null sender', 'postfix/smtpd', V4.replace('anna@example.org', ''), '192.0.2.50 '],
    ['of another program', 'dovecot', V4, null],
    ['of no program', null, V4, null],
    ['for another reason', 'postfix/smtpd', V4.replace('Relay access', 'Client host'), null],
    ['of an unknown address', 'postfix/smtpd', V4.replace('192.0.2.50', 'unknown'), null],
  ];
  for (const [name, program, message, expected] of table)
    test(name, () => {
      const found = relayRefusalOf(program, message);
      assert.equal(found && `${found.ip} ${found.sender}`, expected);
    });
});
