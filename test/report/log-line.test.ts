import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Decision, Outcome } from '../../src/grant/decision.ts';
import { decisionLine } from '../../src/report/decisions.ts';
import { noticeLine } from '../../src/report/log-line.ts';
import { ip } from '../map/addresses.ts';

before(() => {
  process.env['TZ'] = 'Europe/Berlin';
});

/** Fri Mar 22 11:17:58 2002 in Berlin. */
const TIME = epoch(1_016_792_278);
const A = ip('217.235.18.66');
const WHO = { ip: A, user: 'anna "x', server: 'dovecot', login: '2002-03-22T10:17:58Z' };
const login = {
  event: 'login',
  server: 'dovecot',
  ip: A,
  user: 'anna "x',
  time: TIME,
  session: null,
  tls: null,
} as const;
const told = (outcome: Outcome): Decision => ({ kind: 'login', login, outcome });
const grant = { ip: A, stamp: TIME };

test('each grant, end and refusal is one line, with who, from where and why', () => {
  const who = 'ip=217.235.18.66 user="anna \\"x" server=dovecot';
  const table: readonly (readonly [Decision, string, string, object])[] = [
    [told({ kind: 'granted', effect: 'added' }), 'info', `granted ${who}`, { event: 'granted' }],
    [
      told({ kind: 'ignored', reason: 'not encrypted' }),
      'info',
      `ignored ${who} reason="not encrypted"`,
      { event: 'ignored', reason: 'not encrypted' },
    ],
    [
      told({ kind: 'granted', effect: 'foreign' }),
      'info',
      `left alone ${who} reason="row of the administrator"`,
      { event: 'left alone', reason: 'row of the administrator' },
    ],
    [
      { kind: 'limit exceeded', login, reason: 'too many users', most: 3, action: 'warn' },
      'warn',
      `limit exceeded ${who} reason="too many users" most=3 action=warn`,
      { event: 'limit exceeded', reason: 'too many users', most: 3, action: 'warn' },
    ],
  ];
  for (const [decision, level, text, facts] of table) {
    assert.deepEqual(decisionLine(decision), { level, text, facts: { ...WHO, ...facts } });
  }
  const end = { ip: A, user: null, server: null, login: '2002-03-22T10:17:58Z' };
  assert.deepEqual(decisionLine({ kind: 'purged', grant }), {
    level: 'info',
    text: 'purged ip=217.235.18.66 login="Mar 22 11:17:58"',
    facts: { event: 'purged', ...end },
  });
  assert.deepEqual(decisionLine({ kind: 'withdrawn', grant, reason: 'too many addresses' }), {
    level: 'info',
    text: 'withdrawn ip=217.235.18.66 login="Mar 22 11:17:58" reason="too many addresses"',
    facts: { event: 'withdrawn', ...end, reason: 'too many addresses' },
  });
  const holder = { user: 'a"b', server: 'dovecot' };
  assert.deepEqual(decisionLine({ kind: 'purged', grant, holder }), {
    level: 'info',
    text: 'purged ip=217.235.18.66 user="a\\"b" server=dovecot login="Mar 22 11:17:58"',
    facts: { event: 'purged', ...end, ...holder },
  });
});

test('what happens all the time is not told', () => {
  for (const decision of [
    told({ kind: 'refreshed', effect: 'renewed' }),
    { kind: 'kept', grant },
    {
      kind: 'logout',
      ip: A,
      logout: { event: 'logout', server: 'x', user: 'a', ip: A, time: TIME, session: null },
    },
  ] as const)
    assert.equal(decisionLine(decision), null);
});

test('a line without a stamp, and one that names nobody', () => {
  const outcome: Outcome = { kind: 'ignored', reason: 'no time stamp' };
  const line = decisionLine({
    kind: 'login',
    outcome,
    login: { ...login, user: null, time: null },
  });
  assert.equal(
    line?.text,
    'ignored ip=217.235.18.66 user="" server=dovecot reason="no time stamp"',
  );
  assert.deepEqual([line?.facts?.['user'], line?.facts?.['login']], [null, null]);
});

test('notices and troubles tell programs what they are about', () => {
  assert.deepEqual(
    decisionLine({ kind: 'map failed', line: 'no space', seconds: 0, overdue: 0 })?.facts,
    {
      event: 'map failed',
      seconds: 0,
      overdue: 0,
    },
  );
  const lasting = { kind: 'map failed', line: 'locked', seconds: 960, overdue: 3 } as const;
  assert.match(decisionLine(lasting)?.text ?? '', /, for 16m now; 3 rows still to be taken out$/);
  assert.deepEqual(decisionLine({ kind: 'map recovered', changes: 3 })?.facts, {
    event: 'map recovered',
    rows: 3,
  });
  assert.deepEqual(decisionLine({ kind: 'evicted', grants: [grant] })?.facts, {
    event: 'evicted',
    grants: 1,
  });
  assert.deepEqual(noticeLine({ kind: 'missing', path: '/var/log/mail.log' }), {
    level: 'warn',
    text: '/var/log/mail.log does not exist yet; waiting for it',
    facts: { event: 'source', source: '/var/log/mail.log', state: 'missing' },
  });
});

test('what another host has told says which one', () => {
  const order = {
    kind: 'revoke',
    subject: { kind: 'address', ip: A },
    made: TIME,
    until: TIME,
  } as const;
  const table: [Decision, string][] = [
    [
      {
        kind: 'login',
        login: { ...login, user: 'anna' },
        outcome: { kind: 'granted', effect: 'added' },
        from: 'mx2',
      },
      'granted ip=217.235.18.66 user="anna" server=dovecot from=mx2',
    ],
    [
      {
        kind: 'login',
        login: { ...login, user: 'anna' },
        outcome: { kind: 'ignored', reason: 'excluded' },
        from: 'mx2',
      },
      'ignored ip=217.235.18.66 user="anna" server=dovecot reason="excluded" from=mx2',
    ],
    [
      { kind: 'withdrawn', grant, reason: 'too many users', from: 'mx2' },
      'withdrawn ip=217.235.18.66 login="Mar 22 11:17:58" reason="too many users" from=mx2',
    ],
    [
      { kind: 'allowed', order: { ...order, kind: 'allow' }, effect: 'added', from: 'mx2' },
      'allowed ip=217.235.18.66 until="Mar 22 11:17:58" by=fleet from=mx2',
    ],
    [
      {
        kind: 'allowed',
        order: { ...order, kind: 'allow', until: epoch(order.until + 366 * 86_400) },
        effect: 'added',
        from: 'mx2',
      },
      'allowed ip=217.235.18.66 until="Sun Mar 23 11:17:58 2003" by=fleet from=mx2',
    ],
    [
      { kind: 'revoked', orders: [order], grants: [grant], from: 'mx2' },
      'revoked ip=217.235.18.66 until="Mar 22 11:17:58" grants=1 by=fleet from=mx2',
    ],
    [
      {
        kind: 'lifted',
        orders: [{ ...order, kind: 'lift' }],
        ended: [order],
        grants: [grant],
        from: 'mx2',
      },
      'lifted ip=217.235.18.66 grants=1 by=fleet from=mx2',
    ],
  ];
  for (const [decision, text] of table) {
    const line = decisionLine(decision);
    assert.deepEqual([line?.text, line?.facts?.['from']], [text, 'mx2']);
  }
});

test('what was lifted and had never been ordered is no line', () => {
  const lift = {
    kind: 'lift',
    subject: { kind: 'user', user: 'anna' },
    made: epoch(0),
    until: epoch(1),
  } as const;
  const nothing = { kind: 'lifted', orders: [lift], ended: [], grants: [] } as const;
  assert.equal(decisionLine(nothing), null);
});

test('an order that had to go is told with what to do', () => {
  const order = {
    kind: 'revoke',
    subject: { kind: 'user', user: 'anna' },
    made: epoch(0),
    until: epoch(1),
  } as const;
  const line = decisionLine({ kind: 'order bounded', what: 'dropped', order });
  assert.match(line?.text ?? '', /one was dropped; .*lift.*: revoke user="anna" until=/);
  assert.deepEqual(
    [line?.level, line?.facts?.event, line?.facts?.['user']],
    ['warn', 'order dropped', 'anna'],
  );
});

test('the connection to the fleet is told with what it goes on with', () => {
  const path = 'redis://h:6379/0';
  assert.equal(noticeLine({ kind: 'connected', path }).text, `fleet: connected to ${path}`);
  const lost = noticeLine({ kind: 'lost', path, reason: 'connect ECONNREFUSED' });
  assert.deepEqual([lost.level, lost.facts?.['state']], ['warn', 'lost']);
  assert.match(lost.text, /^fleet: no connection to redis:\/\/h:6379\/0: connect ECONNREFUSED; /);
});
