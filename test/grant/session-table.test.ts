import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { IpText } from '../../src/base/address.ts';
import { type EpochSeconds, epoch } from '../../src/base/clock.ts';
import { SessionTable } from '../../src/grant/session-table.ts';
import type { LoginEvent, LogoutEvent } from '../../src/recogniser/event.ts';
import { ip } from '../map/addresses.ts';

const LIMIT = 86_400;
const NOON = epoch(1_700_000_000);
const A = ip('192.0.2.1');
const B = ip('192.0.2.2');

const login = (session: string | null, address = A, server = 'dovecot'): LoginEvent => ({
  event: 'login',
  server,
  ip: address,
  user: 'anna',
  time: NOON,
  session,
  tls: null,
});

const logout = (session: string | null, server = 'dovecot'): LogoutEvent => ({
  event: 'logout',
  server,
  ip: null,
  user: 'anna',
  time: NOON,
  session,
});

/** A table that has seen that both servers tell their sessions. */
function tellingTable(capacity?: number): SessionTable {
  const table = new SessionTable(LIMIT, capacity);
  for (const server of ['dovecot', 'courier']) table.close(logout('unknown', server));
  return table;
}

describe('an open session', () => {
  test('holds its address until the last one of it is closed', () => {
    const table = tellingTable();
    table.open(login('one'), NOON);
    table.open(login('two'), NOON);
    assert.ok(table.holds(A));
    assert.ok(!table.holds(B));
    assert.equal(table.close(logout('one')), A);
    assert.ok(table.holds(A));
    assert.equal(table.close(logout('two')), A);
    assert.ok(!table.holds(A));
    assert.equal(table.size, 0);
  });

  test('is forgotten at the age limit, not before', () => {
    const table = tellingTable();
    table.open(login('one'), NOON);
    table.expire(epoch(NOON + LIMIT - 1));
    assert.ok(table.holds(A));
    table.expire(epoch(NOON + LIMIT));
    assert.ok(!table.holds(A));
    assert.equal(table.close(logout('one')), null);
  });

  test('of the same name replaces the one before, whose logout was never logged', () => {
    const table = tellingTable();
    table.open(login('pid 7', A), NOON);
    table.open(login('pid 7', B), epoch(NOON + 1));
    assert.ok(!table.holds(A));
    assert.equal(table.close(logout('pid 7')), B);
  });
});

test('a logout without a login closes nothing', () => {
  const table = tellingTable();
  assert.equal(table.close(logout('nobody')), null);
  table.open(login(null), NOON);
  assert.equal(table.close(logout(null)), null);
  assert.ok(!table.holds(A));
});

test('a server that tells no session in its logouts keeps nothing open, and does not speak for others', () => {
  const table = new SessionTable(LIMIT);
  table.open(login('one'), NOON);
  assert.ok(!table.holds(A));
  table.close(logout(null));
  table.close(logout('other', 'courier'));
  assert.ok(!table.holds(A));
  table.close(logout('other'));
  assert.ok(table.holds(A));
});

test('the oldest session goes when there are too many', () => {
  const table = tellingTable(2);
  table.open(login('one', A), NOON);
  table.open(login('two', B), NOON);
  table.open(login('three', B), NOON);
  assert.equal(table.size, 2);
  assert.ok(!table.holds(A));
  assert.ok(table.holds(B));
});

describe('what is saved', () => {
  test('goes on as it was, after a way through JSON', () => {
    const table = tellingTable();
    table.open(login('one', A), NOON);
    table.open(login('two', B, 'courier'), epoch(NOON + 100));
    const saved: unknown = JSON.parse(JSON.stringify(table.save(epoch(NOON + 200))));
    const again = new SessionTable(LIMIT);
    const later = epoch(NOON + 5000);
    again.restore(saved, later);
    assert.ok(again.holds(A) && again.holds(B));
    again.expire(epoch(later + LIMIT - 200));
    assert.ok(!again.holds(A) && again.holds(B));
    assert.equal(again.close(logout('two', 'courier')), B);
  });

  test('of another sort is left out', () => {
    const table = new SessionTable(LIMIT);
    for (const saved of [
      null,
      7,
      {},
      { telling: 7, open: {} },
      { open: [7, [], ['k', 'x', 's', 1]] },
    ]) {
      table.restore(saved, NOON);
    }
    assert.equal(table.size, 0);
  });
});

/** The plainest table there could be: every open session with its address and beginning. */
class Model {
  readonly #sessions = new Map<string, { address: IpText; since: number }>();

  get size(): number {
    return this.#sessions.size;
  }

  open(key: string, address: IpText, since: number): void {
    this.#sessions.set(key, { address, since });
  }

  close(key: string): IpText | null {
    const address = this.#sessions.get(key)?.address ?? null;
    this.#sessions.delete(key);
    return address;
  }

  expire(now: number): void {
    for (const [key, { since }] of this.#sessions) {
      if (since + LIMIT <= now) this.#sessions.delete(key);
    }
  }

  holds(address: IpText): boolean {
    return [...this.#sessions.values()].some(session => session.address === address);
  }
}

test('behaves as the plainest table there could be', () => {
  const step = fc.record({
    kind: fc.constantFrom('login', 'login', 'logout'),
    passed: fc.integer({ min: 0, max: LIMIT / 2 }),
    key: fc.integer({ min: 0, max: 6 }).map(String),
    address: fc.constantFrom(A, B),
    server: fc.constantFrom('dovecot', 'courier'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), steps => {
      const table = tellingTable();
      const model = new Model();
      let now: EpochSeconds = NOON;
      for (const { kind, passed, key, address, server } of steps) {
        now = epoch(now + passed);
        table.expire(now);
        model.expire(now);
        if (kind === 'logout') assert.equal(table.close(logout(key)), model.close(key));
        else {
          table.open(login(key, address, server), now);
          model.open(key, address, now);
        }
        assert.equal(table.size, model.size);
        for (const each of [A, B]) assert.equal(table.holds(each), model.holds(each));
      }
    }),
  );
});
