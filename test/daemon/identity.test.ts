import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { PolicyRequest } from '../../src/control/policy-request.ts';
import { Identity } from '../../src/daemon/identity.ts';
import type { Decision } from '../../src/grant/decision.ts';
import { GrantTable } from '../../src/grant/grant-table.ts';
import { Roster } from '../../src/grant/roster.ts';
import { ip } from '../map/addresses.ts';

const ANNA = ip('198.51.100.7');
const STRANGER = ip('203.0.113.66');
const NOON = epoch(1_700_000_000);

let grants: GrantTable;
let roster: Roster;
let told: Decision[];

beforeEach(() => {
  grants = new GrantTable(() => 900, 100);
  roster = new Roster();
  told = [];
  grants.login(ANNA, NOON, { wall: NOON, steady: epoch(0) });
  roster.report({
    kind: 'login',
    login: {
      event: 'login',
      ...{ ip: ANNA, user: 'anna', server: 'dovecot', time: NOON },
      session: null,
      tls: null,
    },
    outcome: { kind: 'granted', effect: 'added' },
  });
});

const identity = (
  header: string | null,
  hashed: (user: string | null) => string | null,
): Identity =>
  new Identity(header, { core: { grants, roster }, report: one => void told.push(one), hashed });

const asked = (fields: Partial<PolicyRequest>): PolicyRequest => ({
  ...{ client: ANNA, instance: null, queueId: '4A1B2C3D4E', hasAuthenticated: false },
  ...fields,
});

const IDENTIFIED: Decision = {
  ...{ kind: 'identified', ip: ANNA, login: NOON, queueId: '4A1B2C3D4E' },
  holder: { user: 'anna', server: 'dovecot' },
};

describe('who is it', () => {
  test('a client with a grant is told of', () => {
    assert.equal(identity(null, user => user).answer(asked({})), null);
    assert.deepEqual(told, [IDENTIFIED]);
  });

  test('once for each message, whatever is asked of it', () => {
    const one = identity('X-Relayed-By', user => user && `hash of ${user}`);
    const answers = ['1.2.3.0', '1.2.3.0', '1.2.3.1'].map(instance =>
      one.answer(asked({ instance })),
    );
    const header = 'X-Relayed-By: user=hash of anna';
    assert.deepEqual(answers, [header, null, header]);
    assert.deepEqual(told, [IDENTIFIED, IDENTIFIED]);
  });

  test('nobody else is', () => {
    const one = identity('X-Relayed-By', user => user);
    const others = [{ client: STRANGER }, { client: null }, { hasAuthenticated: true }];
    assert.deepEqual(
      others.map(fields => one.answer(asked(fields))),
      [null, null, null],
    );
    grants.revoke(ANNA);
    assert.equal(one.answer(asked({})), null);
    assert.deepEqual(told, []);
  });

  test('a name that may not be told makes no header', () => {
    assert.equal(identity('X-Relayed-By', () => null).answer(asked({})), null);
    assert.deepEqual(told, [IDENTIFIED]);
  });
});
