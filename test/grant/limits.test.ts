import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { epoch, type Moment } from '../../src/base/clock.ts';
import { Grace, parseGraceFor } from '../../src/grant/grace.ts';
import { type Limit, type LimitSettings, Limits } from '../../src/grant/limits.ts';
import { ip } from '../map/addresses.ts';

const NOON = 1_700_000_000;
const GRACE = new Grace(900, parseGraceFor({ value: ['203.0.113.0/24=60'], origin: 'x' }));
const TWO: Limit = { most: 2, action: 'warn' };
const BOTH: LimitSettings = { usersPerAddress: TWO, addressesPerUser: TWO };
const OFF: LimitSettings = { usersPerAddress: null, addressesPerUser: null };

const at = (seconds: number): Moment => ({ wall: epoch(seconds), steady: epoch(seconds) });

let limits: Limits;
beforeEach(() => {
  limits = new Limits();
});

/** The reasons, each with the addresses. */
function count(
  user: string | null,
  address: string,
  now: number = NOON,
  settings: LimitSettings = BOTH,
  time: number | null = now,
): string[] {
  const login = {
    event: 'login',
    server: 'dovecot',
    ip: ip(address),
    user,
    time: time === null ? null : epoch(time),
    session: null,
    tls: null,
  } as const;
  return limits
    .count(login, settings, GRACE, at(now))
    .map(
      ({ reason, addresses, networks }) => `${reason}: ${[...addresses, ...networks].join(' ')}`,
    );
}

test('more users of an address than there may be', () => {
  assert.deepEqual(count('a', '198.51.100.1'), []);
  assert.deepEqual(count('b', '198.51.100.1'), []);
  assert.deepEqual(count('B', '198.51.100.1'), [], 'the same one');
  assert.deepEqual(count('c', '198.51.100.2'), [], 'elsewhere');
  assert.deepEqual(count('c', '198.51.100.1'), ['too many users: 198.51.100.1']);
  // As long as they keep coming, whoever it is.
  assert.deepEqual(count('a', '198.51.100.1'), ['too many users: 198.51.100.1']);
});

test('more addresses of a user than there may be', () => {
  for (const last of [1, 2, 2]) assert.deepEqual(count('a', `198.51.100.${last}`), []);
  assert.deepEqual(count('a', '2001:db8::1'), [
    'too many addresses: 198.51.100.1 198.51.100.2 2001:db8::/64',
  ]);
  assert.deepEqual(count('a', '198.51.100.1'), ['too many addresses: '], 'no news');
});

describe('a /64 of IPv6 is one address', () => {
  test('to a user who changes his within it', () => {
    for (let number = 1; number < 50; number++)
      assert.deepEqual(count('a', `2001:db8::${number}`), []);
    assert.deepEqual(count('a', '2001:db8:0:1::1'), []);
    assert.deepEqual(count('a', '2001:db8:0:2::1'), [
      'too many addresses: 2001:db8::/64 2001:db8:0:1::/64 2001:db8:0:2::/64',
    ]);
  });

  test('to users who log in from one after the other of it', () => {
    assert.deepEqual(count('a', '2001:db8::1'), []);
    assert.deepEqual(count('b', '2001:db8::2'), []);
    assert.deepEqual(count('c', '2001:db8::3'), ['too many users: 2001:db8::3']);
    assert.deepEqual(count('c', '2001:db8:0:1::3'), []);
  });

  test('but not where an IPv4 address is behind each', () => {
    for (const user of ['a', 'b', 'c']) assert.deepEqual(count(user, `64:ff9b::c000:${user}`), []);
  });
});

test('both at once', () => {
  count('a', '198.51.100.1');
  count('b', '198.51.100.1');
  count('x', '198.51.100.2');
  count('x', '198.51.100.3');
  assert.deepEqual(count('x', '198.51.100.1'), [
    'too many users: 198.51.100.1',
    'too many addresses: 198.51.100.2 198.51.100.3 198.51.100.1',
  ]);
});

describe('a login counts', () => {
  test('until its grace period is over, that of its own network', () => {
    for (const address of ['198.51.100.1', '203.0.113.1']) {
      count('a', address);
      count('b', address);
    }
    assert.deepEqual(count('c', '203.0.113.1', NOON + 60), []);
    assert.deepEqual(count('d', '198.51.100.1', NOON + 899), ['too many users: 198.51.100.1']);
    assert.deepEqual(count('e', '198.51.100.1', NOON + 900), []);
  });

  test('from the time in its line, and not if that is too old or missing', () => {
    count('a', '198.51.100.1', NOON, BOTH, NOON - 900);
    count('b', '198.51.100.1', NOON, BOTH, null);
    count('c', '198.51.100.1', NOON, BOTH, NOON - 899);
    count('d', '198.51.100.1');
    assert.deepEqual(count('d', '198.51.100.1'), []);
    assert.deepEqual(count('e', '198.51.100.1'), ['too many users: 198.51.100.1']);
  });

  test('as of now if it is from the future', () => {
    count('a', '198.51.100.1', NOON, BOTH, NOON + 86_400);
    count('b', '198.51.100.1', NOON, BOTH, NOON + 86_400);
    assert.deepEqual(count('c', '198.51.100.1', NOON + 900), []);
  });

  test('only if the log names the user', () => {
    for (let index = 0; index < 9; index++) assert.deepEqual(count(null, '198.51.100.1'), []);
    count('a', '198.51.100.1');
    assert.deepEqual(count('b', '198.51.100.1'), []);
  });
});

test('names of any length are told apart, and cost the same', () => {
  const long = 'x'.repeat(8000);
  count(`${long}a`, '198.51.100.1');
  count(`${long}b`, '198.51.100.1');
  assert.deepEqual(count(`${long}a`, '198.51.100.1'), []);
  assert.deepEqual(count(`${long}c`, '198.51.100.1'), ['too many users: 198.51.100.1']);
});

test('without a limit nothing is counted, and what was is forgotten', () => {
  count('a', '198.51.100.1');
  count('b', '198.51.100.1');
  assert.deepEqual(count('c', '198.51.100.1', NOON, OFF), []);
  assert.deepEqual(count('d', '198.51.100.1'), []);
});
