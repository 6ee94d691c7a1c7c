import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Entry } from '../../src/fleet/entry.ts';
import { entriesOf, type Known } from '../../src/fleet/publication.ts';
import type { Decision, Outcome } from '../../src/grant/decision.ts';
import { ip } from '../map/addresses.ts';

const NOON = 1_700_000_000;
const OWN = ip('198.51.100.1');
const FOREIGN = ip('198.51.100.2');
const ALLOWED = ip('198.51.100.3');
const GONE = ip('198.51.100.4');
const UNKNOWN = ip('198.51.100.5');

const who = { user: 'anna', others: [], server: 'dovecot', tls: true, from: null };
const times = { since: epoch(NOON), last: epoch(NOON) };
const WHO = new Map([
  [OWN, { ...who, ...times }],
  [FOREIGN, { ...who, ...times, from: 'mx2' }],
  [ALLOWED, { ...who, ...times, user: null, server: null }],
  [GONE, { ...who, ...times }],
]);
const KNOWN: Known = { isGranted: one => one !== GONE, who: one => WHO.get(one) ?? null };

const login = (outcome: Outcome, from?: string): Decision => ({
  kind: 'login',
  login: {
    event: 'login',
    server: 'dovecot',
    user: 'anna',
    time: epoch(NOON + 0.7),
    session: { key: 's', service: 'dovecot', protocol: 'imap' },
    tls: false,
    ip: OWN,
  },
  outcome,
  ...(from === undefined ? {} : { from }),
});
const logout = (
  address: typeof OWN | null,
  time: number | null = NOON,
  torn: { torn?: true } = {},
): Decision => ({
  kind: 'logout',
  logout: {
    event: 'logout',
    server: 'dovecot',
    user: 'anna',
    time: time === null ? null : epoch(time),
    session: { key: 's', service: 'dovecot', protocol: 'imap' },
    ip: null,
    ...torn,
  },
  ip: address,
});
const grant = (address: typeof OWN) => ({ ip: address, stamp: epoch(NOON) });
const span = { made: epoch(NOON), until: epoch(NOON + 60) };
const allowance = { kind: 'allow', subject: { kind: 'address', ip: OWN }, ...span } as const;
const revocation = { kind: 'revoke', subject: { kind: 'user', user: 'anna' }, ...span } as const;

const PRESENCE = { ip: OWN, time: epoch(NOON), server: 'dovecot', user: 'anna' };
const LOGIN: Entry = { kind: 'login', ...PRESENCE, tls: false };
const SESSION: Entry = { kind: 'session', ...PRESENCE, tls: true };

const TABLE: [what: string, decision: Decision, told: readonly Entry[]][] = [
  ['a login that granted', login({ kind: 'granted', effect: 'added' }), [LOGIN]],
  ['one whose row could not be written', login({ kind: 'granted', effect: null }), [LOGIN]],
  ['one that refreshed', login({ kind: 'refreshed', effect: 'renewed' }), [LOGIN]],
  ['one that was ignored', login({ kind: 'ignored', reason: 'excluded' }), []],
  ["another host's login", login({ kind: 'granted', effect: 'added' }, 'mx2'), []],
  ['the end of a session', logout(OWN), [SESSION]],
  ['of one that was not known', logout(null), []],
  ['of one at no known time', logout(OWN, null), []],
  ['of one, from a line that may be a stranger’s', logout(OWN, NOON, { torn: true }), []],
  ['of one whose grant is gone', logout(GONE), []],
  ['of one whose grant is of another host', logout(FOREIGN), []],
  ['a grant that is kept', { kind: 'kept', grant: grant(OWN) }, [SESSION]],
  ['one that an order keeps', { kind: 'kept', grant: grant(ALLOWED) }, []],
  ['one of whom nothing is known', { kind: 'kept', grant: grant(UNKNOWN) }, []],
  ['one that another host keeps', { kind: 'kept', grant: grant(OWN), from: 'mx2' }, []],
  [
    'a grant that the limits end',
    { kind: 'withdrawn', grant: grant(OWN), reason: 'too many users' },
    [{ kind: 'withdrawn', ip: OWN, time: epoch(NOON), reason: 'too many users' }],
  ],
  [
    "a grant that this host's networks end",
    { kind: 'withdrawn', grant: grant(OWN), reason: 'own address' },
    [],
  ],
  [
    "that another host's limits end",
    { kind: 'withdrawn', grant: grant(OWN), reason: 'too many users', from: 'mx2' },
    [],
  ],
  [
    'an allowance',
    { kind: 'allowed', order: allowance, effect: 'added' },
    [{ kind: 'order', order: allowance }],
  ],
  ["another host's", { kind: 'allowed', order: allowance, effect: 'added', from: 'mx2' }, []],
  [
    'a revocation',
    { kind: 'revoked', orders: [revocation, revocation], grants: [] },
    [
      { kind: 'order', order: revocation },
      { kind: 'order', order: revocation },
    ],
  ],
  ["another host's", { kind: 'revoked', orders: [revocation], grants: [], from: 'mx2' }, []],
  ['a grant that has ended', { kind: 'purged', grant: grant(OWN) }, []],
  ['grants for which there was no room', { kind: 'evicted', grants: [grant(OWN)] }, []],
  ['orders from before', { kind: 'in force', orders: [allowance] }, []],
  ['trouble', { kind: 'map failed', line: 'x', seconds: 0, overdue: 0 }, []],
  ['its end', { kind: 'map recovered', changes: 1 }, []],
];

for (const [what, decision, told] of TABLE) {
  test(`${told.length === 0 ? 'not told' : 'told'}: ${what}`, () =>
    assert.deepEqual(entriesOf(decision, KNOWN), told));
}
