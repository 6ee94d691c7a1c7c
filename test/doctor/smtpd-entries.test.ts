/** Which entries of the journal are smtpd's own words. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { smtpdLines } from '../../src/doctor/smtpd-entries.ts';

const POSTFIX = 102;
const REFUSED =
  'NOQUEUE: reject: RCPT from unknown[192.0.2.50]: 554 5.7.1 <you@example.net>: Relay access denied; from=<anna@example.org> to=<you@example.net> proto=ESMTP helo=<x>';

const entry = (uid: number | null, changes: Readonly<Record<string, string>> = {}): string =>
  JSON.stringify({
    __CURSOR: 's=1',
    __REALTIME_TIMESTAMP: '1794000000000000',
    SYSLOG_IDENTIFIER: 'postfix/smtpd',
    MESSAGE: REFUSED,
    _HOSTNAME: 'mx',
    _PID: '7',
    _TRANSPORT: 'syslog',
    ...(uid === null ? {} : { _UID: `${uid}` }),
    ...changes,
  });

describe('an entry of smtpd', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['of the account of Postfix counts', entry(POSTFIX), true],
    ['of root counts', entry(0), true],
    ['by the protocol of the journal counts', entry(POSTFIX, { _TRANSPORT: 'journal' }), true],
    ['of a local user does not', entry(1000), false],
    ['of nobody at all does not', entry(null), false],
    ['that came by a stream does not', entry(POSTFIX, { _TRANSPORT: 'stdout' }), false],
    ['of a container does not', entry(0, { CONTAINER_ID: 'a' }), false],
    ['of another program does not', entry(0, { SYSLOG_IDENTIFIER: 'su' }), false],
  ];
  for (const [name, json, counts] of table)
    test(name, () => assert.equal(smtpdLines([json], [POSTFIX], false).length, counts ? 1 : 0));

  test('is the line that a file would have', () => {
    assert.deepEqual(smtpdLines([entry(0)], [], false), [
      `2026-11-06T21:20:00.000000Z mx postfix/smtpd[7]: ${REFUSED}`,
    ]);
  });

  test('of anybody counts where every sender is trusted', () => {
    assert.equal(smtpdLines([entry(1000)], [], true).length, 1);
  });

  test('of the account of Postfix does not count where it is not known', () => {
    assert.deepEqual(smtpdLines([entry(POSTFIX)], [], false), []);
  });
});
