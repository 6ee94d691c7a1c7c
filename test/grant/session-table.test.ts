import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { IpText } from '../../src/base/address.ts';
import { type EpochSeconds, epoch, type Moment } from '../../src/base/clock.ts';
import { SessionTable } from '../../src/grant/session-table.ts';
import type { LoginEvent, LogoutEvent, SessionId } from '../../src/recogniser/event.ts';
import type { Protocol } from '../../src/recogniser/protocol.ts';
import { ip } from '../map/addresses.ts';

const LIMIT = 86_400;
const NOON = epoch(1_700_000_000);
const A = ip('192.0.2.1');
const B = ip('192.0.2.2');
const TWO_HOURS = 7200;

/** A steady clock of another process may say anything. */
const at = (wall: number, steady = wall): Moment => ({ wall: epoch(wall), steady: epoch(steady) });

type Spoken = Protocol | null;

/** Of a server that tells its protocol. */
const sessionOf = (key: string | null, server: string, protocol: Spoken): SessionId | null =>
  key === null ? null : { key, service: `${server} ${protocol}`, protocol };

const login = (
  key: string | null,
  address = A,
  server = 'dovecot',
  protocol: Spoken = 'imap',
): LoginEvent => ({
  event: 'login',
  server,
  ip: address,
  user: 'anna',
  time: NOON,
  session: sessionOf(key, server, protocol),
  tls: null,
});

const logout = (
  key: string | null,
  server = 'dovecot',
  protocol: Spoken = 'imap',
): LogoutEvent => ({
  event: 'logout',
  server,
  ip: null,
  user: 'anna',
  time: NOON,
  session: sessionOf(key, server, protocol),
});

const PROTOCOLS = ['imap', 'pop3', null] as const;

/** A table that has seen that both servers tell their sessions, whatever they speak. */
function tellingTable(capacity?: number, limit = LIMIT): SessionTable {
  const table = new SessionTable(limit, capacity);
  for (const server of ['dovecot', 'courier'])
    for (const protocol of PROTOCOLS) table.close(logout('unknown', server, protocol));
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

describe('a logout that is logged before its login', () => {
  const late = (time: EpochSeconds | null): LoginEvent => ({ ...login('one'), time });

  test('leaves nothing open', () => {
    const table = tellingTable();
    assert.equal(table.close(logout('one')), null);
    table.open(late(epoch(NOON - 1)), NOON);
    assert.deepEqual([table.size, table.holds(A)], [0, false]);
  });

  test('counts for one login', () => {
    const table = tellingTable();
    table.close(logout('one'));
    table.open(login('one'), NOON);
    table.open(login('one'), NOON);
    assert.ok(table.holds(A));
  });

  test('of a minute ago and more was that of another session with the same number', () => {
    for (const apart of [-61, 61]) {
      const table = tellingTable();
      table.close(logout('one'));
      table.open(late(epoch(NOON + apart)), NOON);
      assert.ok(table.holds(A), String(apart));
    }
  });

  test('without a stamp may be that of this one', () => {
    const table = tellingTable();
    table.close({ ...logout('one'), time: null });
    table.open(login('one'), NOON);
    table.close(logout('one'));
    table.open(late(null), NOON);
    assert.equal(table.size, 0);
  });

  test('is known after a restart', () => {
    const table = tellingTable();
    table.close(logout('one'));
    const saved: unknown = JSON.parse(JSON.stringify(table.save(at(NOON + 2))));
    const again = new SessionTable(LIMIT);
    again.restore(saved, at(NOON + 3));
    again.open(login('one'), epoch(NOON + 3));
    assert.equal(again.size, 0);
  });

  test('is forgotten in the end', () => {
    const table = tellingTable();
    table.close(logout('one'));
    for (let other = 0; other < 20_000; other++) table.close(logout(`other ${other}`));
    table.open(login('one'), NOON);
    assert.ok(table.holds(A));
  });
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

test('one protocol of a server does not speak for the other', () => {
  const table = new SessionTable(LIMIT);
  table.open(login('one', A, 'courier', 'pop3'), NOON);
  table.open(login('two', B, 'courier', 'imap'), NOON);
  table.close(logout('three', 'courier', 'imap'));
  assert.ok(!table.holds(A));
  assert.ok(table.holds(B));
  table.close(logout('four', 'courier', 'pop3'));
  assert.ok(table.holds(A));
});

test('a logout that may be a stranger’s text ends its session, and proves nothing', () => {
  const table = new SessionTable(LIMIT);
  table.open(login('one'), NOON);
  table.open(login('two', B), NOON);
  assert.equal(table.close({ ...logout('one'), torn: true }), A);
  assert.ok(!table.holds(B));
  assert.equal(table.close({ ...logout('two'), torn: true }), B);
});

describe('a session that outlasts what is plausible for its protocol', () => {
  const table: readonly (readonly [Spoken, number, number])[] = [
    ['imap', LIMIT, LIMIT],
    ['pop3', LIMIT, TWO_HOURS],
    [null, LIMIT, TWO_HOURS],
    ['imap', 600, 600],
    ['pop3', 600, 600],
  ];
  for (const [protocol, limit, seconds] of table) {
    test(`${protocol}, limit ${limit}: holds nothing after ${seconds} s`, () => {
      const sessions = tellingTable(undefined, limit);
      sessions.open(login('one', A, 'dovecot', protocol), NOON);
      sessions.expire(epoch(NOON + seconds - 1));
      assert.ok(sessions.holds(A));
      sessions.expire(epoch(NOON + seconds));
      assert.ok(!sessions.holds(A));
      assert.equal(sessions.size, 0);
    });
  }

  test('does not wait for one of another protocol that began before', () => {
    const sessions = tellingTable();
    sessions.open(login('one', A), NOON);
    sessions.open(login('two', B, 'dovecot', 'pop3'), epoch(NOON + 1));
    sessions.expire(epoch(NOON + 1 + TWO_HOURS));
    assert.ok(sessions.holds(A) && !sessions.holds(B));
  });
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

test('the oldest one, whatever it speaks', () => {
  const table = tellingTable(2);
  table.open(login('one', A, 'dovecot', 'imap'), NOON);
  table.open(login('two', B, 'dovecot', 'pop3'), epoch(NOON + 1));
  table.open(login('three', B, 'dovecot', 'pop3'), epoch(NOON + 2));
  assert.deepEqual([table.size, table.holds(A), table.holds(B)], [2, false, true]);
});

describe('what is saved', () => {
  test('goes on as it was, after a way through JSON', () => {
    const table = tellingTable();
    table.open(login('one', A), NOON);
    table.open(login('two', B, 'courier'), epoch(NOON + 100));
    const saved: unknown = JSON.parse(JSON.stringify(table.save(at(NOON + 200))));
    const again = new SessionTable(LIMIT);
    const later = epoch(NOON + 5000);
    again.restore(saved, at(NOON + 200, later));
    assert.ok(again.holds(A) && again.holds(B));
    again.expire(epoch(later + LIMIT - 200));
    assert.ok(!again.holds(A) && again.holds(B));
    assert.equal(again.close(logout('two', 'courier')), B);
  });

  test('keeps the limit of its protocol', () => {
    const table = tellingTable();
    table.open(login('one', A, 'dovecot', 'pop3'), NOON);
    const again = new SessionTable(LIMIT);
    again.restore(JSON.parse(JSON.stringify(table.save(at(NOON + 200)))), at(NOON + 200, NOON));
    again.expire(epoch(NOON + TWO_HOURS - 201));
    assert.ok(again.holds(A));
    again.expire(epoch(NOON + TWO_HOURS - 200));
    assert.ok(!again.holds(A));
  });

  test('grows old while nobody runs, however the wall clock was set', () => {
    const table = tellingTable();
    table.open(login('one', A), NOON);
    table.open(login('two', B, 'dovecot', 'pop3'), NOON);
    const saved: unknown = JSON.parse(JSON.stringify(table.save(at(NOON))));
    const heldAt = (wall: number): readonly boolean[] => {
      const again = new SessionTable(LIMIT);
      again.restore(saved, at(wall, NOON));
      return [again.holds(A), again.holds(B)];
    };
    assert.deepEqual(heldAt(NOON + TWO_HOURS - 1), [true, true]);
    assert.deepEqual(heldAt(NOON + TWO_HOURS), [true, false]);
    assert.deepEqual(heldAt(NOON + LIMIT), [false, false]);
    assert.deepEqual(heldAt(NOON - 5000), [true, true]);
  });

  test('by 1.0.0 is left out: it does not tell the protocol', () => {
    const table = new SessionTable(LIMIT);
    table.restore({ telling: [['courier']], open: [['k', A, 'courier', LIMIT]] }, at(NOON));
    assert.deepEqual([table.size, table.holds(A)], [0, false]);
  });

  test('of another sort is left out', () => {
    const table = new SessionTable(LIMIT);
    for (const saved of [
      null,
      7,
      {},
      { telling: 7, open: {} },
      { at: NOON, open: [7, [], ['k', 'x', 's', 1, 'imap'], ['k', A, 's', 1, 'x']] },
      { open: [['k', A, 's', 1, 'imap']] },
    ]) {
      table.restore(saved, at(NOON));
    }
    assert.equal(table.size, 0);
  });
});

/** The plainest table there could be: every open session with its address and its end. */
class Model {
  readonly #sessions = new Map<string, { address: IpText; end: number }>();
  /** Logouts that closed nothing, until a login of that name comes. */
  readonly #ended = new Map<string, number>();

  get size(): number {
    return this.#sessions.size;
  }

  open(key: string, address: IpText, now: number, end: number): void {
    const ended = this.#ended.get(key) ?? Number.NEGATIVE_INFINITY;
    this.#ended.delete(key);
    if (now - ended > 60) this.#sessions.set(key, { address, end });
  }

  close(key: string, now: number): IpText | null {
    const address = this.#sessions.get(key)?.address ?? null;
    if (address === null) this.#ended.set(key, now);
    this.#sessions.delete(key);
    return address;
  }

  expire(now: number): void {
    for (const [key, { end }] of this.#sessions) if (end <= now) this.#sessions.delete(key);
  }

  holds(address: IpText): boolean {
    return [...this.#sessions.values()].some(session => session.address === address);
  }
}

const longest = (protocol: Spoken): number => (protocol === 'imap' ? LIMIT : TWO_HOURS);

const step = fc.record({
  kind: fc.constantFrom('login', 'login', 'logout'),
  passed: fc.oneof(
    fc.integer({ min: 0, max: 90 }),
    fc.integer({ min: 0, max: 3000 }),
    fc.integer({ min: 0, max: LIMIT / 2 }),
  ),
  key: fc.integer({ min: 0, max: 6 }).map(String),
  address: fc.constantFrom(A, B),
  server: fc.constantFrom('dovecot', 'courier'),
  protocol: fc.constantFrom(...PROTOCOLS),
});

test('behaves as the plainest table there could be', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), steps => {
      const table = tellingTable();
      const model = new Model();
      let now: EpochSeconds = NOON;
      for (const { kind, passed, key, address, server, protocol } of steps) {
        now = epoch(now + passed);
        table.expire(now);
        model.expire(now);
        if (kind === 'logout') {
          assert.equal(table.close({ ...logout(key), time: now }), model.close(key, now));
        } else {
          table.open({ ...login(key, address, server, protocol), time: now }, now);
          model.open(key, address, now, now + longest(protocol));
        }
        assert.equal(table.size, model.size);
        for (const each of [A, B]) assert.equal(table.holds(each), model.holds(each));
      }
    }),
  );
});

test('no sequence of logins without the right logout holds an address beyond its bound', () => {
  // The right logout is one of the same service: of the same server and protocol.
  const restarts = fc.array(fc.nat(100), { maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 100 }),
      restarts,
      fc.nat(LIMIT),
      fc.nat(TWO_HOURS),
      (steps, stops, late, down) => {
        let table = new SessionTable(LIMIT);
        let now: EpochSeconds = NOON;
        const told = new Set<string>();
        const ends: { address: IpText; service: string; end: number }[] = [];
        for (const [index, { kind, passed, key, address, server, protocol }] of steps.entries()) {
          now = epoch(now + passed);
          const service = `${server} ${protocol}`;
          if (kind === 'logout') {
            table.close(logout(`other ${key}`, server, protocol));
            told.add(service);
          } else {
            table.open({ ...login(key, address, server, protocol), time: now }, now);
            ends.push({ address, service, end: now + longest(protocol) });
          }
          if (stops.includes(index)) {
            const saved: unknown = JSON.parse(JSON.stringify(table.save(at(now))));
            table = new SessionTable(LIMIT);
            now = epoch(now + down);
            table.restore(saved, at(now));
          }
          table.expire(now);
          for (const each of [A, B]) {
            const may = ends.some(
              one => one.address === each && told.has(one.service) && one.end > now,
            );
            assert.ok(may || !table.holds(each));
          }
        }
        const end = Math.max(now, ...ends.map(one => one.end));
        table.expire(epoch(end + late));
        for (const each of [A, B]) assert.ok(!table.holds(each));
        assert.equal(table.size, 0);
      },
    ),
  );
});
