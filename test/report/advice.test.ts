import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Decision, IgnoreReason } from '../../src/grant/decision.ts';
import { Advice } from '../../src/report/advice.ts';
import { ip } from '../map/addresses.ts';

const loginOf = (address: string) =>
  ({
    event: 'login',
    server: 'dovecot',
    ip: ip(address),
    user: 'anna',
    time: epoch(0),
    session: null,
    tls: null,
  }) as const;

const ignored = (reason: IgnoreReason, address = '203.0.113.2'): Decision => ({
  kind: 'login',
  login: loginOf(address),
  outcome: { kind: 'ignored', reason },
});

const exceeded = (address: string): Decision => ({
  kind: 'limit exceeded',
  login: loginOf(address),
  reason: 'too many users',
  most: 10,
  action: 'warn',
});

describe('advice', () => {
  const told = (advice: Advice, ...decisions: readonly Decision[]): (string | null)[] =>
    decisions.map(decision => advice.on(decision)?.text ?? null);

  for (const [reason, expected] of [
    ['own address', /^203\.0\.113\.2 is this machine's own address, .* proxy.*PROXY protocol/],
    ['gateway', /^203\.0\.113\.2 is the default gateway .* --allow-own-addresses/],
    ['opens other networks', /^203\.0\.113\.2 gets no grant: .* wrap the map .* whole-addresses/],
  ] as const)
    test(`about "${reason}" is given once, whatever address it is`, () => {
      const [first, ...more] = told(new Advice(), ignored(reason), ignored(reason, '203.0.113.3'), {
        kind: 'withdrawn',
        grant: { ip: ip('203.0.113.2'), stamp: epoch(0) },
        reason,
      });
      assert.match(first ?? '', expected);
      assert.deepEqual(more, [null, null]);
    });

  test('about a row that has ended is given, too', () => {
    const grant = { ip: ip('fd00::5'), stamp: epoch(0) };
    const line = new Advice().on({ kind: 'withdrawn', grant, reason: 'opens other networks' });
    assert.deepEqual(line?.facts, {
      event: 'advice',
      reason: 'opens other networks',
      ip: 'fd00::5',
    });
  });

  test('about an address with too many users is given with each excess, and with nothing else', () => {
    const advice = new Advice();
    const lines = told(advice, exceeded('203.0.113.2'), exceeded('203.0.113.3'));
    for (const [index, address] of ['203.0.113.2', '203.0.113.3'].entries()) {
      assert.ok(
        lines[index]?.startsWith(`${address} is probably a proxy, a NAT or a port forward`),
      );
    }
    assert.deepEqual(told(advice, ignored('too many users')), [null]);
  });

  test('is not given where the administrator has wanted it', () => {
    for (const reason of ['excluded', 'in mynetworks', 'revoked', 'too old'] as const)
      assert.deepEqual(told(new Advice(), ignored(reason)), [null]);
  });
});
