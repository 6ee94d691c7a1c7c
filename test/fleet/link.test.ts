import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Connection } from '../../src/fleet/connection.ts';
import { Link, type LinkParts } from '../../src/fleet/link.ts';
import { waitFor } from '../real/wait.ts';
import { FakeEngine } from './fake-engine.ts';

/** What happened to a link, and its connections, which are used as the test says. */
class World {
  readonly told: string[] = [];
  open = 0;
  attempts = 0;
  readonly link: Link;

  constructor(connect: () => Promise<Connection>, use: LinkParts['use']) {
    this.link = new Link({
      connect: async () => {
        this.attempts++;
        const connection = await connect();
        this.open++;
        let isOpen = true;
        const close = (): void => {
          if (isOpen) this.open--;
          isOpen = false;
        };
        return { ...connection, close };
      },
      use,
      connected: () => void this.told.push('connected'),
      failed: error => void this.told.push(String(error)),
    });
  }
}

const connect = async (): Promise<Connection> => new FakeEngine(0).connection();
const untilEnd: LinkParts['use'] = async (_connection, signal, works) => {
  works();
  if (!signal.aborted) await once(signal, 'abort');
};

test('a connection that works is told once, and closed at the end', async () => {
  const world = new World(connect, untilEnd);
  world.link.start();
  await waitFor('the connection', () => world.link.isConnected);
  assert.equal(world.open, 1);
  await world.link.stop();
  assert.deepEqual([world.told, world.open], [['connected'], 0]);
});

test('why it cannot be made is told each time', async () => {
  let broken = true;
  const world = new World(() => (broken ? Promise.reject(new Error('no')) : connect()), untilEnd);
  world.link.start();
  await waitFor('some attempts', () => world.attempts >= 3);
  assert.equal(world.link.isConnected, false);
  broken = false;
  await waitFor('the connection', () => world.link.isConnected);
  await world.link.stop();
  const failed = world.told.filter(text => text === 'Error: no');
  assert.ok(failed.length >= 2);
  assert.deepEqual(world.told, [...failed, 'connected']);
});

test('one that is made and does not work does not count as connected', async () => {
  const world = new World(connect, async () => {
    throw new Error('may not');
  });
  world.link.start();
  await waitFor('some attempts', () => world.attempts >= 3);
  await world.link.stop();
  assert.deepEqual([[...new Set(world.told)], world.open], [['Error: may not'], 0]);
});

test('one that is lost is made anew', async () => {
  let uses = 0;
  const world = new World(connect, async (connection, signal, works) => {
    uses++;
    works();
    if (uses === 1) throw new Error('gone');
    return untilEnd(connection, signal, works);
  });
  world.link.start();
  await waitFor('the second connection', () => uses === 2);
  await world.link.stop();
  assert.deepEqual([world.told, world.open], [['connected', 'Error: gone', 'connected'], 0]);
});

test('a stop while a connection is being made leaves none behind', async () => {
  let made: (connection: Connection) => void = () => undefined;
  const world = new World(
    () =>
      new Promise(resolve => {
        made = resolve;
      }),
    untilEnd,
  );
  world.link.start();
  const stopped = world.link.stop();
  made(await connect());
  await stopped;
  assert.deepEqual([world.told, world.open], [[], 0]);
});
