import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { type Policy, refusalOf } from '../../src/grant/policy.ts';
import { parseUserList } from '../../src/grant/user-list.ts';
import { ip } from '../map/addresses.ts';

const LIBERAL: Policy = {
  requireTls: false,
  allowUsers: null,
  denyUsers: null,
  limits: { usersPerAddress: null, addressesPerUser: null },
};
const TLS = { requireTls: true };
const ALLOW = { allowUsers: parseUserList(['*@example.org', 'anna'], 'x') };
const DENY = { denyUsers: parseUserList(['bob', 'bob@example.org'], 'x') };

test('what the policy has against a login', () => {
  const table: readonly (readonly [Partial<Policy>, string | null, boolean | null, unknown])[] = [
    [{}, 'anna', null, null],
    [{}, null, false, null],
    [TLS, 'anna', true, null],
    [TLS, 'anna', false, 'not encrypted'],
    [TLS, 'anna', null, 'not encrypted'],
    [ALLOW, 'anna', null, null],
    [ALLOW, 'carl@example.org', null, null],
    [ALLOW, 'carl', null, 'user not allowed'],
    [ALLOW, null, null, 'user not allowed'],
    [DENY, 'anna', null, null],
    [DENY, 'BOB', null, 'user not allowed'],
    [DENY, null, null, null],
    // Who is denied stays so, whatever else lets him in.
    [{ ...ALLOW, ...DENY }, 'bob@example.org', null, 'user not allowed'],
    [{ ...ALLOW, ...DENY }, 'anna', null, null],
    [{ ...TLS, ...DENY }, 'bob', false, 'not encrypted'],
    [{ ...TLS, ...DENY }, 'bob', true, 'user not allowed'],
  ];
  for (const [rules, user, tls, reason] of table) {
    const login = {
      event: 'login',
      server: 'dovecot',
      ip: ip('198.51.100.1'),
      time: epoch(0),
      session: null,
      user,
      tls,
    } as const;
    const refusal = refusalOf(login, { ...LIBERAL, ...rules });
    assert.equal(refusal, reason, `${Object.keys(rules)} ${user} ${tls}`);
  }
});
