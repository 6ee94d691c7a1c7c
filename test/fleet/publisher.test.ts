import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Entry } from '../../src/fleet/entry.ts';
import { Outbox } from '../../src/fleet/outbox.ts';
import { type Format, unpack } from '../../src/fleet/pack.ts';
import { Publisher } from '../../src/fleet/publisher.ts';
import { Skew } from '../../src/fleet/skew.ts';
import { addresses, ip } from '../map/addresses.ts';
import { waitFor } from '../real/wait.ts';
import { FakeEngine } from './fake-engine.ts';

const NOON = 1_700_000_000;
const GRACE = 900;

let engine: FakeEngine;
let warned: string[];
let known: Entry[];
let publisher: Publisher;
let now: number;
let spread: number;
let format: Format;
let renewal: number;

const login = (address: string): Entry => ({
  kind: 'login',
  ip: ip(address),
  time: epoch(NOON),
  server: 'dovecot',
  user: null,
  tls: null,
});

const REVOCATION: Entry = {
  kind: 'order',
  order: {
    kind: 'revoke',
    subject: { kind: 'user', user: 'mallory' },
    made: epoch(NOON),
    until: epoch(NOON + 60),
  },
};

const WITHDRAWN: Entry = {
  kind: 'withdrawn',
  ip: ip('192.0.2.1'),
  time: epoch(NOON),
  reason: 'too many users',
};

function make(capacity?: number): void {
  const warn = (text: string): void => void warned.push(text);
  publisher = new Publisher(
    {
      sender: { name: 'mx1', instance: '00000001' },
      clock: { now: () => ({ wall: epoch(now), steady: epoch(now) }) },
      skew: new Skew(warn),
      warn,
      grace: () => GRACE,
      shortest: () => GRACE,
      format,
      renewal,
      orders: () => known.flatMap(entry => (entry.kind === 'order' ? [entry.order] : [])),
      granted: () => known.flatMap(entry => (entry.kind === 'login' ? [entry.ip] : [])),
      grantOf: one => known.filter(entry => entry.kind === 'login' && entry.ip === one),
      spread: () => spread,
      random: () => 0,
    },
    new Outbox(capacity),
  );
}

beforeEach(() => {
  now = NOON;
  spread = 0;
  format = 1;
  renewal = 0;
  engine = new FakeEngine(NOON);
  warned = [];
  known = [];
  make();
});

const published = (): Entry[] =>
  engine.appended.flatMap(({ fields }) => {
    const { received, refused } = unpack(fields);
    assert.deepEqual(refused, []);
    return received.map(({ entry }) => entry);
  });

/** Publishes until nothing waits. */
async function publish(more: () => boolean = () => true): Promise<void> {
  const ending = new AbortController();
  let works = false;
  const using = publisher.use(engine.connection(), ending.signal, () => {
    works = true;
  });
  await waitFor('the outbox to be empty', () => works && publisher.outbox.size === 0 && more());
  ending.abort();
  await using;
}

/** Publishes until the connection is lost. */
const publishInVain = (): Promise<void> =>
  assert.rejects(
    publisher.use(engine.connection(), new AbortController().signal, () => undefined),
    /gone/,
  );

describe('a publisher', () => {
  test('publishes what was posted before and meanwhile, in its order', async () => {
    const all = addresses('10.1', 2500).map(address => login(address));
    publisher.post(all.slice(0, 2000));
    const done = publish();
    publisher.post(all.slice(2000));
    await done;
    assert.deepEqual(published(), all);
    assert.equal(publisher.outbox.published, 2500);
  });

  test('sends again what was not acknowledged', async () => {
    engine.takes = 1;
    publisher.post(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(login));
    await publishInVain();
    assert.equal(publisher.outbox.size, 2);
    engine.takes = 10;
    await publish();
    assert.deepEqual(published(), ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(login));
  });

  test('does not count as connected while the engine takes nothing of what waits', async () => {
    engine.takes = 0;
    publisher.post([login('192.0.2.1')]);
    const works = (): void => assert.fail('it does not work');
    await assert.rejects(
      publisher.use(engine.connection(), new AbortController().signal, works),
      /gone/,
    );
  });

  test('tells an engine everything after its start, and not after a mere break', async () => {
    known = [REVOCATION, login('192.0.2.7')];
    await publish(() => published().length === 2);
    assert.deepEqual(published(), known);
    await publish();
    assert.equal(published().length, 2);
    engine.run = 'second';
    await publish(() => published().length === 4);
    assert.deepEqual(published().slice(2), known);
  });

  test('tells everything once more when it could not finish', async () => {
    known = addresses('10.1', 1500).map(address => login(address));
    engine.takes = 150;
    await publishInVain();
    engine.takes = 10_000;
    now += 60;
    await publish(() => published().length >= 1500);
    const told = new Set(published().map(entry => JSON.stringify(entry)));
    assert.equal(told.size, 1500);
  });

  test('tells an engine of another history everything, orders and the latest at once', async () => {
    known = [login('192.0.2.7'), REVOCATION, login('192.0.2.8')];
    await publish(() => published().length === 3);
    now += 100;
    publisher.post([login('192.0.2.9')]);
    known.push(login('192.0.2.9'));
    await publish();
    engine.history = { name: 'two', offset: 0, former: null };
    engine.run = 'second';
    spread = 5;
    now += 2;
    await publish(() => published().length === 6);
    assert.deepEqual(published().slice(4), [REVOCATION, login('192.0.2.9')]);
    now += 5;
    await publish(() => published().length === 9);
    assert.deepEqual(
      published().slice(6),
      [...known].filter(({ kind }) => kind === 'login'),
    );
  });

  test('notices while it publishes, and while it does not, that a stream is gone', async () => {
    known = [login('192.0.2.7'), REVOCATION];
    await publish(() => published().length === 2);
    await publish();
    assert.equal(published().length, 2);
    for (const stream of ['grants', 'orders'] as const) {
      now += 100;
      const before = published().length;
      engine.streams[stream].length = 0;
      await publish(() => published().length === before + 2);
    }
    engine.streams.grants.length = 0;
    const before = published().length;
    publisher.post([login('192.0.2.8')]);
    await publish(() => published().length >= before + 3);
    assert.ok(
      published()
        .slice(before + 1)
        .some(entry => entry.kind === 'login' && entry.ip === '192.0.2.7'),
    );
  });

  test('tells everything again when another host has found a stream gone, and lets others know', async () => {
    known = [login('192.0.2.7')];
    await publish(() => published().length === 1);
    engine.isLossSigned = true;
    now += 60;
    await publish(() => published().length === 2);
    now += 5;
    await publish();
    assert.equal(published().length, 2);
    engine.isLossSigned = false;
    engine.streams.grants.length = 0;
    now += 60;
    await publish(() => published().length === 3);
    assert.ok(engine.isLossSigned);
  });

  test('tells each grant again within half a grace period', async () => {
    known = [login('192.0.2.7')];
    await publish(() => published().length === 1);
    now += GRACE / 4;
    await publish();
    publisher.post([login('192.0.2.8')]);
    known.push(login('192.0.2.8'));
    await publish();
    assert.equal(published().length, 2);
    now += GRACE / 4;
    await publish(() => published().length === 3);
    assert.deepEqual(published().slice(2), [login('192.0.2.7')]);
    known = [];
    now += GRACE / 4;
    await publish();
    now += GRACE / 4;
    await publish();
    assert.equal(published().length, 3);
  });

  test('tells everything again when entries were dropped', async () => {
    make(4);
    known = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'].map(login);
    await publish(() => published().length >= 4);
    const before = published().length;
    now++;
    publisher.post([...known, login('192.0.2.5')]);
    known.push(login('192.0.2.5'));
    known.shift();
    await publish(() => published().length >= before + 8);
    const told = new Set(
      published()
        .slice(before)
        .map(entry => JSON.stringify(entry)),
    );
    assert.equal(told.size, 4);
  });

  test('trims by the clock of the engine, once a batch, and at times by number', async () => {
    engine.now = NOON + 100;
    publisher.post([login('192.0.2.1'), REVOCATION, login('192.0.2.2')]);
    await publish();
    const oldest = String((NOON + 100 - GRACE - 60) * 1000);
    assert.deepEqual(
      engine.appended.map(({ trim }) => trim),
      [['MINID', oldest], ['MAXLEN', 10_000], null],
    );
    for (let batch = 0; batch < 70; batch++) {
      now++;
      publisher.post([login('192.0.2.1')]);
      await publish();
    }
    const kinds = new Set(
      engine.appended.flatMap(({ stream, trim }) =>
        stream === 'grants' && trim !== null ? [trim[0]] : [],
      ),
    );
    assert.deepEqual([...kinds].sort(), ['MAXLEN', 'MINID']);
  });

  test('tells when it begins to lose entries, and how many they were', async () => {
    make(2);
    publisher.post(['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'].map(login));
    publisher.post([login('192.0.2.5')]);
    assert.equal(warned.length, 1);
    assert.match(warned[0] ?? '', /^fleet: there is no room/);
    await publish();
    assert.equal(
      warned[1],
      'fleet: 3 entries were dropped for want of room; all grants are told again',
    );
    assert.deepEqual(published(), ['192.0.2.4', '192.0.2.5'].map(login));
    await publish();
    assert.equal(warned.length, 2);
  });

  test('puts logins of one moment together in format 2, and nothing else', async () => {
    format = 2;
    make();
    await publish();
    const logins = addresses('10.1', 120).map(address => login(address));
    const withdrawn: Entry = {
      ...{ kind: 'withdrawn', ip: ip('10.1.0.1') },
      ...{ time: epoch(NOON), reason: 'too many users' },
    };
    publisher.post([...logins, withdrawn, login('192.0.2.1'), REVOCATION, login('192.0.2.2')]);
    await publish();
    assert.deepEqual(published(), [
      ...[...logins, withdrawn, login('192.0.2.1')],
      ...[REVOCATION, login('192.0.2.2')],
    ]);
    assert.equal(engine.appended.length, 7);
    assert.equal(publisher.outbox.published, 124);
    publisher.post([login('192.0.2.3')]);
    engine.takes = 0;
    await publishInVain();
    assert.equal(publisher.outbox.size, 1);
  });

  test('tells a promoted engine what it may lack, and no more', async () => {
    known = addresses('10.1', 50).map(address => login(address));
    publisher.post(known);
    await publish(() => published().length >= 50);
    await publish();
    const before = published().length;
    engine.history = { name: 'one', offset: 1000, former: null };
    now += 100;
    await publish();
    now++;
    const late = login('192.0.2.9');
    known.push(late);
    publisher.post([late]);
    await publish();
    assert.equal(published().length, before + 1);
    engine.run = 'second';
    engine.history = { name: 'two', offset: 1100, former: { name: 'one', end: 1001 } };
    await publish(() => published().length === before + 2);
    now += 60;
    await publish();
    assert.deepEqual(published().slice(before), [late, late]);
  });

  test('tells everything an engine that has parted from before what is remembered', async () => {
    known = addresses('10.1', 50).map(address => login(address));
    engine.history = { name: 'one', offset: 1000, former: null };
    await publish(() => published().length === 50);
    engine.run = 'second';
    engine.history = { name: 'two', offset: 1100, former: { name: 'one', end: 900 } };
    await publish(() => published().length === 100);
  });

  test('a primary whose first replica comes has lost nothing', async () => {
    known = [login('192.0.2.7')];
    await publish(() => published().length === 1);
    engine.history = { name: 'two', offset: 1, former: null };
    now += 2;
    await publish();
    assert.equal(published().length, 1);
  });

  test('tells many grants anew at a pace', async () => {
    known = addresses('10.1', 3000).map(address => login(address));
    await publish(() => published().length === 200);
    now += 2;
    await publish(() => published().length === 300);
    now += 54;
    await publish(() => published().length === 3000);
    now += 100;
    await publish();
    assert.equal(published().length, 3000);
  });

  test('repeats orders within half a grace period, unless another host does', async () => {
    known = [REVOCATION];
    await publish(() => published().length === 1);
    now += GRACE / 4 - 1;
    await publish();
    assert.ok(REVOCATION.kind === 'order');
    publisher.heard(REVOCATION.order);
    now += 2;
    await publish();
    assert.equal(published().length, 1);
    now += GRACE / 4;
    await publish(() => published().length === 2);
    assert.deepEqual(published(), [REVOCATION, REVOCATION]);
    known = [];
    now += GRACE;
    await publish();
    assert.equal(published().length, 2);
  });

  test('tells withdrawals again: what has lost them would leave a grant open', async () => {
    await publish();
    publisher.post([WITHDRAWN, login('192.0.2.2')]);
    await publish();
    const told = (): number => published().filter(({ kind }) => kind === 'withdrawn').length;
    assert.equal(told(), 1);
    engine.run = 'second';
    await publish(() => told() === 2);
    engine.streams.grants.length = 0;
    now += 2;
    await publish(() => told() === 3);
    now += GRACE / 2;
    await publish(() => told() === 4);
    now += GRACE / 2;
    await publish();
    assert.equal(told(), 4, 'the grant would have ended by now');
  });

  test('tells a promoted engine the withdrawals that it may lack', async () => {
    await publish();
    engine.history = { name: 'one', offset: 1000, former: null };
    publisher.post([WITHDRAWN]);
    await publish();
    now += 2;
    await publish();
    const late: Entry = { ...WITHDRAWN, ip: ip('192.0.2.9') };
    publisher.post([late]);
    await publish();
    engine.run = 'second';
    engine.history = { name: 'two', offset: 1100, former: { name: 'one', end: 1001 } };
    await publish(() => published().length === 3);
    assert.deepEqual(published(), [WITHDRAWN, late, late]);
  });

  test('does not repeat a withdrawal when the address has logged in again, and knows the others after a start', async () => {
    const other: Entry = { ...WITHDRAWN, ip: ip('192.0.2.9') };
    await publish();
    publisher.post([WITHDRAWN, other, login('192.0.2.1')]);
    await publish();
    const saved = publisher.save();
    make();
    publisher.restore(JSON.parse(JSON.stringify(saved)));
    await publish(() => published().length === 4);
    assert.deepEqual(published().slice(3), [other]);
  });

  describe('that the fleet knows a login already:', () => {
    const anna = (user: string, time: number): Entry => ({
      ...{ kind: 'login', ip: ip('192.0.2.1'), time: epoch(time) },
      ...{ server: 'dovecot', user, tls: null },
    });

    beforeEach(async () => {
      renewal = 10;
      make();
      await publish();
    });

    test('it waits, and is told with its latest time', async () => {
      for (let second = 0; second < 10; second++) {
        now = NOON + second;
        const entry = anna('anna', now);
        known = [entry];
        publisher.post([entry]);
        await publish();
      }
      assert.deepEqual(published(), [anna('anna', NOON)]);
      now = NOON + 12;
      await publish(() => published().length === 2);
      assert.deepEqual(published()[1], anna('anna', NOON + 9));
      now = NOON + 100;
      await publish();
      assert.equal(published().length, 2);
    });

    test('another user is told at once, and what an order may have ended', async () => {
      publisher.post([anna('anna', NOON), anna('bert', NOON + 1), anna('anna', NOON + 2)]);
      await publish();
      assert.equal(published().length, 3);
      publisher.post([REVOCATION, anna('anna', NOON + 3)]);
      await publish();
      assert.equal(published().length, 5);
      now++;
      publisher.post([anna('anna', NOON + 4)]);
      await publish();
      assert.equal(published().length, 6);
      assert.ok(REVOCATION.kind === 'order');
      publisher.heard(REVOCATION.order);
      publisher.post([anna('anna', NOON + 5)]);
      await publish();
      assert.equal(published().length, 7);
    });

    test('it is told before the end', async () => {
      known = [anna('anna', NOON + 1)];
      publisher.post([anna('anna', NOON)]);
      publisher.post(known);
      publisher.hurry();
      await publish();
      assert.deepEqual(published(), [anna('anna', NOON), anna('anna', NOON + 1)]);
    });
  });

  test('lets whoever reads the log wait until there is room', async () => {
    make(4);
    await publisher.room();
    publisher.post(['192.0.2.1', '192.0.2.2'].map(login));
    let hasRoom = false;
    void publisher.room().then(() => {
      hasRoom = true;
    });
    await new Promise(setImmediate);
    assert.ok(!hasRoom);
    await publish(() => hasRoom);
    publisher.post(['192.0.2.3', '192.0.2.4'].map(login));
    const released = publisher.room();
    publisher.release();
    await released;
  });

  test('rids an engine that is full of what nobody needs', async () => {
    engine.isFull = true;
    engine.old = 15_000;
    publisher.post([login('192.0.2.1')]);
    await publish();
    assert.deepEqual(published(), [login('192.0.2.1')]);
    const oldest = String((NOON - GRACE - 60) * 1000);
    assert.deepEqual(engine.trimmed[0], ['grants', ['MINID', oldest]]);
    engine.old = 1;
    engine.trimmed.length = 0;
    publisher.post([login('192.0.2.2')]);
    await publish();
    assert.equal(published().length, 2);
    assert.equal(engine.trimmed.length, 2);
  });

  test('says that an engine is full when nothing there is to spare', async () => {
    engine.isFull = true;
    publisher.post([login('192.0.2.1')]);
    engine.old = 1;
    const connection = { ...engine.connection(), trim: async () => 0 };
    const works = (): void => assert.fail('it is full');
    await assert.rejects(
      publisher.use(connection, new AbortController().signal, works),
      /^Error: OOM /,
    );
    const refused = { ...connection, trim: () => Promise.reject(new Error('NOPERM')) };
    await assert.rejects(
      publisher.use(refused, new AbortController().signal, works),
      /^Error: OOM /,
    );
    assert.equal(publisher.outbox.size, 1);
  });
});
