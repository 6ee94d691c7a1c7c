import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import type { Decision } from '../../src/grant/decision.ts';
import { Roster } from '../../src/grant/roster.ts';
import { addresses, ip } from '../map/addresses.ts';

const NOON = 1_700_000_000;
const A = ip('198.51.100.1');
const B = ip('2001:db8::1');
const C = ip('198.51.100.3');

let roster: Roster;

function login(
  which = A,
  user: string | null = 'anna',
  time = 0,
  kind: 'granted' | 'refreshed' = 'granted',
): Decision {
  const session = { server: 'dovecot', user, time: epoch(NOON + time), session: null, tls: null };
  return {
    kind: 'login',
    login: { event: 'login', ip: which, ...session },
    outcome: { kind, effect: 'added' },
  };
}

const grant = (which = A) => ({ ip: which, stamp: epoch(NOON) });

beforeEach(() => {
  roster = new Roster();
});

test('knows who is behind a grant, and since when', () => {
  roster.report(login());
  roster.report(login(A, 'bert', 60.7, 'refreshed'));
  assert.deepEqual(roster.of(A), {
    user: 'bert',
    others: ['anna'],
    server: 'dovecot',
    tls: null,
    from: null,
    since: NOON,
    last: NOON + 60,
  });
  assert.equal(roster.of(B), null);
});

test('is not misled by a login that is read late', () => {
  roster.report(login(A, 'anna', 60));
  roster.report(login(A, 'bert', 30, 'refreshed'));
  assert.equal(roster.of(A)?.user, 'anna');
  assert.equal(roster.of(A)?.last, NOON + 60);
});

test('forgets an address with its grant, however that ends', () => {
  const ends: Decision[] = [
    { kind: 'purged', grant: grant() },
    { kind: 'withdrawn', grant: grant(), reason: 'too many users' },
    { kind: 'evicted', grants: [grant()] },
    { kind: 'revoked', orders: [], grants: [grant()] },
    { kind: 'withdrawn', grant: grant(), reason: 'too many users' },
  ];
  for (const end of ends) {
    roster.report(login());
    roster.report(end);
    assert.equal(roster.of(A), null, end.kind);
  }
});

test('is told nothing by what makes no grant', () => {
  const { login: event } = { login: login() };
  if (event.kind !== 'login') throw new Error('no login');
  roster.report({ ...event, outcome: { kind: 'ignored', reason: 'revoked' } });
  roster.report({ kind: 'kept', grant: grant() });
  assert.equal(roster.size, 0);
});

test('finds the addresses of a user, and says of how many no user is known', () => {
  roster.report(login(A, 'Anna'));
  roster.report(login(B, 'anna'));
  roster.report(login(C, null));
  const order = {
    kind: 'allow',
    subject: { kind: 'address', ip: ip('192.0.2.7') },
    made: epoch(NOON),
    until: epoch(NOON + 60),
  } as const;
  roster.report({ kind: 'allowed', order, effect: 'added' });
  assert.deepEqual(roster.ofUser('ANNA'), { ips: [A, B], unnamed: 1 });
  assert.deepEqual(roster.ofUser('bert'), { ips: [], unnamed: 1 });
  assert.equal(roster.of(ip('192.0.2.7'))?.user, null);
});

test('is bounded: what is beyond is not known, and there is room again when others leave', () => {
  const few = new Roster(2);
  const [first = A, second = B, third = C] = addresses('10.0', 3);
  for (const which of [first, second, third]) few.report(login(which));
  assert.equal(few.size, 2);
  assert.equal(few.of(third), null);
  few.report({ kind: 'purged', grant: grant(first) });
  few.report(login(third, 'carl', 0, 'refreshed'));
  assert.equal(few.of(third)?.user, 'carl');
});

test('is the same after a restart, but for what has no grant any more', () => {
  roster.report(login(A, 'Jürgen', 1));
  roster.report(login(B, null, 2));
  roster.report(login(C, 'carl', 3));
  const next = new Roster();
  next.restore(JSON.parse(JSON.stringify([...roster.saved()])), which => which !== C);
  assert.deepEqual([next.of(A), next.of(B), next.of(C)], [roster.of(A), roster.of(B), null]);
});

test('what has changed of it brings another one to the same', () => {
  const list: unknown[] = [];
  const note = (): void => void list.push(...JSON.parse(JSON.stringify(roster.changes())));
  const again = (): Roster => {
    const next = new Roster();
    next.restore(list, () => true);
    return next;
  };
  note();
  roster.report(login(A, 'anna', 1));
  roster.report(login(B, 'bert', 1));
  note();
  assert.equal(list.length, 2);
  assert.deepEqual([again().of(A), again().of(B)], [roster.of(A), roster.of(B)]);
  roster.report(login(B, 'bert', 5, 'refreshed'));
  note();
  assert.equal(list.length, 2, 'the same user again is no change');
  roster.report(login(B, 'carl', 7, 'refreshed'));
  roster.report({ kind: 'purged', grant: grant(A) });
  note();
  assert.deepEqual([again().of(A), again().of(B)], [null, roster.of(B)]);
  roster.report(login(A, 'dora', 9));
  note();
  assert.equal(again().of(A)?.user, 'dora');
  assert.equal(list.length, 5);
});

test('takes over what an earlier version has saved', () => {
  roster.restore([{ entries: [[A, 'anna', 'dovecot', NOON, NOON]] }], () => true);
  assert.equal(roster.of(A)?.user, 'anna');
});

test('knows all who have logged in from an address since it has its grant, the latest first, and each once', () => {
  for (const [at, user] of ['anna', 'Bert', null, 'carl', 'ANNA', 'bert'].entries())
    roster.report(login(A, user, at, at === 0 ? 'granted' : 'refreshed'));
  assert.deepEqual([roster.of(A)?.user, roster.of(A)?.others], ['bert', ['ANNA', 'carl']]);
  const next = new Roster();
  next.restore(JSON.parse(JSON.stringify([...roster.saved()])), () => true);
  assert.deepEqual(next.of(A), roster.of(A));
  roster.report({ kind: 'purged', grant: grant() });
  roster.report(login(A, 'dora'));
  assert.deepEqual(roster.of(A)?.others, []);
});

test('keeps the latest twenty users of an address, whatever names come', () => {
  for (let at = 0; at < 50; at++)
    roster.report(login(A, `user${at}`, at, at === 0 ? 'granted' : 'refreshed'));
  assert.equal(roster.of(A)?.user, 'user49');
  assert.deepEqual(roster.of(A)?.others.length, 19);
  assert.equal(roster.of(A)?.others[0], 'user48');
  assert.equal(roster.of(A)?.others.at(-1), 'user30');
});

test('takes any JSON for a roster of none', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      roster.restore([value], () => true);
      roster.restore([{ entries: value }], () => true);
      assert.equal(roster.size, 0);
    }),
  );
});

test('knows which host saw the latest login, and whether it was encrypted', () => {
  const own = login(A, 'anna', 0);
  roster.report(own);
  assert.deepEqual([roster.of(A)?.from, roster.of(A)?.tls], [null, null]);
  assert.ok(own.kind === 'login');
  const later = { ...own.login, time: epoch(NOON + 1), tls: true };
  roster.report({ ...own, login: later, from: 'mx2' });
  assert.deepEqual([roster.of(A)?.from, roster.of(A)?.tls], ['mx2', true]);
});
