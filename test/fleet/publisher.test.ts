import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { decode, type Entry } from '../../src/fleet/entry.ts';
import { Outbox } from '../../src/fleet/outbox.ts';
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

function make(capacity?: number): void {
  const warn = (text: string): void => void warned.push(text);
  publisher = new Publisher(
    {
      sender: { name: 'mx1', instance: '00000001' },
      clock: { now: () => ({ wall: epoch(now), steady: epoch(now) }) },
      skew: new Skew(warn),
      warn,
      grace: () => GRACE,
      everything: () => known,
    },
    new Outbox(capacity),
  );
}

beforeEach(() => {
  now = NOON;
  engine = new FakeEngine(NOON);
  warned = [];
  known = [];
  make();
});

const published = (): Entry[] =>
  engine.appended.map(({ fields }) => {
    const received = decode(fields);
    return typeof received === 'string' ? assert.fail(received) : received.entry;
  });

/** Publishes until nothing waits. */
async function publish(): Promise<void> {
  const ending = new AbortController();
  let works = false;
  const using = publisher.use(engine.connection(), ending.signal, () => {
    works = true;
  });
  await waitFor('the outbox to be empty', () => works && publisher.outbox.size === 0);
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
    await publish();
    assert.deepEqual(published(), known);
    await publish();
    assert.equal(published().length, 2);
    engine.run = 'second';
    await publish();
    assert.deepEqual(published().slice(2), known);
  });

  test('tells everything once more when it could not finish', async () => {
    known = addresses('10.1', 1500).map(address => login(address));
    engine.takes = 1200;
    await publishInVain();
    engine.takes = 10_000;
    await publish();
    const told = new Set(published().map(entry => JSON.stringify(entry)));
    assert.equal(told.size, 1500);
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
    assert.equal(warned[1], 'fleet: 3 entries were lost while the engine could not be reached');
    assert.deepEqual(published(), ['192.0.2.4', '192.0.2.5'].map(login));
    await publish();
    assert.equal(warned.length, 2);
  });
});
