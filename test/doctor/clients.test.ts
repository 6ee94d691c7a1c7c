import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { parseNetworkList } from '../../src/base/network.ts';
import { Classifier } from '../../src/classifier/classifier.ts';
import { parseGivenMynetworks } from '../../src/classifier/mynetworks-parser.ts';
import {
  type ClientFacts,
  judgeClients,
  type Objection,
  objectionsTo,
} from '../../src/doctor/clients.ts';
import type { DecisionRules } from '../../src/grant/decider.ts';
import { Grace } from '../../src/grant/grace.ts';
import { NO_POLICY } from '../../src/grant/policy.ts';
import type { LoginEvent } from '../../src/recogniser/event.ts';
import { ip } from '../map/addresses.ts';
import { said } from './arrange.ts';

const ADDRESS = ip('172.19.0.1');

describe('where logins come from', () => {
  const table: readonly (readonly [Objection, RegExp])[] = [
    [
      { reason: 'too many users', most: 10 },
      /^warning: more than 10 users logged in from 172\.19\.0\.1 /,
    ],
    [
      { reason: 'own address', logins: 1 },
      /^warning: 1 login came from 172\.19\.0\.1, this machine's own address, and got no grant$/,
    ],
    [
      { reason: 'gateway', logins: 2 },
      /^warning: 2 logins came from 172\.19\.0\.1, the default gateway of this machine/,
    ],
    [
      { reason: 'opens other networks', logins: 3 },
      /^warning: 3 logins .* for other networks too$/,
    ],
  ];
  for (const [objection, expected] of table)
    test(objection.reason, () => {
      const facts: ClientFacts = new Map([[ADDRESS, objection]]);
      assert.match(said(judgeClients(facts)).join(), expected);
    });

  test('nothing against them', () => assert.deepEqual(judgeClients(new Map()), []));
});

describe('what the rules have against logins', () => {
  const rules = (): DecisionRules => {
    const none = { origin: 'x', readText: () => '', warn: () => undefined };
    const classifier = new Classifier({
      mynetworks: parseGivenMynetworks('192.0.2.0/24', none),
      exclude: parseNetworkList('none', 'x'),
      query: async () => new Set(),
      warn: () => undefined,
      own: () => ({
        own: new Set([ip('198.51.100.1'), ip('192.0.2.1')]),
        gateways: new Set([ip('198.51.100.2')]),
      }),
    });
    const policy = {
      ...NO_POLICY,
      limits: { usersPerAddress: { most: 2, action: 'warn' }, addressesPerUser: null },
    } as const;
    return { classifier, policy, grace: new Grace(900, []) };
  };
  const login = (address: string, user: string, second = 0): LoginEvent => ({
    event: 'login',
    server: 'dovecot',
    ip: ip(address),
    user,
    time: epoch(1_700_000_000 + second),
    session: null,
    tls: null,
  });

  test('this machine itself and its gateway, with the number of logins', async () => {
    const logins = [
      login('198.51.100.1', 'a'),
      login('198.51.100.2', 'a'),
      login('198.51.100.1', 'a'),
      login('192.0.2.1', 'a'),
    ];
    assert.deepEqual(
      [...(await objectionsTo(logins, rules()))],
      [
        ['198.51.100.1', { reason: 'own address', logins: 2 }],
        ['198.51.100.2', { reason: 'gateway', logins: 1 }],
      ],
    );
  });

  test('many users of one address within a grace period, and no others', async () => {
    const at = (second: number) =>
      ['a', 'b', 'c'].map((user, index) => login('203.0.113.9', user, index * second));
    assert.deepEqual(
      [...(await objectionsTo(at(1), rules()))],
      [['203.0.113.9', { reason: 'too many users', most: 2 }]],
    );
    assert.equal((await objectionsTo(at(900), rules())).size, 0);
    assert.equal(
      (
        await objectionsTo(
          at(1).map(one => ({ ...one, user: 'a' })),
          rules(),
        )
      ).size,
      0,
    );
  });
});
