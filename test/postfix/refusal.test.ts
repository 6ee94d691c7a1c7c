import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refusalIn } from '../../src/postfix/refusal.ts';

const TO = 'from=<a@example.org> to=<you@example.net> proto=ESMTP helo=<pc>';

describe('what Postfix refuses', () => {
  const table: [name: string, program: string, message: string, expected: unknown][] = [
    [
      'to relay, now and for ever',
      'postfix/smtpd',
      `NOQUEUE: reject: RCPT from unknown[192.0.2.50]: 554 5.7.1 <you@example.net>: Relay access denied; ${TO}`,
      ['192.0.2.50', 554, true],
    ],
    [
      'to relay for the time being, with the port logged',
      'postfix/submission/smtpd',
      `NOQUEUE: reject: RCPT from pc.example.org[2001:db8::50]:4711: 454 4.7.1 <you@example.net>: Relay access denied; ${TO}`,
      ['2001:db8::50', 454, true],
    ],
    [
      'a later recipient, in another instance',
      'postfix-out/smtpd',
      `3F2A01C0A1: reject: RCPT from pc[192.0.2.50]: 554 5.7.1 <b@example.net>: Relay access denied; ${TO}`,
      ['192.0.2.50', 554, true],
    ],
    [
      'for another reason',
      'postfix/smtpd',
      `NOQUEUE: reject: RCPT from unknown[192.0.2.50]: 450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.50]; ${TO}`,
      ['192.0.2.50', 450, false],
    ],
    [
      'nothing, since it only warns (warn_if_reject)',
      'postfix/smtpd',
      `NOQUEUE: reject_warning: RCPT from unknown[192.0.2.50]: 554 5.7.1 <you@example.net>: Relay access denied; ${TO}`,
      null,
    ],
    ['nothing', 'postfix/smtpd', 'connect from unknown[192.0.2.50]', null],
    [
      'nothing, since it is another program',
      'dovecot',
      `NOQUEUE: reject: RCPT from unknown[192.0.2.50]: 554 5.7.1 <y@example.net>: Relay access denied; ${TO}`,
      null,
    ],
    [
      'nothing, since there is no address',
      'postfix/smtpd',
      `NOQUEUE: reject: RCPT from unknown[unknown]: 554 5.7.1 <y@example.net>: Relay access denied; ${TO}`,
      null,
    ],
  ];
  for (const [name, program, message, expected] of table)
    test(name, () => {
      const found = refusalIn(program, message);
      assert.deepEqual(found && [found.ip, found.code, found.isRelay], expected);
    });

  test('with the sender as the client gave it, or none', () => {
    const line = (from: string) =>
      `NOQUEUE: reject: RCPT from pc[192.0.2.50]: 454 4.7.1 <you@example.net>: Relay access denied; from=<${from}> to=<you@example.net> proto=ESMTP helo=<pc>`;
    assert.equal(refusalIn('postfix/smtpd', line('anna@example.org'))?.sender, 'anna@example.org');
    assert.equal(refusalIn('postfix/smtpd', line(''))?.sender, '');
  });
});
