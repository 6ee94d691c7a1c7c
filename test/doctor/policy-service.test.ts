import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgePolicyService } from '../../src/doctor/policy-service.ts';
import type { PostfixState } from '../../src/doctor/postfix-state.ts';

const SOCKET = '/var/spool/postfix/popbsmtp/policy';

const stateOf = (
  restriction: string,
  action = '451 4.3.5 Server configuration problem',
): PostfixState => ({
  types: [],
  parameters: new Map([
    ['queue_directory', '/var/spool/postfix'],
    ['smtpd_policy_service_default_action', action],
  ]),
  services: [],
  written: new Map([['smtpd_data_restrictions', restriction]]),
});

const levelOf = (restriction: string, action?: string): string | undefined =>
  judgePolicyService({ socket: SOCKET, state: stateOf(restriction, action) })[0]?.level;

describe('the policy socket', () => {
  const cases: readonly [string, string, string | undefined, string][] = [
    [
      'asked, and done without',
      'check_policy_service { unix:popbsmtp/policy, default_action=DUNNO }',
      undefined,
      'ok',
    ],
    [
      'by its whole path',
      `check_policy_service { unix:${SOCKET}, timeout=2s, default_action=dunno }`,
      undefined,
      'ok',
    ],
    [
      'done without by the default',
      'reject_unlisted_sender, check_policy_service unix:popbsmtp/policy',
      'DUNNO',
      'ok',
    ],
    ['not done without', 'check_policy_service unix:popbsmtp/policy', undefined, 'warning'],
    [
      'not done without, in braces',
      'check_policy_service { unix:popbsmtp/policy, timeout=2s }',
      undefined,
      'warning',
    ],
    [
      'another service',
      'check_policy_service { unix:private/spf, default_action=DUNNO }',
      undefined,
      'warning',
    ],
    ['not asked', 'reject_unlisted_sender', undefined, 'warning'],
  ];
  for (const [what, restriction, action, level] of cases)
    test(what, () => assert.equal(levelOf(restriction, action), level));

  test('that is not served is told nothing of', () => {
    assert.deepEqual(judgePolicyService({ socket: null, state: stateOf('') }), []);
    assert.deepEqual(judgePolicyService({ socket: SOCKET, state: null }), []);
  });
});
