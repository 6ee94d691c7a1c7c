import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { GrantRow } from '../../src/control/protocol.ts';
import { Grace } from '../../src/grant/grace.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import type { Row } from '../../src/map/map.ts';
import { paintFor } from '../../src/report/colour.ts';
import {
  countText,
  type Listed,
  listedRows,
  ordersText,
  rowsJson,
  rowsText,
} from '../../src/report/list-rows.ts';
import { ip } from '../map/addresses.ts';

const NOON = 1_700_000_000;
const GRACE = new Grace(900);

const row = (key: string, stamp: number | null = NOON): Row => ({
  key,
  value: stamp === null ? 'OK' : String(stamp),
  stamp: stamp === null ? null : epoch(stamp),
});

const known = (...rows: GrantRow[]) => new Map(rows.map(each => [each[0], each]));

const textOf = (rows: readonly Listed[], header = false): string[] =>
  rowsText(rows, header)(rows, true).split('\n').slice(0, -1);

test('rows are sorted by address as a number, IPv4 first, other keys last', () => {
  const keys = [
    'example.org',
    '2001:db8::1',
    '::2',
    '198.51.100.20',
    '10',
    '198.51.100.3',
    '9.9.9.9',
  ];
  assert.deepEqual(
    listedRows(
      keys.map(key => row(key)),
      { details: null, grace: GRACE },
      NOON,
    ).map(listed => listed.row.key),
    ['9.9.9.9', '198.51.100.3', '198.51.100.20', '::2', '2001:db8::1', '10', 'example.org'],
  );
});

describe('the end of a grant', () => {
  const table: [title: string, stamp: number | null, left: number | null][] = [
    ['is reckoned from the row', NOON - 100, 800],
    ['is past when it is', NOON - 5000, 0],
    ['of a row from the future counts from now', NOON + 5000, 900],
    ["of a row of the administrator's never comes", null, null],
  ];
  for (const [title, stamp, left] of table) {
    test(`${title}, without a daemon`, () => {
      const [listed] = listedRows(
        [row('198.51.100.1', stamp)],
        { details: null, grace: GRACE },
        NOON,
      );
      assert.equal(listed?.expiresIn, left);
    });
  }

  test('is what the daemon says, with one', () => {
    const details = known([ip('198.51.100.1'), 7, 'anna', 'dovecot', NOON - 60, NOON - 5]);
    const [first, second] = listedRows(
      [row('198.51.100.1'), row('198.51.100.2')],
      { details, grace: GRACE },
      NOON,
    );
    assert.deepEqual(
      [first?.expiresIn, first?.user, first?.server, first?.since, first?.lastLogin],
      [7, 'anna', 'dovecot', NOON - 60, NOON - 5],
    );
    assert.deepEqual(
      [second?.expiresIn, second?.user],
      [GRACE.standard, null],
      'written after it was asked',
    );
  });
});

describe('what a row is there for', () => {
  const at = ip('198.51.100.1');
  const told = (left: number, others: string[], until: number | null, sessions: number) =>
    known([at, left, 'anna', 'dovecot', NOON, NOON, others, until, sessions]);
  const table: [state: string, details: ReturnType<typeof known>][] = [
    ['login', told(7, [], null, 0)],
    ['session open', told(7, [], null, 2)],
    ['by hand', told(7200, [], NOON + 7200, 0)],
    ['due', told(0, [], null, 0)],
    ['login', known([at, 7, 'anna', 'dovecot', NOON, NOON])],
  ];
  for (const [state, details] of table) {
    test(`is ${state}, as the daemon tells`, () => {
      const rows = listedRows([row(at)], { details, grace: GRACE }, NOON);
      assert.equal(rows[0]?.state, state);
      assert.ok(textOf(rows)[0]?.includes(`  ${state}  `));
    });
  }

  test('is reckoned without one, from orders and what is due', () => {
    const keys = ['198.51.100.1', '198.51.100.2', '198.51.100.3'];
    const reckoned = {
      details: null,
      allowed: new Map([['198.51.100.2', NOON + 7200]]),
      due: new Set(['198.51.100.3']),
      grace: GRACE,
    };
    assert.deepEqual(
      listedRows(
        keys.map(key => row(key)),
        reckoned,
        NOON,
      ).map(({ state, expiresIn }) => [state, expiresIn]),
      [
        ['login', 900],
        ['by hand', 7200],
        ['due', 0],
      ],
    );
  });

  test('all users are shown, and what there is of each state is counted', () => {
    const details = told(7, ['bert', 'carl'], null, 0);
    const rows = listedRows([row(at), row('192.0.2.9', null)], { details, grace: GRACE }, NOON);
    assert.match(textOf(rows)[1] ?? '', / {2}anna, bert, carl$/);
    assert.deepEqual(rows[1]?.users, ['anna', 'bert', 'carl']);
    assert.equal(countText(rows, 2), '2 rows: 1 login, 1 your own');
    assert.equal(countText(rows.slice(1), 2), '1 of 2 rows: 1 login');
    assert.equal(countText([], 0), '0 rows');
  });

  test('is coloured where there are colours, and as wide as without', () => {
    const details = told(0, [], null, 0);
    const rows = listedRows([row(at)], { details, grace: GRACE }, NOON);
    const paint = paintFor({ isTTY: true }, {});
    const [line = ''] = rowsText(rows, false, paint)(rows, true).split('\n');
    assert.ok(line.includes('\x1b[31mdue  '), line);
    assert.equal(line.replace('\x1b[31m', '').replace('\x1b[0m', ''), textOf(rows)[0]);
    for (const [stream, env] of [
      [{}, {}],
      [{ isTTY: true }, { NO_COLOR: '1' }],
      [{ isTTY: true }, { TERM: 'dumb' }],
    ] as const)
      assert.equal(paintFor(stream, env)('x', 'red'), 'x');
    assert.notEqual(paintFor({ isTTY: true }, { NO_COLOR: '' })('x', 'red'), 'x');
  });
});

test('what grants have relayed, where one of them has', () => {
  const sent = (messages: number) =>
    known([
      ...([ip('198.51.100.1'), 843, 'anna', 'dovecot', NOON, NOON, [], null, 0] as const),
      { messages, recipients: 2 * messages },
    ]);
  const rowsOf = (messages: number) =>
    listedRows([row('198.51.100.1')], { details: sent(messages), grace: GRACE }, NOON);
  assert.match(textOf(rowsOf(0), true).join('\n'), /SERVER {7}USERS\n.* dovecot {6}anna$/);
  assert.match(
    textOf(rowsOf(12), true).join('\n'),
    /SERVER {7}MESSAGES {2}USERS\n.* dovecot {6}12 {8}anna$/,
  );
  const { messages, recipients } = JSON.parse(rowsJson(rowsOf(12)));
  assert.deepEqual([messages, recipients], [12, 24]);
});

describe('as text', () => {
  test('columns, with a header where one is wanted', () => {
    const details = known([ip('198.51.100.1'), 843, 'anna', 'dovecot', NOON, NOON]);
    const rows = listedRows(
      [row('198.51.100.1'), row('192.0.2.9', null)],
      { details, grace: GRACE },
      NOON,
    );
    const stamp = formatStamp(epoch(NOON));
    assert.deepEqual(textOf(rows, true), [
      'ADDRESS          LAST LOGIN       EXPIRES IN  STATE         SINCE            SERVER       USERS',
      '192.0.2.9        OK (a row of your own)',
      `198.51.100.1     ${stamp}  14m 3s      login         ${stamp}  dovecot      anna`,
    ]);
    assert.equal(textOf(rows).length, 2);
    assert.deepEqual(textOf([], true).length, 1);
  });

  test('nothing commands the terminal, and one name is one line', () => {
    const hostile = [
      '\x1b[2J',
      '\x9b31m',
      'a\nb',
      '\u202egro',
      '\u{e0041}',
      'x'.repeat(5000),
      '\ud800',
    ];
    for (const text of hostile) {
      const details = known([ip('198.51.100.1'), 1, text, text, NOON, NOON]);
      const rows = listedRows(
        [row('198.51.100.1'), { key: text, value: text, stamp: null }],
        { details, grace: GRACE },
        NOON,
      );
      const lines = textOf(rows);
      assert.equal(lines.length, 2);
      for (const line of lines) {
        assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        assert.ok(line.length < 500);
      }
    }
  });
});

test('as JSON, what the map has and what the daemon knows', () => {
  const details = known([ip('198.51.100.1'), 7, 'anna', 'dovecot', NOON - 60, NOON]);
  const rows = listedRows(
    [row('198.51.100.1'), row('192.0.2.9', null)],
    { details, grace: GRACE },
    NOON,
  );
  const [own, granted] = rowsJson(rows)
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));
  assert.deepEqual(own, {
    ...{ ip: '192.0.2.9', value: 'OK', time: null, user: null, server: null },
    ...{ since: null, lastLogin: null, expiresIn: null, state: 'your own' },
    ...{ users: [], allowedUntil: null, sessions: 0 },
  });
  assert.deepEqual(granted, {
    ...{ ip: '198.51.100.1', value: String(NOON), time: '2023-11-14T22:13:20Z' },
    ...{ user: 'anna', server: 'dovecot', since: '2023-11-14T22:12:20Z' },
    ...{ lastLogin: '2023-11-14T22:13:20Z', expiresIn: 7, state: 'login' },
    ...{ users: ['anna'], allowedUntil: null, sessions: 0 },
  });
});

test('orders, as text and as JSON', () => {
  const span = { made: epoch(NOON), until: epoch(NOON + 60.5) };
  const orders = [
    { kind: 'allow', subject: { kind: 'address', ip: ip('198.51.100.1') }, ...span },
    { kind: 'revoke', subject: { kind: 'user', user: '\x1b"x' }, ...span },
  ] as const;
  const [allowed = '', revoked = ''] = ordersText(orders, false).split('\n');
  assert.match(allowed, /^allow {3}until \w+ .* 2023 {2}198\.51\.100\.1$/);
  assert.match(revoked, /^revoke {2}until .* 2023 {2}user "\\\\x1b\\"x"$/);
  const first: unknown = JSON.parse(ordersText(orders, true).split('\n')[0] ?? '');
  assert.deepEqual(first, {
    ...{ order: 'allow', ip: '198.51.100.1', user: null },
    ...{ made: '2023-11-14T22:13:20Z', until: '2023-11-14T22:14:20Z' },
  });
});
