import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changesFor, type PostfixFacts, typesOf } from '../../src/migrate/main-cf.ts';

const OLD = '/etc/postfix/pop-before-smtp';
const NEW = 'lmdb:/var/popbsmtp/pop-before-smtp';
const RELAY = 'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination';

const facts = (
  main: Record<string, string>,
  master: Record<string, string> = {},
  expanded: Record<string, string> = {},
): PostfixFacts => ({
  main: new Map(Object.entries(main)),
  master: new Map(Object.entries(master)),
  expanded: new Map(
    Object.entries({ smtpd_relay_restrictions: RELAY, ...main, ...master, ...expanded }),
  ),
  directory: '/etc/postfix',
  types: ['hash', 'lmdb'],
});

const edits = (given: PostfixFacts): string[] =>
  changesFor(OLD, NEW, given).edits.map(({ name, value }) => `${name} = ${value}`);

describe('the new name takes the place of the old one', () => {
  const relay = `smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, check_client_access ${NEW}, defer_unauth_destination`;
  const table: readonly (readonly [string, PostfixFacts, string[]])[] = [
    [
      'in the list of old guides, and the relay list gets it too',
      facts({
        smtpd_recipient_restrictions: `permit_mynetworks,reject_non_fqdn_recipient, check_client_access hash:${OLD}, reject_unauth_destination`,
      }),
      [
        `smtpd_recipient_restrictions = permit_mynetworks,reject_non_fqdn_recipient, check_client_access ${NEW}, reject_unauth_destination`,
        relay,
      ],
    ],
    ['where no list has it', facts({}), [relay]],
    [
      'in the relay list',
      facts({
        smtpd_relay_restrictions: `permit_mynetworks check_client_access hash:${OLD} reject_unauth_destination`,
      }),
      [
        `smtpd_relay_restrictions = permit_mynetworks check_client_access ${NEW} reject_unauth_destination`,
      ],
    ],
    [
      'in a parameter of its own, and in the relay list that has that one',
      facts(
        {
          pbs: `hash:$config_directory/pop-before-smtp`,
          smtpd_relay_restrictions: 'check_client_access $pbs, reject_unauth_destination',
        },
        {},
        {
          pbs: `hash:${OLD}`,
          smtpd_relay_restrictions: `check_client_access ${NEW}, reject_unauth_destination`,
        },
      ),
      [`pbs = ${NEW}`],
    ],
    [
      'of one service, in master.cf',
      facts(
        { smtpd_relay_restrictions: `check_client_access ${NEW}, reject` },
        { '2525/inet/smtpd_client_restrictions': `check_client_access btree:${OLD},reject` },
      ),
      [`2525/inet/smtpd_client_restrictions = check_client_access ${NEW},reject`],
    ],
    [
      'nowhere, when all name the new one',
      facts({ smtpd_relay_restrictions: `check_client_access ${NEW}, reject_unauth_destination` }),
      [],
    ],
    ['nowhere, when the relay list decides nothing', facts({ smtpd_relay_restrictions: '' }), []],
    [
      'and a map with a longer name stays',
      facts({
        alias_maps: `hash:${OLD}-2, hash:/x${OLD}`,
        smtpd_relay_restrictions: `check_client_access ${NEW}, reject`,
      }),
      [],
    ],
  ];
  for (const [name, given, expected] of table)
    test(name, () => assert.deepEqual(edits(given), expected));
});

test('a name that is put together elsewhere is told', () => {
  const given = facts({ a: 'hash:$x' }, {}, { a: `hash:${OLD}` });
  const { remarks } = changesFor(OLD, NEW, given);
  assert.deepEqual(remarks, [
    { where: 'a', text: `names ${OLD} by a variable: write ${NEW} there` },
  ]);
});

test('a relay list that refuses in another way is told', () => {
  const given = facts({ smtpd_relay_restrictions: 'permit_mynetworks, reject' });
  const { edits: found, remarks } = changesFor(OLD, NEW, given);
  assert.deepEqual(
    [found, remarks.map(({ where }) => where)],
    [[], ['main.cf', 'smtpd_relay_restrictions']],
  );
});

test('the type under which the old map is named is found', () => {
  assert.deepEqual(typesOf(OLD, facts({ a: `proxy:btree:${OLD}` })), ['btree']);
  assert.deepEqual(typesOf(OLD, facts({ a: `hash:/other` })), []);
});

test('that nothing names the old map is told, unless the new one is there already', () => {
  const told = (main: Record<string, string>): string[] =>
    changesFor(OLD, NEW, facts(main)).remarks.map(({ text }) => text);
  assert.deepEqual(told({}), [`does not name ${OLD}`]);
  assert.deepEqual(
    told({ smtpd_relay_restrictions: `check_client_access ${NEW}, reject_unauth_destination` }),
    [],
  );
  assert.deepEqual(told({ pbs: `hash:${OLD}` }), []);
});
