import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { IpText } from '../../src/base/address.ts';
import type { NetworkReason } from '../../src/classifier/classifier.ts';
import { type Entry, entryOf } from '../../src/history/entry.ts';
import { REASONS, type Reason } from '../../src/history/reason.ts';
import { Timeline } from '../../src/history/timeline.ts';
import { type Question, why } from '../../src/history/why.ts';

const ANNA = '198.51.100.7' as IpText;
const OTHER = '203.0.113.9' as IpText;
const NEIGHBOUR = '198.51.100.8' as IpText;
const SIX = '2001:db8::17' as IpText;
/** 10:00 */
const NOON = 1_795_000_000;
const at = (minutes: number): number => NOON + minutes * 60;

const login = (minutes: number, what = 'granted', ip = ANNA, user: string | null = 'anna'): Entry =>
  entryOf('login', at(minutes), { ip, user, server: 'dovecot', what, tls: false });
const ended = (minutes: number, what = 'purged', ip = ANNA): Entry =>
  entryOf('ended', at(minutes), { ip, user: 'anna', server: 'dovecot', what });
const refused = (minutes: number, ip = ANNA): Entry =>
  entryOf('refused', at(minutes), { ip, what: 'relay access denied' });
const revoke = (minutes: number, whom: { ip?: IpText; user?: string }): Entry =>
  entryOf('order', at(minutes), { ...whom, what: 'revoke', until: at(minutes + 60) });
const daemon = (minutes: number, what: string): Entry => entryOf('daemon', at(minutes), { what });

interface Case {
  readonly name: string;
  readonly entries: readonly Entry[];
  readonly ask?: Partial<Question>;
  readonly network?: NetworkReason;
  readonly reason: Reason;
  readonly address?: IpText | null;
  readonly strangers?: readonly IpText[];
}

const GRANTED = [login(0), login(10, 'refreshed'), ended(25)];

const CASES: readonly Case[] = [
  {
    name: 'refused for what it sent',
    entries: [
      login(0),
      entryOf('limit', at(5), { ip: ANNA, what: 'too many messages' }),
      revoke(5, { ip: ANNA }),
      ended(5, 'revoked'),
    ],
    ask: { at: at(22) },
    reason: 'limit',
  },
  { name: 'a grant', entries: GRANTED, ask: { at: at(20) }, reason: 'granted' },
  {
    name: 'a grant to a user, in other capitals',
    entries: GRANTED,
    ask: { at: at(20), address: null, user: 'ANNA' },
    reason: 'granted',
    address: ANNA,
  },
  { name: 'too late', entries: [...GRANTED, refused(30)], ask: { at: at(30) }, reason: 'ended' },
  {
    name: 'too late, a user',
    entries: GRANTED,
    ask: { at: at(30), address: null, user: 'anna' },
    reason: 'ended',
    address: ANNA,
  },
  { name: 'no login', entries: [refused(30)], ask: { at: at(30) }, reason: 'no-login' },
  {
    name: 'nobody of that name',
    entries: GRANTED,
    ask: { address: null, user: 'bert' },
    reason: 'no-login',
    address: null,
  },
  {
    name: 'a login that was only read much later',
    entries: [login(20, 'too old')],
    ask: { at: at(22) },
    reason: 'too-old',
  },
  {
    name: 'an old grant, and a login read too late',
    entries: [...GRANTED, login(40, 'too old')],
    ask: { at: at(42) },
    reason: 'too-old',
  },
  {
    name: 'in mynetworks',
    entries: [login(20, 'in mynetworks')],
    ask: { at: at(22) },
    reason: 'in-mynetworks',
  },
  {
    name: 'in mynetworks, without a login',
    entries: [],
    network: 'in mynetworks',
    reason: 'in-mynetworks',
  },
  { name: 'excluded', entries: [login(20, 'excluded')], ask: { at: at(22) }, reason: 'excluded' },
  {
    name: 'its row would open others',
    entries: [login(20, 'opens other networks')],
    ask: { at: at(22) },
    reason: 'excluded',
  },
  {
    name: 'its own address',
    entries: [login(20, 'own address')],
    ask: { at: at(22) },
    reason: 'own-address',
  },
  {
    name: 'the gateway',
    entries: [login(20, 'gateway')],
    ask: { at: at(22) },
    reason: 'own-address',
  },
  {
    name: 'not encrypted',
    entries: [login(20, 'not encrypted')],
    ask: { at: at(22) },
    reason: 'not-encrypted',
  },
  {
    name: 'not allowed',
    entries: [login(20, 'user not allowed')],
    ask: { at: at(22) },
    reason: 'user-not-allowed',
  },
  {
    name: 'over a limit',
    entries: [login(0), ended(5, 'too many users'), login(20, 'too many users')],
    ask: { at: at(22) },
    reason: 'limit',
  },
  {
    name: 'too many messages',
    entries: [login(0), ended(5, 'too many messages')],
    ask: { at: at(6) },
    reason: 'limit',
  },
  {
    name: 'revoked',
    entries: [login(0), revoke(5, { ip: ANNA }), ended(5, 'revoked'), login(20, 'revoked')],
    ask: { at: at(22) },
    reason: 'revoked',
  },
  {
    name: 'a user is revoked',
    entries: [login(0), revoke(5, { user: 'Anna' }), ended(5, 'revoked')],
    ask: { at: at(22) },
    reason: 'revoked',
  },
  {
    name: 'revoked, and lifted',
    entries: [
      login(0),
      revoke(5, { ip: ANNA }),
      ended(5, 'revoked'),
      entryOf('order', at(10), { ip: ANNA, what: 'lift' }),
    ],
    ask: { at: at(22) },
    reason: 'ended',
  },
  {
    name: 'revoked until then',
    entries: [login(0), revoke(5, { ip: ANNA }), ended(5, 'revoked')],
    ask: { at: at(70) },
    reason: 'ended',
  },
  {
    name: 'the other family',
    entries: [...GRANTED, login(40, 'granted', SIX), refused(42)],
    ask: { at: at(42) },
    reason: 'other-family',
  },
  {
    name: 'a stranger is refused at that moment',
    entries: [login(40, 'granted', SIX), refused(42, OTHER)],
    ask: { at: at(42), address: null, user: 'anna' },
    reason: 'granted',
    address: SIX,
    strangers: [OTHER],
  },
  {
    name: 'somebody unknown beside a user, behind many strangers',
    entries: [
      login(40),
      ...[1, 2, 3, 4].map(host => refused(42, `203.0.113.${host}` as IpText)),
      refused(42, NEIGHBOUR),
    ],
    ask: { at: at(42), address: null, user: 'anna' },
    reason: 'other-address',
    address: NEIGHBOUR,
    strangers: [4, 3, 2].map(host => `203.0.113.${host}` as IpText),
  },
  {
    name: 'somebody unknown beside a user',
    entries: [login(40), refused(42, NEIGHBOUR), refused(42, OTHER)],
    ask: { at: at(42), address: null, user: 'anna' },
    reason: 'other-address',
    address: NEIGHBOUR,
    strangers: [OTHER],
  },
  {
    name: 'another address',
    entries: [...GRANTED, login(40, 'granted', OTHER), refused(42)],
    ask: { at: at(42) },
    reason: 'other-address',
  },
  {
    name: 'another address of the network',
    entries: [login(40, 'granted', NEIGHBOUR), refused(42)],
    ask: { at: at(42) },
    reason: 'other-address',
  },
  {
    name: 'a login after the refusal',
    entries: [refused(42), login(43)],
    ask: { at: at(42) },
    reason: 'later-login',
  },
  {
    name: 'a login after the refusal, and a grant before',
    entries: [...GRANTED, refused(42), login(43)],
    ask: { at: at(42) },
    reason: 'later-login',
  },
  {
    name: 'the daemon was stopped',
    entries: [
      daemon(0, 'started'),
      login(1),
      ended(20),
      daemon(21, 'stopped'),
      login(30, 'too old'),
      daemon(60, 'started'),
    ],
    ask: { at: at(31) },
    reason: 'daemon-down',
  },
  {
    name: 'the daemon was killed',
    entries: [daemon(0, 'started'), login(1), daemon(10, 'lost'), daemon(60, 'started')],
    ask: { at: at(31) },
    reason: 'daemon-down',
  },
  {
    name: 'a grant that outlasts the daemon',
    entries: [daemon(0, 'started'), login(1), daemon(10, 'lost'), daemon(60, 'started')],
    ask: { at: at(12) },
    reason: 'granted',
  },
  {
    name: 'refused with a grant',
    entries: [login(40), refused(42)],
    ask: { at: at(42) },
    reason: 'not-by-map',
  },
  {
    name: 'a session holds it',
    entries: [daemon(0, 'started'), login(1)],
    ask: { at: at(90) },
    reason: 'granted',
  },
  {
    name: 'no end in the history, and no daemon',
    entries: [login(1)],
    ask: { at: at(90) },
    reason: 'ended',
  },
];

describe('why', () => {
  for (const { name, entries, ask, network, reason, address, strangers } of CASES)
    test(`${name}: ${reason}`, () => {
      const question = { address: ANNA, user: null, at: at(22), ...ask };
      const grace = (): number => 900;
      const rules = { grace, network: () => network ?? null };
      const verdict = why(question, new Timeline([...entries].reverse(), grace), rules);
      assert.equal(verdict.reason, reason);
      if (address !== undefined) assert.equal(verdict.address, address);
      assert.deepEqual(
        verdict.strangers.map(({ ip }) => ip),
        strangers ?? [],
      );
      assert.ok(verdict.lines.every(line => entries.includes(line)));
    });

  test('every reason has a case', () => {
    const told = new Set(CASES.map(({ reason }) => reason));
    assert.deepEqual(
      REASONS.filter(reason => !told.has(reason)),
      [],
    );
  });

  test('the moment is that of the refusal within a minute', () => {
    const rules = { grace: () => 900, network: () => null };
    const entries = [login(0), ended(15), refused(20.4)];
    const verdict = why(
      { address: ANNA, user: null, at: at(20) },
      new Timeline(entries, rules.grace),
      rules,
    );
    assert.equal(verdict.at, at(20.4));
  });
});
