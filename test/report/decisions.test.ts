import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { canonicalIp, type IpText } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import type { Decision, Outcome } from '../../src/grant/decision.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import type { LoginEvent } from '../../src/recogniser/event.ts';
import {
  debugLines,
  decisionJson,
  decisionLine,
  isAudited,
  withShownUser,
} from '../../src/report/decisions.ts';

before(() => {
  process.env['TZ'] = 'Europe/Berlin';
});

function ip(text: string): IpText {
  const address = canonicalIp(text);
  if (address === null) throw new Error(`not an address: ${text}`);
  return address;
}

/** Fri Mar 22 11:17:58 2002 in Berlin. */
const TIME = epoch(1_016_792_278);

const LOGIN: LoginEvent = {
  event: 'login',
  server: 'dovecot',
  ip: ip('217.235.18.66'),
  user: 'anna',
  time: TIME,
  session: null,
  tls: null,
};

const login = (outcome: Outcome): Decision => ({ kind: 'login', outcome, login: LOGIN });

const READ = 'read ts=Mar 22 11:17:58 ip=217.235.18.66';

test('the lines are those that administrators know', () => {
  const table: [Decision, string[]][] = [
    [
      login({ kind: 'granted', effect: 'added' }),
      [READ, '    accepted --- not in mynetworks', '    written ok'],
    ],
    [
      { kind: 'login', outcome: { kind: 'granted', effect: 'added' }, login: LOGIN, from: 'mx2' },
      [
        'received ts=Mar 22 11:17:58 ip=217.235.18.66 from=mx2',
        '    accepted --- not in mynetworks',
        '    written ok',
      ],
    ],
    [login({ kind: 'refreshed', effect: 'renewed' }), [READ]],
    [login({ kind: 'refreshed', effect: null }), [READ]],
    [login({ kind: 'ignored', reason: 'in mynetworks' }), [READ, '    ignored --- in mynetworks']],
    [login({ kind: 'ignored', reason: 'excluded' }), [READ, '    ignored --- excluded']],
    [login({ kind: 'ignored', reason: 'revoked' }), [READ, '    ignored --- revoked']],
    [
      { kind: 'revoked', orders: [], grants: [{ ip: ip('217.224.233.74'), stamp: TIME }] },
      ['revoking ip=217.224.233.74'],
    ],
    [
      { kind: 'purged', grant: { ip: ip('217.224.233.74'), stamp: epoch(TIME - 3368) } },
      ['purging ts=Fri Mar 22 10:21:50 2002 ip=217.224.233.74'],
    ],
    [
      { kind: 'limit exceeded', login: LOGIN, reason: 'too many users', most: 3, action: 'warn' },
      ['over the limit ip=217.235.18.66 --- too many users'],
    ],
    [login({ kind: 'ignored', reason: 'not encrypted' }), [READ, '    ignored --- not encrypted']],
    [
      {
        kind: 'withdrawn',
        grant: { ip: ip('217.224.233.74'), stamp: epoch(TIME - 3368) },
        reason: 'too many users',
      },
      ['purging ts=Fri Mar 22 10:21:50 2002 ip=217.224.233.74', '    withdrawn --- too many users'],
    ],
  ];
  for (const [decision, lines] of table) assert.deepEqual(debugLines(decision, false), lines);
});

test('nothing claims to be written that is not in the map', () => {
  const written = (decision: Decision, dryRun: boolean): boolean =>
    debugLines(decision, dryRun).some(line => line.includes('written ok'));
  assert.ok(!written(login({ kind: 'granted', effect: null }), false));
  assert.ok(!written(login({ kind: 'granted', effect: 'foreign' }), false));
  assert.ok(!written(login({ kind: 'granted', effect: 'added' }), true));
  assert.ok(
    written(login({ kind: 'refreshed', effect: 'added' }), false),
    'a row taken away by hand',
  );
});

test('what somebody has ordered is audited, and nothing else', () => {
  const grant = { ip: ip('217.224.233.74'), stamp: TIME };
  assert.ok(isAudited({ kind: 'revoked', orders: [], grants: [grant] }));
  assert.ok(isAudited({ kind: 'in force', orders: [] }));
  assert.ok(!isAudited({ kind: 'purged', grant }));
  assert.ok(!isAudited(login({ kind: 'granted', effect: 'added' })));
});

test('who a client of Postfix is stands in the log, without a forged line', () => {
  const decision = {
    kind: 'identified',
    ...{ ip: ip('217.235.18.66'), login: TIME, queueId: '4A1B2C3D4E' },
    holder: { user: 'anna" x=1\nx', server: 'dovecot' },
  } as const;
  const { text, facts } = decisionLine(decision) ?? {};
  const stamp = formatStamp(TIME);
  assert.equal(
    text,
    `client=217.235.18.66 user="anna\\" x=1\\nx" server=dovecot login="${stamp}" queue=4A1B2C3D4E`,
  );
  assert.equal(facts?.['queue'], '4A1B2C3D4E');
  const bare: Decision = {
    ...decision,
    login: null,
    queueId: null,
    holder: { user: null, server: null },
  };
  assert.equal(decisionLine(bare)?.text, 'client=217.235.18.66 user="" server=');
  const shown = withShownUser(decision, () => null);
  assert.ok(!(decisionLine(shown)?.text ?? 'anna').includes('anna'));
});

test('as JSON, what logs tell is an event, and what is ordered by hand is none', () => {
  const grant = { ip: ip('217.224.233.74'), stamp: TIME };
  assert.equal(
    JSON.stringify(decisionJson({ kind: 'withdrawn', grant, reason: 'too many users' })),
    '{"event":"withdrawn","reason":"too many users","ip":"217.224.233.74","time":"2002-03-22T10:17:58Z"}',
  );
  assert.equal(
    JSON.stringify(decisionJson(login({ kind: 'ignored', reason: 'excluded' }))),
    '{"event":"login","outcome":"ignored","reason":"excluded","server":"dovecot","ip":"217.235.18.66","user":"anna","time":"2002-03-22T10:17:58Z"}',
  );
  assert.equal(decisionJson({ kind: 'revoked', orders: [], grants: [grant] }), null);
});
