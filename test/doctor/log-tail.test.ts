/** What the last part of a log tells the doctor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { tailOf } from '../../src/doctor/log-tail.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });
const NOON = Date.parse('2026-11-25T12:00:00Z') / 1000;

test('logins, refusals and the times of a log', () => {
  const lines = [
    'a line without a stamp',
    '2026-11-25T11:00:00Z mx postfix/smtpd[7]: connect from unknown[192.0.2.50]',
    '2026-11-25T11:00:01Z mx postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.50]: 554 5.7.1 <you@example.net>: Relay access denied; from=<anna@example.org> to=<you@example.net> proto=ESMTP helo=<x>',
    '2026-11-25T11:00:02Z mx dovecot: imap-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=1, session=<a>',
    '2026-11-25T11:00:03Z mx dovecot: imap-login: Signed in: user=<anna>, rip=198.51.100.7, lip=192.0.2.5',
  ];
  const tail = tailOf(lines, registry, () => new StampReader(() => epoch(NOON)));
  const start = NOON - 3600;
  assert.equal(tail.lines, 5);
  assert.deepEqual(
    tail.logins.map(({ ip, user, time }) => [ip, user, time]),
    [['198.51.100.7', 'anna', start + 2]],
  );
  assert.deepEqual(tail.refusals, [
    { ip: '192.0.2.50', sender: 'anna@example.org', time: start + 1 },
  ]);
  assert.equal(tail.missed.lines, 1);
  assert.deepEqual([tail.firstStamp, tail.lastStamp], [start, start + 3]);
});

test('what is no server of ours is read for what is worth a word only', () => {
  const stranger =
    '2026-11-25T11:00:00Z mx 0123456789ab[1]: imap-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=1, session=<a>';
  const tail = tailOf([], registry, () => new StampReader(() => epoch(NOON)), [stranger, stranger]);
  assert.deepEqual([tail.lines, tail.logins, tail.lastStamp], [0, [], null]);
  assert.deepEqual(tail.strays, [
    { stray: { kind: 'tag', tag: '0123456789ab', server: 'dovecot' }, lines: 2 },
  ]);
});
