/** What the daemon keeps of logins, grants and messages, and what the commands show of it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { popbsmtp } from '../real/popbsmtp.ts';
import type { Daemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled } from './controlled.ts';
import {
  acceptedLine,
  deliveredLines,
  mailLines,
  queuedLines,
  queueId,
  refusedLine,
} from './mail-lines.ts';

const rig = new Rig();
after(() => rig.close());

const ANNA = '198.51.100.7';

interface Shown {
  readonly event: string;
  readonly [name: string]: unknown;
}

async function historyOf(world: Controlled, ...args: string[]): Promise<Shown[]> {
  const { code, stdout, stderr } = await world.run('history', '--json', ...args);
  assert.equal(code, 0, stderr);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line));
}

const relayedOf = (entries: readonly Shown[]): Shown[] =>
  entries.filter(({ event }) => event === 'relayed');

/** Until the history has so many entries of a kind: it is committed once a second. */
const waitForEntries = (world: Controlled, event: string, count: number): Promise<unknown> =>
  waitFor(`${count} ${event} in the history`, async () => {
    if (!existsSync(`${world.path}.history`)) return false;
    return (await historyOf(world)).filter(entry => entry.event === event).length >= count;
  });

const kill = async (daemon: Daemon): Promise<void> => {
  process.kill(daemon.pid, 'SIGKILL');
  await daemon.exited();
};

describe('the history', () => {
  test('tells logins, what was relayed by a grant and by whom, what was refused, and the end', async () => {
    const world = await Controlled.make(rig);
    const daemon = await world.start('--grace', '3s');
    await world.logIn(daemon, 'anna', ANNA);
    await world.write(
      mailLines({ ip: ANNA, elsewhere: 2, here: 1, bytes: 4711 }) +
        mailLines({ ip: ANNA, elsewhere: 0, here: 1 }) +
        mailLines({ ip: ANNA, sasl: 'anna@example.org' }) +
        mailLines({ ip: '192.0.2.99' }),
    );
    await daemon.waitForLine(/^purging/);
    await world.write(refusedLine(ANNA));
    await waitForEntries(world, 'refused', 1);
    const entries = await historyOf(world, '--address', ANNA);
    assert.deepEqual(entries.map(({ event }) => event).sort(), [
      'authenticated',
      'ended',
      'login',
      'refused',
      'relayed',
      'relayed',
    ]);
    const [first, second] = relayedOf(entries);
    assert.equal(Number(first?.['messages']) + Number(second?.['messages']), 1);
    assert.equal(Number(first?.['recipients']) + Number(second?.['recipients']), 2);
    assert.equal(Number(first?.['bytes']) + Number(second?.['bytes']), 4711);
    assert.deepEqual([first?.['user'], first?.['server']], ['anna', 'dovecot']);
    assert.deepEqual(await historyOf(world, '--network', '192.0.2.0/24'), []);
    assert.equal((await historyOf(world, '--user', 'Anna')).length, 4);
    assert.deepEqual(await historyOf(world, '--until', '1h'), []);
    const { stdout } = await world.run('history', '--since', '1h');
    assert.match(
      stdout,
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d granted ip=198\.51\.100\.7 user="anna" server=dovecot tls=no$/m,
    );
    assert.doesNotMatch(stdout, /example\.(net|org)>|r0@/);
  });

  test('counts a message that is in the queue over kill -9, and none twice', async () => {
    const world = await Controlled.make(rig);
    const id = queueId();
    const mail = { ip: ANNA, elsewhere: 2, deferred: true };
    const first = await world.start();
    await world.logIn(first, 'anna', ANNA);
    await world.write(
      acceptedLine(id, mail) +
        queuedLines(id, mail) +
        mailLines({ ip: ANNA }) +
        deliveredLines(id, { ...mail, elsewhere: 1 }),
    );
    await waitForEntries(world, 'relayed', 2);
    // Until the places are noted, too.
    await waitFor('the checkpoint', () => existsSync(`${world.path}.checkpoint`));
    await kill(first);
    await world.write(deliveredLines(id, mail));
    const second = await world.start();
    await world.write(deliveredLines(id, { ...mail, deferred: false }) + mailLines({ ip: ANNA }));
    await waitForEntries(world, 'relayed', 4);
    await second.stop();
    const entries = await historyOf(world);
    const sum = (name: string): number =>
      relayedOf(entries).reduce((all, entry) => all + Number(entry[name]), 0);
    assert.deepEqual([sum('messages'), sum('recipients')], [3, 4]);
    assert.deepEqual(
      entries.filter(({ event }) => event === 'daemon').map(({ state }) => state),
      ['started', 'lost', 'started', 'stopped'],
    );
  });

  test('has hashed names, or none, as the log has', async () => {
    const world = await Controlled.make(rig);
    const daemon = await world.start('--log-users', 'hashed');
    await world.write(mailLines({ ip: ANNA, sasl: 'anna' }));
    await world.logIn(daemon, 'anna', ANNA).catch(() => undefined);
    await waitForEntries(world, 'login', 1);
    const { stdout } = await world.run('history', '--json');
    assert.doesNotMatch(stdout, /anna/);
    assert.equal((await historyOf(world, '--log-users', 'hashed', '--user', 'anna')).length, 2);
  });

  test('is not kept in a dry run, nor when it is switched off', async () => {
    for (const options of [['--nowrite'], ['--history', 'none']]) {
      const world = await Controlled.make(rig);
      const daemon = world.spawn(...options);
      await waitFor(
        'the start',
        () => daemon.lines.length > 0 || daemon.transcript().includes('watching'),
      );
      await world.write(mailLines({ ip: ANNA }));
      await daemon.stop();
      assert.ok(!existsSync(`${world.path}.history`));
      const { code, stderr } = await world.run('history');
      assert.equal(code, 66);
      assert.match(stderr, /there is no history/);
    }
  });

  test('is filled from old logs, once, with what the daemon would have kept', async () => {
    const world = await Controlled.make(rig);
    const daemon = await world.start();
    await world.logIn(daemon, 'anna', ANNA);
    await world.write(mailLines({ ip: ANNA, elsewhere: 3 }) + refusedLine('192.0.2.99'));
    await waitForEntries(world, 'refused', 1);
    await daemon.stop();
    const kept = (await historyOf(world)).filter(({ event }) => event !== 'daemon');
    const twin = `${world.map}-twin`;
    const importTo = (map: string) =>
      popbsmtp('history', '--import', world.log, '--map', map, '--mynetworks', 'none');
    const { code, stderr } = await importTo(twin);
    assert.equal(code, 0, stderr);
    const { stdout } = await popbsmtp('history', '--json', '--map', twin);
    const imported: Shown[] = stdout
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line));
    const order = (entries: readonly Shown[]): string[] =>
      entries.map(entry => JSON.stringify(entry)).sort();
    assert.deepEqual(order(imported), order(kept));
    assert.match((await importTo(twin)).stderr, / 0 new entries /);
    assert.match((await importTo(world.map)).stderr, / 0 new entries /);
  });

  test('says what is wrong with how it is called', async () => {
    const world = await Controlled.make(rig);
    assert.match((await world.run('history', '/x')).stderr, /--import/);
    assert.match((await world.run('history', '--import')).stderr, /name the logs/);
    assert.match((await world.run('history', '--since', 'soon')).stderr, /not a time|no history/);
  });
});
