import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { IpText } from '../../src/base/address.ts';
import { epoch } from '../../src/base/clock.ts';
import {
  type Entry,
  encode,
  type PresenceEntry,
  type Received,
  type Sender,
} from '../../src/fleet/entry.ts';
import { pack } from '../../src/fleet/pack.ts';
import { Skew } from '../../src/fleet/skew.ts';
import { pauseFor, Subscriber } from '../../src/fleet/subscriber.ts';
import { addresses, ip } from '../map/addresses.ts';
import { FakeEngine } from './fake-engine.ts';

const NOON = 1_700_000_000;
const GRACE = 900;
const SELF: Sender = { name: 'mx1', instance: '00000001' };
const OTHER: Sender = { name: 'mx2', instance: '00000002' };
const never = new AbortController().signal;

let engine: FakeEngine;
let taken: Received[][];
let warned: string[];
let now: number;

const presence = (address: IpText, time = NOON): PresenceEntry => ({
  kind: 'login',
  ip: address,
  time: epoch(time),
  server: 'dovecot',
  user: 'anna',
  tls: true,
});

const login = (address: string, time?: number): Entry => presence(ip(address), time);

const revocation = (user: string): Entry => ({
  kind: 'order',
  order: {
    kind: 'revoke',
    subject: { kind: 'user', user },
    made: epoch(NOON),
    until: epoch(NOON + 60),
  },
});

beforeEach(() => {
  now = NOON;
  engine = new FakeEngine(NOON);
  taken = [];
  warned = [];
});

function subscriber(saved: unknown = null): Subscriber {
  const warn = (text: string): void => void warned.push(text);
  return new Subscriber(
    {
      sender: SELF,
      clock: { now: () => ({ wall: epoch(now), steady: epoch(now) }) },
      skew: new Skew(warn),
      warn,
      grace: () => GRACE,
      take: async entries => void taken.push([...entries]),
    },
    saved,
  );
}

/** Until there is nothing more, which ends the connection. */
async function follow(one: Subscriber): Promise<void> {
  let worked = false;
  await assert.rejects(
    one.use(engine.connection(), never, () => {
      worked = true;
    }),
    /^Error: gone$/,
  );
  assert.ok(worked);
}

function lastOffset(place: unknown): unknown {
  assert.ok(typeof place === 'object' && place !== null && 'marks' in place);
  assert.ok(Array.isArray(place.marks));
  return place.marks.at(-1)?.offset;
}

function positionOf(place: unknown): unknown {
  assert.ok(typeof place === 'object' && place !== null && 'orders' in place && 'grants' in place);
  return { orders: place.orders, grants: place.grants };
}

const ips = (): string[] =>
  taken.flat().flatMap(({ entry }) => (entry.kind === 'login' ? [entry.ip] : []));

describe('a subscriber', () => {
  test('takes what others have published, and goes on behind it', async () => {
    engine.add('grants', encode(login('192.0.2.1'), OTHER));
    const one = subscriber();
    await follow(one);
    assert.deepEqual(taken, [[{ from: 'mx2', instance: '00000002', entry: login('192.0.2.1') }]]);
    engine.add('grants', encode(login('192.0.2.2'), OTHER));
    await follow(one);
    assert.deepEqual([ips(), one.received], [['192.0.2.1', '192.0.2.2'], 2]);
    await follow(subscriber(JSON.parse(JSON.stringify(one.position))));
    assert.equal(one.received, 2);
  });

  test('begins with the grace period, and with every order', async () => {
    engine.now = NOON - 2 * GRACE;
    engine.add('grants', encode(login('192.0.2.1'), OTHER));
    engine.add('orders', encode(revocation('mallory'), OTHER));
    engine.now = NOON;
    engine.add('grants', encode(login('192.0.2.2'), OTHER));
    await follow(subscriber());
    assert.deepEqual(
      taken.flat().map(({ entry }) => entry.kind),
      ['order', 'login'],
    );
    assert.deepEqual(ips(), ['192.0.2.2']);
  });

  test('knows all orders before the first grant', async () => {
    engine.add('grants', encode(login('192.0.2.1'), OTHER));
    for (let user = 0; user < 2500; user++)
      engine.add('orders', encode(revocation(`u${user}`), OTHER));
    const one = subscriber();
    await follow(one);
    assert.deepEqual(
      taken.map(entries => entries.length),
      [1000, 1000, 501],
    );
    assert.equal(taken.at(-1)?.at(-1)?.entry.kind, 'login');
  });

  test('reads a long stream in parts, each from where the last has ended', async () => {
    const all = addresses('10.1', 2500);
    for (const one of all) engine.add('grants', encode(login(one), OTHER));
    await follow(subscriber());
    assert.deepEqual(
      taken.map(entries => entries.length),
      [1000, 1000, 500],
    );
    assert.deepEqual(ips(), all);
  });

  test('leaves out what it has written itself, but not what a namesake has', async () => {
    engine.add('grants', encode(login('192.0.2.1'), SELF));
    engine.add('grants', encode(login('192.0.2.2'), { ...SELF, instance: '00000009' }));
    await follow(subscriber());
    assert.deepEqual(ips(), ['192.0.2.2']);
  });

  test('counts what it refuses, tells it once a minute, and goes on', async () => {
    const one = subscriber();
    engine.add('grants', ['v', '1', 'kind', 'open everything']);
    const id = engine.add('orders', []);
    engine.add('grants', encode(login('192.0.2.1'), OTHER));
    await follow(one);
    assert.deepEqual([ips(), one.refused, warned.length], [['192.0.2.1'], 2, 1]);
    assert.match(warned[0] ?? '', new RegExp(`^fleet: 1 entry .*${id}, for: another version; `));
    now += 61;
    engine.now += 61;
    engine.add('grants', []);
    await follow(one);
    assert.match(warned[1] ?? '', /^fleet: 3 entries/);
  });

  test('lets no stamp count as later than its arrival, and tells of the clock', async () => {
    engine.add('grants', encode(login('192.0.2.1', NOON + 3600), OTHER));
    const one = subscriber();
    await follow(one);
    assert.deepEqual(taken.flat()[0]?.entry, login('192.0.2.1', NOON));
    assert.deepEqual(warned, [], 'the clock of the engine may have been set back');
    await follow(one);
    assert.match(warned[0] ?? '', /^fleet: logins of mx2 are stamped 3600 s after/);
  });

  test('makes nothing older because the clock of the engine is behind, and blames no publisher', async () => {
    for (const behind of [5, 3600]) {
      warned = [];
      taken = [];
      engine = new FakeEngine(NOON - behind);
      engine.add('grants', encode(login('192.0.2.1'), OTHER));
      engine.add('orders', encode(revocation('mallory'), OTHER));
      await follow(subscriber());
      assert.deepEqual(
        taken.flat().map(({ entry }) => entry),
        [revocation('mallory'), login('192.0.2.1')],
      );
      assert.equal(warned.length, 1);
      assert.match(warned[0] ?? '', /this host's clock is \d+ s ahead of that of the engine/);
    }
  });

  test('lets no stamp count as later than now, wherever the clock of the engine is', async () => {
    for (const ahead of [-3600, -5, 0, 5, 3600]) {
      taken = [];
      engine = new FakeEngine(NOON + ahead);
      engine.add('grants', encode(login('192.0.2.1', NOON + 5000), OTHER));
      await follow(subscriber());
      const [entry] = taken.flat().map(received => received.entry);
      assert.ok(entry?.kind === 'login' && entry.time <= NOON + 2, JSON.stringify(entry));
    }
  });

  test('begins again when the engine has lost its streams and its clock', async () => {
    engine.now = NOON + 3600;
    engine.add('grants', encode(login('192.0.2.1'), OTHER));
    const one = subscriber();
    await follow(one);
    engine.streams.grants.length = 0;
    engine.now = NOON;
    engine.add('grants', encode(login('192.0.2.2'), OTHER));
    await follow(one);
    assert.deepEqual(ips(), ['192.0.2.1', '192.0.2.2']);
  });

  test('goes back to where histories have parted, and skips nothing of the new one', async () => {
    engine.add('grants', encode(login('192.0.2.1'), OTHER));
    engine.history = { name: 'one', offset: 100, former: null };
    const one = subscriber();
    await follow(one);
    // From here on the replica did not get it.
    engine.now = NOON + 20;
    engine.add('grants', encode(login('192.0.2.2'), OTHER));
    engine.history = { name: 'one', offset: 200, former: null };
    now = NOON + 20;
    await follow(one);
    engine.streams.grants.pop();
    engine.now = NOON + 10;
    engine.add('grants', encode(login('192.0.2.3'), OTHER));
    engine.now = NOON + 21;
    engine.history = { name: 'two', offset: 300, former: { name: 'one', end: 150 } };
    await follow(subscriber(JSON.parse(JSON.stringify(one.position))));
    assert.ok(ips().includes('192.0.2.3'), ips().join(' '));
    assert.ok(engine.asked.at(-1)?.grants !== '0-0');
  });

  test('does not take what it has read elsewhere for something that a replica has', async () => {
    const before = { orders: '0-0', grants: `${(NOON - 20) * 1000}-1` };
    const saved = {
      orders: '0-0',
      grants: `${(NOON - 10) * 1000}-1`,
      history: 'one',
      marks: [{ ...before, offset: 100 }],
    };
    engine.history = { name: 'one', offset: 150, former: null };
    for (const [isReplica, last] of [
      [true, 100],
      [false, 150],
    ] as const) {
      engine.isReplica = isReplica;
      const one = subscriber(saved);
      await follow(one);
      assert.equal(lastOffset(one.position), last);
    }
    engine.isReplica = true;
    engine.add('grants', encode(login('192.0.2.1'), OTHER));
    const one = subscriber(saved);
    await follow(one);
    now = NOON + 20;
    engine.add('grants', encode(login('192.0.2.2'), OTHER));
    await follow(one);
    assert.deepEqual(ips(), ['192.0.2.1', '192.0.2.2']);
  });

  test('notices another history on the same connection', async () => {
    engine.add('grants', encode(login('192.0.2.1'), OTHER));
    const one = subscriber();
    const connection = engine.connection();
    let reads = 0;
    const changing = {
      ...connection,
      read: async (...args: Parameters<typeof connection.read>) => {
        reads++;
        if (reads > 1) return connection.read(...args);
        const found = await connection.read(...args);
        engine.history = { name: 'two', offset: 5, former: null };
        engine.streams.grants.length = 0;
        engine.now = NOON - 5;
        engine.add('grants', encode(login('192.0.2.2'), OTHER));
        engine.now = NOON + 10;
        now = NOON + 10;
        return found;
      },
    };
    await assert.rejects(
      one.use(changing, never, () => undefined),
      /gone/,
    );
    assert.deepEqual(ips(), ['192.0.2.1', '192.0.2.2']);
  });

  test('takes entries that hold several logins, in parts, and keeps to its rules for each', async () => {
    const ips40 = addresses('10.1', 40);
    const logins = (from: number): PresenceEntry[] =>
      ips40.map(one => ({ ...presence(one), time: epoch(NOON - from) }));
    for (let count = 0; count < 60; count++) engine.add('grants', pack(logins(count), OTHER));
    engine.add('grants', pack(logins(0), SELF));
    engine.add('grants', encode(login('192.0.2.1', NOON + 500), OTHER));
    engine.add('grants', pack([{ ...presence(ip('192.0.2.2')), time: epoch(NOON + 500) }], OTHER));
    const one = subscriber();
    await follow(one);
    assert.equal(one.received, 2402);
    assert.ok(taken.length >= 3);
    assert.ok(taken.every(part => part.length < 1000 + 50));
    assert.deepEqual(
      taken
        .flat()
        .slice(-2)
        .map(({ entry }) => entry),
      [login('192.0.2.1'), presence(ip('192.0.2.2'))],
    );
  });

  test('keeps its place while what it has read is being dealt with', async () => {
    engine.add('grants', encode(login('192.0.2.1'), OTHER));
    const before: unknown[] = [];
    const one: Subscriber = new Subscriber(
      {
        sender: SELF,
        clock: { now: () => ({ wall: epoch(now), steady: epoch(now) }) },
        skew: new Skew(() => undefined),
        warn: () => undefined,
        grace: () => GRACE,
        take: async () => void before.push(one.position),
      },
      null,
    );
    await follow(one);
    assert.deepEqual(before.map(positionOf), [engine.asked[0]]);
    assert.notDeepEqual(positionOf(one.position), engine.asked[0]);
  });
});

test('the more share an engine, the longer each waits for more to come, up to a moment', () => {
  assert.deepEqual([1, 10, 20, 100, 250, 10_000].map(pauseFor), [3, 3, 4, 20, 50, 50]);
});
