/** What the doctor makes of the logins in the log by the rules of the daemon. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Rehearsal } from '../../src/daemon/rehearsal.ts';
import { judgeClients } from '../../src/doctor/clients.ts';
import { judgePolicy } from '../../src/doctor/policy.ts';
import type { IgnoreReason, Outcome } from '../../src/grant/decision.ts';
import { Grace } from '../../src/grant/grace.ts';
import { login, said } from './arrange.ts';

const GRANTED: Outcome = { kind: 'granted', effect: null };
const because = (reason: IgnoreReason): Outcome => ({ kind: 'ignored', reason });

/** Logins with these outcomes, each from an address of its own. */
const rehearsal = (outcomes: readonly Outcome[], left: string | null = null): Rehearsal => ({
  logins: outcomes.map((outcome, index) => ({ login: login(`10.0.0.${index}`, 100), outcome })),
  crowded: [],
  left,
});

const times = (count: number, reason: IgnoreReason): Outcome[] =>
  Array.from({ length: count }, () => because(reason));

describe('the policy', () => {
  const table: readonly (readonly [string, Rehearsal, RegExp])[] = [
    ['grants', rehearsal([GRANTED, GRANTED]), /^ok: of 2 logins in the log 2 would be granted$/],
    [
      'grants some',
      rehearsal([GRANTED, ...times(2, 'not encrypted'), because('revoked')]),
      /^ok: of 4 logins in the log 1 would be granted, 3 be refused: not encrypted 2, revoked 1$/,
    ],
    [
      'has no need',
      rehearsal(times(2, 'in mynetworks')),
      /^ok: of 2 logins in the log 0 would be granted, 2 need none \(in mynetworks\)$/,
    ],
    [
      'refuses all',
      rehearsal(times(35, 'not encrypted')),
      /^error: 35 of 35 logins in the log would be refused: not encrypted$/,
    ],
    [
      'refuses all who need it',
      rehearsal([because('in mynetworks'), because('user not allowed')]),
      /^error: 1 of 2 logins .*: user not allowed, 1 need none \(in mynetworks\)$/,
    ],
    ['excludes all', rehearsal(times(2, 'excluded')), /^error: 2 of 2 .*: excluded$/],
    ['excludes the only client', rehearsal(times(1, 'excluded')), /^warning: 1 of 1 .*: excluded$/],
    ['has all revoked', rehearsal(times(3, 'revoked')), /^warning: /],
    [
      'sees this machine only, which the check of the clients tells',
      rehearsal(times(3, 'own address')),
      /^ok: of 3 logins in the log 0 would be granted, 3 be refused: own address$/,
    ],
    [
      'refuses all, and some for what the check of the clients does not tell',
      rehearsal([...times(3, 'gateway'), ...times(2, 'not encrypted')]),
      /^error: 5 of 5 logins .*: gateway 3, not encrypted 2$/,
    ],
    [
      'refuses all for their number at one address, which the check of the clients tells',
      rehearsal(times(3, 'too many users')),
      /^ok: .*: too many users$/,
    ],
    ['was not asked', rehearsal([], 'no postconf'), /^skipped: .*no postconf$/],
    ['has nothing to judge', rehearsal([]), /^skipped: there is no login/],
    [
      'was asked in part',
      rehearsal([GRANTED], 'no postconf'),
      /^ok: .*; without account .*: no postconf$/,
    ],
  ];
  for (const [name, facts, expected] of table)
    test(name, () => assert.match(said(judgePolicy(facts)).join('\n'), expected));

  test('has a cure for each reason that is told here', () => {
    for (const reason of ['excluded', 'not encrypted', 'too many addresses', 'revoked'] as const)
      assert.notEqual(judgePolicy(rehearsal(times(2, reason)))[0]?.hint ?? '', '');
    const mixed = rehearsal([...times(3, 'gateway'), ...times(2, 'not encrypted')]);
    assert.match(judgePolicy(mixed)[0]?.hint ?? '', /require-tls/);
  });

  for (const reason of [
    'excluded',
    'own address',
    'gateway',
    'opens other networks',
    'not encrypted',
    'too many users',
    'too many addresses',
    'revoked',
  ] as const)
    test(`and the clients are told of once: ${reason}`, () => {
      const logins = Array.from({ length: 3 }, (_, index) => login('10.0.0.1', 100 + index));
      const outcome = because(reason);
      const rehearsed: Rehearsal = {
        logins: logins.map(each => ({ login: each, outcome })),
        crowded: [],
        left: null,
      };
      const grace = new Grace(900);
      const verdicts = [
        ...judgePolicy(rehearsed),
        ...judgeClients({ logins, refusals: [], rehearsal: rehearsed, grace }),
      ];
      assert.equal(verdicts.filter(({ level }) => level !== 'ok').length, 1, said(verdicts).join());
    });
});
