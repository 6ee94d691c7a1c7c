import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import type { IpText } from '../../src/base/address.ts';
import { epoch, type Moment } from '../../src/base/clock.ts';
import { Grace } from '../../src/grant/grace.ts';
import type { Order, Subject } from '../../src/grant/order.ts';
import { Orders } from '../../src/grant/orders.ts';
import { ip } from '../map/addresses.ts';

const GRACE = 900;
const NOON = 1_700_000_000;
const A = ip('198.51.100.1');
const B = ip('2001:db8::1');

let now: Moment;
let orders: Orders;

const at = (seconds: number, step = 0): Moment => ({
  wall: epoch(NOON + seconds + step),
  steady: epoch(NOON + seconds),
});
const address = (which = A): Subject => ({ kind: 'address', ip: which });
const user = (name: string): Subject => ({ kind: 'user', user: name });
const login = (which = A, name: string | null = 'anna', time: number | null = now.wall) => ({
  ip: which,
  user: name,
  time: time === null ? null : epoch(time),
});

beforeEach(() => {
  now = at(0);
  orders = new Orders(() => new Grace(GRACE));
});

describe('a revocation', () => {
  test('of an address refuses its logins, whoever they are, until it ends', () => {
    orders.revoke(address(), 60, now);
    assert.equal(orders.refuses(login(), now), true);
    assert.equal(orders.refuses(login(A, null, null), now), true);
    assert.equal(orders.refuses(login(B), now), false);
    now = at(59);
    assert.equal(orders.refuses(login(), now), true);
    now = at(60);
    assert.equal(orders.refuses(login(), now), false);
  });

  test('of a user refuses his logins from everywhere, however they are spelled', () => {
    orders.revoke(user('Anna@Example.org'), 60, now);
    for (const name of ['anna@example.org', 'ANNA@EXAMPLE.ORG']) {
      assert.equal(orders.refuses(login(B, name), now), true, name);
    }
    for (const name of ['anna', 'anna@example.orgx', null]) {
      assert.equal(orders.refuses(login(B, name), now), false, String(name));
    }
  });

  test('that has ended still refuses the logins from before its end, for as long as they could open anything', () => {
    orders.revoke(address(), 60, now);
    now = at(100);
    assert.equal(orders.refuses(login(A, null, NOON + 59), now), true);
    assert.equal(orders.refuses(login(A, null, NOON + 61), now), false);
    assert.equal(orders.refuses(login(A, null, null), now), false);
    assert.deepEqual(orders.list(now), []);
    assert.equal(orders.save(now).orders.length, 1);
    assert.equal(orders.save(at(60 + GRACE)).orders.length, 0);
  });

  test('and an allowance of the same address: the later one counts', () => {
    orders.allow(A, 60, now);
    orders.revoke(address(), 60, now);
    assert.equal(orders.loginOf(A, now), null);
    orders.allow(A, 60, now);
    assert.equal(orders.refuses(login(), now), false);
    assert.equal(orders.list(now).length, 1);
  });
});

test('whose grants must have ended: addresses, and those of a user', () => {
  orders.revoke(address(B), 60, now);
  orders.revoke(user('anna'), 60, now);
  orders.allow(A, 60, now);
  const C = ip('192.0.2.7');
  assert.deepEqual(
    orders.refused(name => (name === 'anna' ? [C] : []), now),
    [B, C],
  );
  assert.deepEqual(
    orders.refused(() => [C], at(60)),
    [],
  );
});

describe('an allowance', () => {
  const table: [title: string, seconds: number, later: number, worth: number | null][] = [
    ['longer than the grace period is worth a login now', 3600, 0, 0],
    ['shorter is worth one that is as old as makes it end in time', 60, 0, 60 - GRACE],
    ['goes on being worth a login while it lasts', 3600, 900, 900],
    ['is worth less and less near its end', 3600, 3500, 3600 - GRACE],
    ['is worth nothing behind it', 60, 60, null],
  ];
  for (const [title, seconds, later, worth] of table) {
    test(title, () => {
      orders.allow(A, seconds, now);
      assert.equal(orders.loginOf(A, at(later)), worth === null ? null : NOON + worth);
    });
  }

  test('is for that address alone', () => {
    orders.allow(A, 60, now);
    assert.equal(orders.loginOf(B, now), null);
    assert.deepEqual(orders.allowed(now), [A]);
    assert.deepEqual(orders.allowed(at(60)), []);
  });
});

describe('orders across a restart', () => {
  const restarted = (moment: Moment): Orders => {
    const next = new Orders(() => new Grace(GRACE));
    next.restore(JSON.parse(JSON.stringify(orders.save(now))), moment);
    return next;
  };

  test('are the same orders', () => {
    orders.allow(A, 60, now);
    orders.revoke(address(B), 120, now);
    orders.revoke(user('anna'), 180, now);
    const next = restarted(at(30));
    assert.deepEqual(next.list(at(30)), orders.list(at(30)));
    assert.equal(next.loginOf(A, at(30)), orders.loginOf(A, at(30)));
    assert.equal(next.refuses(login(B, null), at(119)), true);
    assert.equal(next.refuses(login(B, null, NOON + 120), at(120)), false);
  });

  test('do not last longer because the clock was set back', () => {
    orders.allow(A, 60, now);
    const next = restarted(at(0, -86_400));
    assert.equal(next.loginOf(A, at(60, -86_400)), null);
  });

  test('leave out what is no order', () => {
    const good = {
      kind: 'revoke',
      subject: { kind: 'user', user: 'x' },
      made: NOON,
      until: NOON + 9,
    };
    const list = [null, 1, {}, { ...good, until: 'x' }, { ...good, kind: 'allow' }, good];
    orders.restore({ orders: [...list, { ...good, subject: { kind: 'address', ip: '10' } }] }, now);
    assert.deepEqual(orders.list(now), [good]);
  });

  test('take any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const any = new Orders(() => new Grace(GRACE));
        any.restore(value, now);
        any.restore({ orders: value }, now);
        assert.deepEqual(any.list(now), []);
      }),
    );
  });
});

test('the number of orders is bounded, and what has ended makes room', () => {
  const few = new Orders(() => new Grace(GRACE), 2);
  few.revoke(user('a'), 60, now);
  assert.equal(few.isFull(1, now), false);
  few.allow(A, 60, now);
  assert.equal(few.isFull(1, now), true);
  assert.equal(few.isFull(1, at(60)), false);
});

test('on the steady clock, whatever the wall clock does', () => {
  orders.revoke(address(), 60, now);
  const ahead = at(30, 86_400);
  assert.equal(orders.refuses(login(A, null, ahead.wall), ahead), true);
  const back = at(60, -86_400);
  assert.equal(orders.refuses(login(A, null, null), back), false);
});

/** Orders beside a model of them: the latest order about each address. */
class Modelled {
  seconds = 0;
  #orders = new Orders(() => new Grace(GRACE));
  readonly #latest = new Map<IpText, { readonly kind: string; readonly until: number }>();

  order(kind: 'allow' | 'revoke', which: IpText, length: number): void {
    if (kind === 'allow') this.#orders.allow(which, length, at(this.seconds));
    else this.#orders.revoke(address(which), length, at(this.seconds));
    this.#latest.set(which, { kind, until: this.seconds + length });
  }

  restart(): void {
    const saved = JSON.parse(JSON.stringify(this.#orders.save(at(this.seconds))));
    this.#orders = new Orders(() => new Grace(GRACE));
    this.#orders.restore(saved, at(this.seconds));
  }

  check(): void {
    const moment = at(this.seconds);
    for (const which of [A, B]) {
      const { kind = null, until = 0 } = this.#latest.get(which) ?? {};
      const inForce = until > this.seconds ? kind : null;
      assert.equal(this.#orders.loginOf(which, moment) !== null, inForce === 'allow');
      const refused = this.#orders.refuses(login(which, null, moment.wall), moment);
      assert.equal(refused, inForce === 'revoke');
    }
  }
}

test('any sequence of orders comes to what a simple model says', () => {
  const step = fc.record({
    kind: fc.constantFrom('allow' as const, 'revoke' as const, 'wait' as const, 'restart' as const),
    which: fc.constantFrom(A, B),
    length: fc.integer({ min: 1, max: 100 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const modelled = new Modelled();
      for (const { kind, which, length } of steps) {
        if (kind === 'wait') modelled.seconds += length;
        else if (kind === 'restart') modelled.restart();
        else modelled.order(kind, which, length);
        modelled.check();
      }
    }),
  );
});

describe('an order of another host', () => {
  const span = (made: number, seconds: number) => ({
    made: epoch(NOON + made),
    until: epoch(NOON + made + seconds),
  });
  const allow = (made: number, seconds = 60): Order => ({
    kind: 'allow',
    subject: { kind: 'address', ip: A },
    ...span(made, seconds),
  });
  const revoke = (made: number, seconds = 60, subject = address()): Order => ({
    kind: 'revoke',
    subject,
    ...span(made, seconds),
  });

  test('is news once, in whatever order they arrive: the one given last counts', () => {
    const table: [what: string, received: Order[], news: boolean[], refuses: boolean][] = [
      ['the same twice', [revoke(-5), revoke(-5)], [true, false], true],
      ['in their order', [revoke(-5), allow(-4)], [true, true], false],
      ['the other way round', [allow(-4), revoke(-5)], [true, false], false],
      ['in one moment, both ways', [allow(-5), revoke(-5), allow(-5)], [true, true, false], true],
      ['in one moment, the longer one', [revoke(-5, 9), revoke(-5, 8)], [true, false], true],
      [
        'of a user',
        [revoke(-5, 60, user('Anna')), revoke(-9, 60, user('anna'))],
        [true, false],
        true,
      ],
    ];
    for (const [what, received, news, refuses] of table) {
      orders = new Orders(() => new Grace(GRACE));
      assert.deepEqual(
        received.map(order => orders.receive(order, now) !== null),
        news,
        what,
      );
      assert.equal(orders.refuses(login(), now), refuses, what);
    }
  });

  test('gives way to what is ordered here afterwards', () => {
    orders.receive(revoke(-5), now);
    orders.allow(A, 60, now);
    assert.equal(orders.receive(revoke(-5), now), null);
    assert.equal(orders.refuses(login(), now), false);
  });

  test('needs room like any other', () => {
    orders = new Orders(() => new Grace(GRACE), 1);
    assert.deepEqual(orders.receive(revoke(-5), now), revoke(-5));
    assert.equal(orders.receive(revoke(-5, 60, user('anna')), now), null);
    assert.deepEqual(orders.receive(revoke(-4), now), revoke(-4), 'in the place of the one before');
  });

  test('that is over refuses only what was before its end', () => {
    orders.receive(revoke(-100, 60), now);
    assert.equal(orders.refuses(login(), now), false);
    assert.equal(orders.refuses(login(A, null, NOON - 41), now), true);
    assert.equal(orders.refuses(login(A, null, NOON - 40), now), false);
  });
});

describe('what other hosts order', () => {
  const DAY = 86_400;
  const received = (subject: Subject, seconds: number): Order => ({
    kind: 'revoke',
    subject,
    made: now.wall,
    until: epoch(now.wall + seconds),
  });
  const subjects = (of: Orders): string[] =>
    of.list(now).map(({ subject }) => (subject.kind === 'user' ? subject.user : subject.ip));
  const news = (of: Orders): string[] =>
    of.news().map(({ what, order: { subject } }) => `${what} ${JSON.stringify(subject)}`);

  test('lasts 30 days at most, which is told once', () => {
    const taken = orders.receive(received(user('eve'), 900_000_000), now);
    assert.equal(taken?.until, NOON + 30 * DAY);
    assert.deepEqual(news(orders), ['shortened {"kind":"user","user":"eve"}']);
    orders.receive(received(user('mallory'), 31 * DAY), now);
    orders.receive(received(user('anna'), 30 * DAY), now);
    assert.deepEqual(news(orders), []);
    assert.ok(orders.list(now).every(({ until }) => until <= NOON + 30 * DAY));
    orders.revoke(user('bert'), 900_000_000, now);
    assert.ok(orders.list(now).some(({ until }) => until === NOON + 900_000_000));
  });

  test('fills half of the room, and of it what ends last goes, which is told until there is room', () => {
    const small = new Orders(() => new Grace(GRACE), 8);
    for (let number = 0; number < 4; number++)
      small.receive(received(user(`eve${number}`), DAY + number), now);
    assert.deepEqual(news(small), []);
    assert.notEqual(small.receive(received(user('short'), 60), now), null);
    assert.equal(small.receive(received(user('long'), 2 * DAY), now), null);
    assert.deepEqual(subjects(small), ['eve0', 'eve1', 'eve2', 'short']);
    assert.deepEqual(news(small), ['dropped {"kind":"user","user":"eve3"}']);
    now = at(60 + GRACE);
    assert.notEqual(small.receive(received(user('next'), 60), now), null);
    small.receive(received(user('long'), 2 * DAY), now);
    assert.deepEqual(news(small), ['dropped {"kind":"user","user":"long"}']);
  });

  test('keeps no order of this host out, also across a restart', () => {
    let small = new Orders(() => new Grace(GRACE), 8);
    for (let number = 0; number < 4; number++)
      small.receive(received(user(`eve${number}`), DAY + number), now);
    const saved = JSON.parse(JSON.stringify(small.save(now)));
    small = new Orders(() => new Grace(GRACE), 8);
    small.restore(saved, now);
    for (let number = 0; number < 8; number++) {
      assert.equal(small.isFull(1, now), false);
      small.allow(ip(`192.0.2.${number}`), 60, now);
    }
    assert.equal(small.isFull(1, now), true);
    assert.deepEqual(
      subjects(small),
      [0, 1, 2, 3, 4, 5, 6, 7].map(one => `192.0.2.${one}`),
    );
    assert.equal(small.receive(received(user('eve'), 1), now), null);
  });

  test('does not make room for itself by being about what was ordered here', () => {
    const small = new Orders(() => new Grace(GRACE), 2);
    small.revoke(user('anna'), 60, now);
    now = at(1);
    small.receive(received(user('anna'), DAY), now);
    small.receive(received(user('eve'), 60), now);
    small.receive(received(user('mallory'), 9), now);
    assert.deepEqual(subjects(small), ['anna', 'mallory']);
  });
});

test('a revocation always finds room: of the orders of this host the one goes that ends first', () => {
  const small = new Orders(() => new Grace(GRACE), 3);
  for (const [name, seconds] of [
    ['a', 90],
    ['b', 60],
    ['c', 120],
  ] as const)
    small.revoke(user(name), seconds, now);
  small.revoke(user('d'), 100, now);
  assert.equal(small.refuses(login(A, 'd'), now), true);
  assert.deepEqual(
    ['a', 'b', 'c'].map(name => small.refuses(login(A, name), now)),
    [true, false, true],
  );
  assert.deepEqual(
    small.news().map(({ what }) => what),
    ['dropped'],
  );
});

describe('an order that is lifted', () => {
  test('holds no longer, whatever it was', () => {
    orders.revoke(address(B), 60, now);
    orders.revoke(user('Anna'), 60, now);
    orders.allow(A, 60, now);
    for (const subject of [address(B), user('anna'), address(A)]) orders.lift(subject, now);
    assert.deepEqual(orders.list(now), []);
    assert.equal(orders.refuses(login(B, 'anna', NOON - 5), now), false);
    assert.equal(orders.loginOf(A, now), null);
    assert.deepEqual(orders.allowed(now), []);
  });

  test('does not come back from another host or a restart, until it is given anew', () => {
    const before = orders.revoke(user('anna'), 900_000, now);
    const lift = orders.lift(user('anna'), at(5));
    now = at(10);
    assert.equal(orders.receive(before, now), null);
    const next = new Orders(() => new Grace(GRACE));
    next.restore(JSON.parse(JSON.stringify(orders.save(now))), now);
    assert.equal(next.receive(before, now), null);
    assert.deepEqual([next.list(now), next.given(now)], [[], [lift]]);
    next.revoke(user('anna'), 60, now);
    assert.equal(next.refuses(login(), now), true);
    assert.equal(next.receive(lift, now), null);
    assert.equal(next.refuses(login(), now), true);
  });

  test('is lifted on other hosts, also when the clock was set back between the two', () => {
    const before = orders.revoke(user('anna'), 60, now);
    const lift = orders.lift(user('anna'), at(0, -3600));
    const other = new Orders(() => new Grace(GRACE));
    other.receive(before, now);
    assert.deepEqual(other.receive(lift, now), lift);
    assert.equal(other.refuses(login(), now), false);
  });

  test('is remembered for as long as another host could bring it back, and no longer', () => {
    orders.lift(user('anna'), now);
    assert.equal(orders.save(at(30 * 86_400 - 1)).orders.length, 1);
    assert.equal(orders.save(at(30 * 86_400)).orders.length, 0);
  });
});
