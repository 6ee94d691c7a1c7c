/** Whose grants go when there are more than there may be. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { IpText } from '../../src/base/address.ts';
import { epoch, type Moment } from '../../src/base/clock.ts';
import { subnetOf } from '../../src/base/subnet.ts';
import { GrantTable } from '../../src/grant/grant-table.ts';
import { ip } from '../map/addresses.ts';

const GRACE = 900;
const NOON = 1_700_000_000;
const CAPACITY = 1000;

const at = (seconds: number): Moment => ({ wall: epoch(seconds), steady: epoch(seconds) });

/** Logins one after the other, a second each, with an eviction behind each. */
class World {
  readonly table: GrantTable;
  readonly evicted: IpText[] = [];
  #now = NOON;

  constructor(capacity: number = CAPACITY) {
    this.table = new GrantTable(() => 10 * CAPACITY, capacity);
  }

  login(user: string | null, address: string): void {
    this.#now++;
    this.table.login(ip(address), epoch(this.#now), at(this.#now), user);
    this.evicted.push(...this.table.evict().map(grant => grant.ip));
  }
}

const ipv4 = (number: number): string => `10.1.${number >> 8}.${number & 255}`;
const inNetwork = (number: number): string => `2001:db8:0:7:a::${(number + 1).toString(16)}`;
const has = ({ table }: World, address: string): boolean => table.stampOf(ip(address)) !== null;

describe('nobody else loses his grant', () => {
  const flood: readonly (readonly [string, (number: number) => [string | null, string]])[] = [
    ['by one user from one /64', number => ['eve', inNetwork(number)]],
    ['by one user from everywhere', number => ['eve', ipv4(number)]],
    [
      'by one user in many spellings',
      number => [['eve', 'Eve', 'EVE'][number % 3] ?? '', ipv4(number)],
    ],
    ['by many users from one /64', number => [`eve${number}`, inNetwork(number)]],
    ['by users whom the log does not name from one /64', number => [null, inNetwork(number)]],
    ['by ten users from everywhere', number => [`eve${number % 10}`, ipv4(number)]],
  ];
  for (const [how, login] of flood) {
    test(how, () => {
      const world = new World();
      const others = ['192.0.2.10', '192.0.2.11', '2001:db8:1::5'];
      for (const [index, other] of others.entries()) world.login(`user${index}`, other);
      world.login(null, '192.0.2.12');
      for (let number = 0; number < 3 * CAPACITY; number++) world.login(...login(number));
      for (const other of [...others, '192.0.2.12']) assert.ok(has(world, other), other);
      assert.equal(world.table.size, CAPACITY);
      // Of his own it is the one that was used longest ago, and never the one that has just come.
      assert.ok(has(world, login(3 * CAPACITY - 1)[1]));
      assert.ok(!has(world, login(0)[1]));
    });
  }

  test('nor a neighbour in the /64, while the account that fills it is one', () => {
    const world = new World();
    for (let number = 0; number < 5; number++)
      world.login(`user${number}`, inNetwork(9000 + number));
    for (let number = 0; number < 3 * CAPACITY; number++) world.login('eve', inNetwork(number));
    for (let number = 0; number < 5; number++) assert.ok(has(world, inNetwork(9000 + number)));
  });

  test('when somebody who has many logs in from his address as well', () => {
    const world = new World(100);
    world.login('anna', '192.0.2.10');
    for (let number = 0; number < 300; number++) {
      world.login('eve', ipv4(number));
      if (number === 50) world.login('eve', '192.0.2.10');
    }
    assert.ok(has(world, '192.0.2.10'));
  });

  test('after a restart, with whose they are known from before', () => {
    const world = new World(100);
    for (let number = 0; number < 100; number++) {
      const address = ip(number === 0 ? '192.0.2.10' : ipv4(number));
      world.table.restore({ ip: address, stamp: epoch(NOON + number) }, at(NOON + 200));
      if (number > 0) world.table.attribute(address, 'eve');
    }
    for (let number = 0; number < 50; number++)
      world.login(`user${number}`, `192.0.2.${100 + number}`);
    assert.ok(has(world, '192.0.2.10'));
    assert.ok(world.evicted.every(address => address.startsWith('10.1.')));
  });
});

test('what is refreshed goes last of all that its user has', () => {
  const world = new World(3);
  for (let number = 0; number < 3; number++) world.login('anna', ipv4(number));
  world.login('anna', ipv4(0));
  world.login('anna', ipv4(3));
  assert.deepEqual(world.evicted, [ipv4(1)]);
});

const user = fc.option(fc.integer({ min: 0, max: 4 }).map(number => `user${number}`));
const address = fc.oneof(
  fc.integer({ min: 0, max: 30 }).map(ipv4),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 20 }))
    .map(([network, host]) => `2001:db8:0:${network}:a:b:c:${host.toString(16)}`),
);
const event = fc.record({
  kind: fc.constantFrom('login', 'login', 'login', 'login', 'revoke', 'wait'),
  user,
  address,
});

type Step = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** A table beside what it is to hold. */
class Watched {
  readonly #table = new GrantTable(() => GRACE, 12);
  readonly #live = new Set<IpText>();
  #now = NOON;

  apply({ kind, user: name, address: text }: Step): void {
    const who = ip(text);
    this.#now += kind === 'wait' ? 300 : 1;
    const now = at(this.#now);
    for (const { ip: gone } of this.#table.expire(now, () => false).ended) this.#live.delete(gone);
    if (kind === 'revoke' && this.#table.revoke(who) !== null) this.#live.delete(who);
    if (kind === 'login') {
      this.#table.login(who, now.wall, now, name);
      this.#live.add(who);
    }
    const users = this.#users();
    for (const { ip: gone } of this.#table.evict()) {
      this.#judge(gone, users);
      this.#live.delete(gone);
    }
    assert.deepEqual(new Set([...this.#table.all()].map(one => one.ip)), this.#live);
    assert.ok(this.#table.size <= 12);
  }

  #users(): ReadonlyMap<IpText, string> {
    const names = [0, 1, 2, 3, 4].map(number => `user${number}`);
    return new Map(
      names.flatMap(name => this.#table.ofUser(name).map(one => [one, name] as const)),
    );
  }

  #judge(gone: IpText, users: ReadonlyMap<IpText, string>): void {
    const ofUser = this.#count(gone, one => users.get(one) ?? null);
    const ofNetwork = this.#count(gone, one => (one.includes(':') ? subnetOf(one) : null));
    if (Math.max(ofUser.most, ofNetwork.most) < 2) return;
    const isUsersTurn = 2 * ofUser.most >= ofNetwork.most;
    const { his, most } = isUsersTurn ? ofUser : ofNetwork;
    assert.equal(his, most);
  }

  /** How many whoever has this one has, and how many whoever has most. */
  #count(
    gone: IpText,
    of: (one: IpText) => string | null,
  ): { readonly his: number; readonly most: number } {
    const counts = new Map<string | null, number>();
    for (const one of this.#live) counts.set(of(one), (counts.get(of(one)) ?? 0) + 1);
    counts.delete(null);
    return { his: counts.get(of(gone)) ?? 0, most: Math.max(0, ...counts.values()) };
  }
}

test('whoever has fewer than the one who has most loses none, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 20, maxLength: 200 }), events => {
      const watched = new Watched();
      for (const one of events) watched.apply(one);
    }),
    { numRuns: 500 },
  );
});
