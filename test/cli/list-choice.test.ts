import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { choiceText, chosen, networksIn, sorted } from '../../src/cli/list-choice.ts';
import type { Listed } from '../../src/report/list-rows.ts';
import { assertFails } from '../failure.ts';

const NOON = 1_700_000_000;

const listed = (key: string, users: readonly string[], rest: Partial<Listed> = {}): Listed => ({
  row: { key, value: '1', stamp: epoch(NOON) },
  state: 'login',
  user: users[0] ?? null,
  users,
  server: 'dovecot',
  since: null,
  lastLogin: epoch(NOON),
  expiresIn: 60,
  allowedUntil: null,
  sessions: 0,
  ...rest,
});

const ROWS = [
  listed('192.0.2.1', ['bert', 'Anna'], { lastLogin: epoch(NOON + 5), expiresIn: 9 }),
  listed('198.51.100.3', ['anna'], { server: 'courier', state: 'session open', expiresIn: 1 }),
  listed('2001:db8::1', [], { lastLogin: epoch(NOON + 9), expiresIn: 900 }),
  listed('example.org', [], { expiresIn: null, lastLogin: null, state: 'your own' }),
];

const keysOf = (rows: readonly Listed[]): string[] => rows.map(({ row }) => row.key);

const ALL = { networks: null, user: null, server: null };

describe('which rows', () => {
  const table: [name: string, choice: Partial<Parameters<typeof chosen>[1]>, keys: string[]][] = [
    ['all', {}, keysOf(ROWS)],
    ['an address', { networks: networksIn(['198.51.100.3']) }, ['198.51.100.3']],
    ['one in IPv6 form', { networks: networksIn(['::ffff:198.51.100.3']) }, ['198.51.100.3']],
    [
      'networks',
      { networks: networksIn(['192.0.2.0/24', '2001:db8::/32']) },
      ['192.0.2.1', '2001:db8::1'],
    ],
    ['a user, whoever came after him', { user: 'ANNA' }, ['192.0.2.1', '198.51.100.3']],
    ['a server', { server: 'courier' }, ['198.51.100.3']],
    ['both', { user: 'anna', server: 'dovecot' }, ['192.0.2.1']],
    ['nobody', { user: 'nope' }, []],
  ];
  for (const [name, choice, keys] of table)
    test(name, () => assert.deepEqual(keysOf(chosen(ROWS, { ...ALL, ...choice })), keys));

  test('what is neither an address nor a network is an error', () => {
    for (const word of ['extra', '192.0.2', '192.0.2.1/24', ''])
      assertFails(() => networksIn([word]), 'LIST_OPERAND', word, '--user NAME');
  });
});

describe('in which order', () => {
  const table: [Parameters<typeof sorted>[1], number[]][] = [
    ['address', [0, 1, 2, 3]],
    ['latest', [2, 0, 1, 3]],
    ['end', [0, 2, 1, 3]],
    ['user', [1, 0, 2, 3]],
  ];
  for (const [sort, order] of table)
    test(sort, () => {
      assert.deepEqual(
        keysOf(sorted(ROWS, sort)),
        order.map(at => ROWS[at]?.row.key),
      );
    });
});

test('what was asked for, in words', () => {
  assert.equal(
    choiceText(['192.0.2.0/24'], { networks: null, user: 'anna', server: 'x' }),
    '192.0.2.0/24 --user anna --server x',
  );
});
