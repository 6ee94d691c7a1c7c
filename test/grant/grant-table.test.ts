import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalIp, type IpText } from '../../src/base/address.ts';
import { epoch, type Moment } from '../../src/base/clock.ts';
import { type Grant, GrantTable } from '../../src/grant/grant-table.ts';

const GRACE = 900;
const NOON = 1_700_000_000;

function ip(text: string): IpText {
  const address = canonicalIp(text);
  if (address === null) throw new Error(`not an address: ${text}`);
  return address;
}

const A = ip('192.0.2.1');
const at = (seconds: number): Moment => ({ wall: epoch(seconds), steady: epoch(seconds) });
const ended = (table: GrantTable, now: Moment): readonly Grant[] =>
  table.expire(now, () => false).ended;
const addresses = (grants: readonly { ip: IpText }[]): string[] => grants.map(grant => grant.ip);

describe('a login', () => {
  test('grants until the grace period has passed, and not a moment longer', () => {
    const table = new GrantTable(() => GRACE);
    assert.deepEqual(table.login(A, epoch(NOON), at(NOON)), { kind: 'granted', stamp: NOON });
    assert.deepEqual(ended(table, at(NOON + GRACE - 0.01)), []);
    assert.deepEqual(ended(table, at(NOON + GRACE)), [{ ip: A, stamp: NOON }]);
    assert.equal(table.size, 0);
  });

  test('that was logged a while ago is worth what is left of its grace period', () => {
    const table = new GrantTable(() => GRACE);
    assert.equal(table.login(A, epoch(NOON - 800), at(NOON)).kind, 'granted');
    assert.deepEqual(addresses(ended(table, at(NOON + 100))), [A]);
  });

  test('older than the grace period grants nothing', () => {
    const table = new GrantTable(() => GRACE);
    assert.deepEqual(table.login(A, epoch(NOON - GRACE), at(NOON)), { kind: 'late' });
    assert.equal(table.size, 0);
  });

  test('from the future counts as now', () => {
    const table = new GrantTable(() => GRACE);
    assert.deepEqual(table.login(A, epoch(NOON + 86_400), at(NOON)), {
      kind: 'granted',
      stamp: NOON,
    });
    assert.deepEqual(addresses(ended(table, at(NOON + GRACE))), [A]);
  });

  test('again refreshes the grant; an older line read later does not shorten it', () => {
    const table = new GrantTable(() => GRACE);
    table.login(A, epoch(NOON), at(NOON));
    const again = table.login(A, epoch(NOON + 600), at(NOON + 600));
    assert.deepEqual(again, { kind: 'refreshed', stamp: NOON + 600, moved: true });
    const older = table.login(A, epoch(NOON + 300), at(NOON + 601));
    assert.deepEqual(older, { kind: 'refreshed', stamp: NOON + 600, moved: false });
    assert.deepEqual(ended(table, at(NOON + 600 + GRACE - 1)), []);
    assert.deepEqual(addresses(ended(table, at(NOON + 600 + GRACE))), [A]);
  });
});

describe('an address with a grace period of its own', () => {
  const B = ip('192.0.2.2');
  const graceOf = (address: IpText): number => (address === B ? 60 : GRACE);

  test('keeps to it: from the login, from a row of an earlier run, and after a session', () => {
    const table = new GrantTable(graceOf);
    assert.equal(table.login(B, epoch(NOON - 60), at(NOON)).kind, 'late');
    table.restore({ ip: B, stamp: epoch(NOON - 30) }, at(NOON));
    table.restore({ ip: A, stamp: epoch(NOON - 30) }, at(NOON));
    assert.deepEqual(table.expire(at(NOON + 30), () => true).kept, [{ ip: B, stamp: NOON + 30 }]);
    table.logout(B, epoch(NOON + 50), at(NOON + 50));
    assert.deepEqual(addresses(ended(table, at(NOON + 109))), []);
    assert.deepEqual(addresses(ended(table, at(NOON + 110))), [B]);
    assert.deepEqual(addresses(ended(table, at(NOON - 30 + GRACE))), [A]);
  });

  test('has a new one from a reload on, and others keep theirs', () => {
    let current = (_: IpText): number => GRACE;
    const table = new GrantTable(address => current(address));
    table.login(A, epoch(NOON), at(NOON));
    table.login(B, epoch(NOON), at(NOON));
    current = graceOf;
    table.graceChanged(() => GRACE);
    assert.deepEqual(addresses(ended(table, at(NOON + 60))), [B]);
    current = () => 2 * GRACE;
    table.graceChanged(graceOf);
    assert.deepEqual(addresses(ended(table, at(NOON + 2 * GRACE - 1))), []);
    assert.deepEqual(addresses(ended(table, at(NOON + 2 * GRACE))), [A]);
  });
});

test('a grant that is revoked is gone, and a new one lasts as long as any', () => {
  const table = new GrantTable(() => GRACE);
  table.login(A, epoch(NOON), at(NOON));
  assert.deepEqual(table.revoke(A), { ip: A, stamp: NOON });
  assert.equal(table.revoke(A), null);
  assert.equal(table.size, 0);
  assert.equal(table.login(A, epoch(NOON + 10), at(NOON + 10)).kind, 'granted');
  assert.deepEqual(addresses(ended(table, at(NOON + GRACE))), []);
  assert.deepEqual(addresses(ended(table, at(NOON + 10 + GRACE))), [A]);
});

describe('a row of an earlier run', () => {
  test('goes on where it was', () => {
    const table = new GrantTable(() => GRACE);
    table.restore({ ip: A, stamp: epoch(NOON - 600) }, at(NOON));
    assert.deepEqual(ended(table, at(NOON + 299)), []);
    assert.deepEqual(ended(table, at(NOON + 300)), [{ ip: A, stamp: NOON - 600 }]);
  });

  test('that is overdue ends at once', () => {
    const table = new GrantTable(() => GRACE);
    table.restore({ ip: A, stamp: epoch(NOON - 5000) }, at(NOON));
    assert.deepEqual(addresses(ended(table, at(NOON + 0.25))), [A]);
  });

  test('from the future ends with the grace period all the same', () => {
    const table = new GrantTable(() => GRACE);
    table.restore({ ip: A, stamp: epoch(NOON + 86_400) }, at(NOON));
    assert.deepEqual(addresses(ended(table, at(NOON + GRACE))), [A]);
  });
});

describe('a grant whose session is open', () => {
  test('lasts for another grace period whenever it is due', () => {
    const table = new GrantTable(() => GRACE);
    table.login(A, epoch(NOON), at(NOON));
    const held = table.expire(at(NOON + GRACE), () => true);
    assert.deepEqual(held, { ended: [], kept: [{ ip: A, stamp: NOON + GRACE }] });
    assert.deepEqual(table.expire(at(NOON + 2 * GRACE - 1), () => false).ended, []);
    assert.deepEqual(ended(table, at(NOON + 2 * GRACE)), [{ ip: A, stamp: NOON + GRACE }]);
  });

  test('lasts for the grace period after the logout', () => {
    const table = new GrantTable(() => GRACE);
    table.login(A, epoch(NOON), at(NOON));
    assert.deepEqual(table.logout(A, epoch(NOON + 600), at(NOON + 600)), {
      ip: A,
      stamp: NOON + 600,
    });
    assert.deepEqual(ended(table, at(NOON + GRACE)), []);
    assert.deepEqual(addresses(ended(table, at(NOON + 600 + GRACE))), [A]);
  });

  test('is not shortened by an old logout, nor lengthened by one from the future, nor made by any', () => {
    const table = new GrantTable(() => GRACE);
    assert.equal(table.logout(A, epoch(NOON), at(NOON)), null);
    table.login(A, epoch(NOON), at(NOON));
    assert.equal(table.logout(A, epoch(NOON - 100), at(NOON)), null);
    assert.equal(table.logout(A, epoch(NOON + 5000), at(NOON)), null);
    assert.deepEqual(addresses(ended(table, at(NOON + GRACE))), [A]);
  });
});

test('a step of the wall clock neither ends a grant nor keeps it', () => {
  for (const step of [-7200, 7200]) {
    const table = new GrantTable(() => GRACE);
    table.login(A, epoch(NOON), at(NOON));
    const stepped = (passed: number): Moment => ({
      wall: epoch(NOON + step + passed),
      steady: epoch(NOON + passed),
    });
    assert.deepEqual(ended(table, stepped(GRACE - 1)), []);
    assert.deepEqual(addresses(ended(table, stepped(GRACE))), [A]);
  }
});

test('a new grace period holds for live grants as well', () => {
  let current = GRACE;
  const table = new GrantTable(() => current);
  table.login(A, epoch(NOON), at(NOON));
  current = 60;
  table.graceChanged(() => GRACE);
  assert.deepEqual(ended(table, at(NOON + 59)), []);
  assert.deepEqual(addresses(ended(table, at(NOON + 60))), [A]);
  table.login(A, epoch(NOON + 60), at(NOON + 60));
  current = 120;
  table.graceChanged(() => 60);
  assert.deepEqual(ended(table, at(NOON + 179)), []);
  assert.deepEqual(addresses(ended(table, at(NOON + 180))), [A]);
});

test('beyond the bound those that would end first end, refreshes being taken into account', () => {
  const table = new GrantTable(() => GRACE, 2);
  const [first, second, third] = [ip('192.0.2.11'), ip('192.0.2.12'), ip('192.0.2.13')];
  table.login(first, epoch(NOON), at(NOON));
  table.login(second, epoch(NOON + 1), at(NOON + 1));
  table.login(first, epoch(NOON + 2), at(NOON + 2));
  assert.deepEqual(table.evict(), []);
  table.login(third, epoch(NOON + 3), at(NOON + 3));
  assert.deepEqual(table.evict(), [{ ip: second, stamp: NOON + 1 }]);
  assert.deepEqual(addresses(ended(table, at(NOON + GRACE + 2))), [first]);
  assert.deepEqual(addresses(ended(table, at(NOON + GRACE + 3))), [third]);
});

/** The plainest table there could be: every address with the time of its latest login. */
class Model {
  readonly logins = new Map<IpText, number>();
  #grace = GRACE;

  login(address: IpText, time: number, now: number): string {
    const stamp = Math.min(time, now);
    if (stamp + this.#grace <= now) return 'late';
    const before = this.logins.get(address);
    this.logins.set(address, Math.max(before ?? 0, stamp));
    return before === undefined ? 'granted' : 'refreshed';
  }

  expire(now: number): Set<IpText> {
    const ended = [...this.logins].filter(([, stamp]) => stamp + this.#grace <= now);
    for (const [address] of ended) this.logins.delete(address);
    return new Set(ended.map(([address]) => address));
  }
}

test('behaves as the plainest table there could be, whatever happens in whatever order', () => {
  const step = fc.record({
    address: fc.integer({ min: 0, max: 5 }),
    /** How old the line is when it is read; below zero it is from the future. */
    age: fc.integer({ min: -50, max: GRACE + 50 }),
    passed: fc.integer({ min: 0, max: 400 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const table = new GrantTable(() => GRACE);
      const model = new Model();
      let now = NOON;
      for (const { address, age, passed } of steps) {
        now += passed;
        assert.deepEqual(new Set(addresses(ended(table, at(now)))), model.expire(now));
        const who = ip(`192.0.2.${address}`);
        const { kind } = table.login(who, epoch(now - age), at(now));
        assert.equal(kind, model.login(who, now - age, now));
        assert.equal(table.size, model.logins.size);
      }
    }),
  );
});

test('tells what the row of a grant says', () => {
  const table = new GrantTable(() => GRACE);
  const who = ip('192.0.2.1');
  assert.equal(table.stampOf(who), null);
  table.login(who, epoch(NOON - 5), at(NOON));
  assert.equal(table.stampOf(who), NOON - 5);
});
