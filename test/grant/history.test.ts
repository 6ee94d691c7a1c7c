import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Decision, Outcome } from '../../src/grant/decision.ts';
import { History } from '../../src/grant/history.ts';
import { addresses, ip } from '../map/addresses.ts';

const NOON = epoch(1_700_000_000);
const A = ip('198.51.100.1');
const B = ip('2001:db8::1');

let history: History;
beforeEach(() => {
  history = new History();
});

const login = (which: typeof A, outcome: Outcome): Decision => ({
  kind: 'login',
  login: {
    event: 'login',
    ip: which,
    server: 'x',
    user: 'anna',
    time: NOON,
    session: null,
    tls: null,
  },
  outcome,
});
const granted = { kind: 'granted', effect: 'added' } as const;

test('knows how the last grant of an address ended, and why its last login was ignored', () => {
  const holder = { user: 'anna', server: 'x' };
  const grant = { ip: A, stamp: NOON };
  history.report({ kind: 'purged', grant, holder }, () => epoch(NOON + 1));
  history.report(login(A, { kind: 'ignored', reason: 'not encrypted' }), () => epoch(NOON + 2));
  assert.deepEqual(history.of(A), {
    end: { time: NOON + 1, how: 'purged', reason: null, user: 'anna' },
    ignored: { time: NOON + 2, reason: 'not encrypted', user: 'anna' },
  });
  history.report({ kind: 'withdrawn', grant, reason: 'too many users' }, () => epoch(NOON + 3));
  assert.deepEqual(history.of(A).end, {
    ...{ time: NOON + 3, how: 'withdrawn', reason: 'too many users', user: null },
  });
  history.report({ kind: 'revoked', orders: [], grants: [grant] }, () => epoch(NOON + 4));
  assert.equal(history.of(A).end?.how, 'revoked');
  assert.deepEqual(history.of(B), { end: null, ignored: null });
});

test('knows the latest grants, each once', () => {
  for (const which of [A, B, A]) history.report(login(which, granted), () => NOON);
  assert.deepEqual(history.latest(), [A, B]);
  for (const which of addresses('10.0', 1000)) history.report(login(which, granted), () => NOON);
  assert.equal(history.latest().length, 200);
  assert.equal(history.latest()[0], addresses('10.0', 1000).at(-1));
});

test('is bounded: the latest are kept', () => {
  const few = new History(10);
  const many = addresses('10.0', 1000);
  for (const which of many)
    few.report({ kind: 'purged', grant: { ip: which, stamp: NOON } }, () => NOON);
  const known = many.filter(which => few.of(which).end !== null);
  assert.ok(known.length >= 5 && known.length <= 10, String(known.length));
  assert.equal(known.at(-1), many.at(-1));
});
