import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { COMMIT_BOUNDS, Counters } from '../../src/control/counters.ts';
import { MINUTES } from '../../src/control/minutes.ts';
import type { Decision, Outcome } from '../../src/grant/decision.ts';
import { ip } from '../map/addresses.ts';

const NOON = 1_700_000_000;
let seconds: number;
let counters: Counters;

beforeEach(() => {
  seconds = 0;
  counters = new Counters(() => ({ wall: epoch(NOON + seconds), steady: epoch(seconds) }));
});

const login = (outcome: Outcome, server = 'dovecot'): Decision => ({
  kind: 'login',
  login: {
    event: 'login',
    ip: ip('198.51.100.1'),
    server,
    user: 'anna',
    time: epoch(NOON),
    session: null,
    tls: null,
  },
  outcome,
});

test('counts decisions by what they are', () => {
  const grant = { ip: ip('198.51.100.1'), stamp: epoch(NOON) };
  const told: Decision[] = [
    login({ kind: 'granted', effect: 'added' }),
    login({ kind: 'refreshed', effect: null }, 'courier'),
    login({ kind: 'ignored', reason: 'revoked' }),
    login({ kind: 'ignored', reason: 'revoked' }),
    { kind: 'purged', grant },
    { kind: 'kept', grant },
    { kind: 'evicted', grants: [grant, grant] },
    { kind: 'revoked', orders: [], grants: [grant, grant, grant] },
    { kind: 'in force', orders: [] },
    { kind: 'map failed', line: 'the disk is full', seconds: 0, overdue: 0 },
    { kind: 'map recovered', changes: 7 },
  ];
  for (const decision of told) counters.report(decision);
  const { granted, refreshed, purged, kept, evicted, revoked, warnings } = counters.totals;
  assert.deepEqual(
    [granted, refreshed, purged, kept, evicted, revoked, warnings],
    [1, 1, 1, 1, 2, 3, 1],
  );
  assert.deepEqual(
    [...counters.logins],
    [
      ['dovecot', 3],
      ['courier', 1],
    ],
  );
  assert.deepEqual([...counters.ignored], [['revoked', 2]]);
  assert.deepEqual(counters.problems[0], { time: NOON, text: 'the disk is full' });
});

test('counts torn lines, and those that read like logins', () => {
  for (const isLogin of [false, true, false]) counters.torn(isLogin);
  const { tornLines, passedOver } = counters.totals;
  assert.deepEqual([tornLines, passedOver], [3, 1]);
});

test('knows when lines last came from a source', () => {
  counters.lines('/log', 3);
  seconds = 60;
  counters.lines('/log', 0);
  counters.lines('/other', 1);
  assert.deepEqual(
    [...counters.sources],
    [
      ['/log', { lines: 3, lastLine: NOON }],
      ['/other', { lines: 1, lastLine: NOON + 60 }],
    ],
  );
});

test('puts each commit into the bucket of its time', () => {
  counters.committed(0.0001, 1);
  counters.committed(0.00011, 5);
  counters.committed(99, 1);
  assert.deepEqual(
    counters.commits.buckets,
    COMMIT_BOUNDS.map((_, index) => (index < 2 ? 1 : 0)),
  );
  const { count, rows, seconds: taken } = counters.commits;
  assert.deepEqual([count, rows, taken], [3, 7, 99.00021]);
});

test('knows the logins of each of the last minutes, whenever they came', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 2000 }), { maxLength: 60 }), waits => {
      seconds = 0;
      const fresh = new Counters(() => ({ wall: epoch(seconds), steady: epoch(seconds) }));
      const minutes: number[] = [];
      for (const wait of waits) {
        seconds += wait;
        fresh.lines('/log', 1);
        fresh.report(login({ kind: 'granted', effect: null }));
        minutes.push(Math.floor(seconds / 60));
        const now = Math.floor(seconds / 60);
        const expected = Array.from(
          { length: MINUTES },
          (_, index) => minutes.filter(minute => minute === now - MINUTES + 1 + index).length,
        );
        fresh.grants(0);
        assert.deepEqual(fresh.minutes.loginsByMinute, expected);
      }
    }),
  );
});

test('beyond a hundred servers the later ones are counted together, and none is lost', () => {
  const names = Array.from({ length: 1000 }, (_, number) => `server-${number}`);
  for (const name of names) counters.report(login({ kind: 'granted', effect: 'added' }, name));
  counters.report(login({ kind: 'refreshed', effect: null }, 'server-99'));
  counters.report(login({ kind: 'refreshed', effect: null }, 'server-100'));
  assert.equal(counters.logins.size, 101);
  assert.equal(counters.logins.get('server-99'), 2);
  assert.equal(counters.logins.get('server-100'), undefined);
  assert.equal(counters.logins.get('other'), 901);
  assert.equal(counters.totals.granted, 1000);
});
