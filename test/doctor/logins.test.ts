/** Logins that are recognised, missed, rare, or elsewhere. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalIp } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import type { LogState } from '../../src/doctor/log-state.ts';
import type { Tail } from '../../src/doctor/log-tail.ts';
import { judgeLogins } from '../../src/doctor/logins.ts';
import { login, said } from './arrange.ts';
import { facts, HOUR, LOG, NOW, type ReadLog, TAIL } from './log-facts.ts';

describe('logins', () => {
  test('are added up by server over all logs', () => {
    const other = {
      ...LOG,
      tail: {
        ...TAIL,
        logins: [login('10.0.0.3', NOW - 90, { server: 'courier' }), login('10.0.0.1', NOW - 80)],
      },
    };
    assert.deepEqual(said(judgeLogins(facts(LOG, other))), [
      'ok: recognised among the last 20 lines: dovecot 3, courier 1, the last one 30 seconds ago',
    ]);
  });

  test('of no known server are told with what to do', () => {
    const stray = { kind: 'tag', tag: '0123456789ab', server: 'dovecot' } as const;
    const strays = { ...LOG, tail: { ...TAIL, strays: [{ stray, lines: 3 }] } };
    assert.match(
      said(judgeLogins(facts(strays)))[0] ?? '',
      /^warning: .*3 lines under the tag 0123456789ab/,
    );
  });

  test('that are missed are told with one of them', () => {
    const missed = { ...LOG, tail: { ...TAIL, missed: { lines: 3, example: 'Signed in' } } };
    assert.match(said(judgeLogins(facts(missed)))[0] ?? '', /^warning: .*3 lines.*"Signed in"/);
  });

  test('that there are none is told, but not of a log that cannot be read', () => {
    assert.match(
      said(judgeLogins(facts({ ...LOG, tail: { ...TAIL, logins: [] } })))[0] ?? '',
      /^warning: no login was recognised/,
    );
    assert.deepEqual(judgeLogins(facts({ kind: 'input', name: '-' })), []);
  });
});

describe('logins that have become rare', () => {
  /** A log that was written to a moment ago, with logins at these moments, in minutes before now. */
  const after = (minutes: readonly number[], changes: Partial<Tail> = {}): ReadLog => {
    const logins = minutes.map(ago => login('10.0.0.1', NOW - ago * 60));
    return { ...LOG, tail: { ...TAIL, logins, ...changes } };
  };
  const refused = canonicalIp('192.0.2.50');
  assert.ok(refused !== null);
  const refusals = [{ ip: refused, sender: '', time: epoch(NOW - 300) }];
  const table: readonly (readonly [string, LogState, RegExp])[] = [
    ['as often as ever', after([90, 80, 70, 65, 60]), /^ok: /],
    [
      'for an hour',
      after([100, 95, 90, 85, 70]),
      /^warning: no login for 70 minutes, although \/log goes on$/,
    ],
    ['for no longer than in the night', after([900, 890, 880, 870, 240]), /^ok: /],
    ['for a day, of a few', after([1500]), /^warning: no login for 25 hours/],
    ['for a working day, of a few', after([400]), /^ok: /],
    [
      'while clients are refused',
      after([100, 95, 90, 85, 70], { refusals }),
      /^warning: .* and Postfix has refused 1 client since$/,
    ],
    [
      'in a log that is silent as a whole',
      { ...after([100, 95, 90, 85, 70]), modified: epoch(NOW - 2 * HOUR) },
      /^ok: /,
    ],
  ];
  for (const [name, log, expected] of table)
    test(name, () => assert.match(said(judgeLogins(facts(log)))[0] ?? '', expected));
});

describe('logins that are in the journal', () => {
  const judge = (log: ReadLog, time: number): string =>
    said(
      judgeLogins({ ...facts(log), journalLogin: { server: 'dovecot', time: epoch(time) } }),
    )[0] ?? '';

  test('and in the log are no news', () => {
    assert.match(judge(LOG, NOW - 30), /^ok: /);
    assert.match(judge(LOG, NOW + 20), /^ok: /, 'syslog may be late');
  });

  test('and not in the log, which others write to', () => {
    assert.match(
      judge(LOG, NOW + 40),
      /^error: the journal has a login by dovecot of .*\/log none since/,
    );
    const none = { ...LOG, tail: { ...TAIL, logins: [] } };
    assert.match(judge(none, NOW - 30), /^error: .* no login at all/);
    assert.match(judge(none, NOW - 11 * HOUR), /^warning: no login was/, 'the log is too short');
  });

  test('are not looked for where the journal is watched, or has been told of', () => {
    assert.match(judge({ ...LOG, modified: null }, NOW + 40), /^ok: /);
    const ahead = { server: 'dovecot', login: NOW, modified: NOW, isEmpty: false };
    assert.match(judge({ ...LOG, ahead }, NOW + 40), /^ok: /);
  });

  test('are compared by the clock where the stamps of the log are of another zone', () => {
    const zone = {
      ...TAIL,
      logins: [login('10.0.0.1', NOW - 2 * HOUR - 30)],
      lastStamp: epoch(NOW - 2 * HOUR),
    };
    assert.match(judge({ ...LOG, tail: zone }, NOW - 30), /^ok: /);
  });
});
