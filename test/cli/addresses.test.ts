/**
 * Addresses whose row would let in others than who has logged in, as a user meets them: every command, and the daemon.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { EXIT } from '../../src/base/errors.ts';
import { openMap } from '../../src/map/map-types.ts';
import { parseMapSpec } from '../../src/map/spec.ts';
import { ip } from '../map/addresses.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitForLine } from '../real/wait.ts';
import { keysOf, loginLine, WatchedLog } from './watched-log.ts';

const rig = new Rig();
let watched: WatchedLog;
before(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

/** The row of it is found for fd00::5:1:2:3:4, too. */
const OPENING = 'fd00::5';
const HARMLESS = 'fd00:0:0:1::5';
const ADVICE = /^warning: fd00::5 gets no grant: .*set whole-addresses/gm;
const LISTS = ['--mynetworks', 'none', '--exclude', 'none'];

const OWN = Object.values(networkInterfaces())
  .flatMap(found => found ?? [])
  .find(({ internal, address }) => !internal && !address.startsWith('fe80:'))?.address;
const skip = OWN === undefined ? 'this machine has no address but loopback' : false;

async function putRow(map: string, address: string): Promise<void> {
  const opened = await openMap(parseMapSpec(map, 'the test'));
  await opened.commit([{ ip: ip(address), stamp: epoch(Math.floor(Date.now() / 1000)) }]);
  await opened.close();
}

describe('a row that opens other networks', () => {
  const replayed = async (map: string, ...more: string[]): Promise<readonly [string, string]> => {
    const log = join(watched.directory, 'finished.log');
    await writeFile(log, [OPENING, HARMLESS, OPENING].map(each => loginLine(each)).join(''));
    const args = ['replay', log, '--map', map, '--debug', ...LISTS, ...more];
    const { code, stdout, stderr } = await popbsmtp(...args);
    assert.equal(code, 0, stderr);
    return [stdout, stderr];
  };

  test('is not written by replay, which says so once', async () => {
    const map = watched.newMap();
    const [stdout, stderr] = await replayed(map);
    assert.equal(stdout.match(/^ {4}ignored --- opens other networks$/gm)?.length, 2);
    assert.equal(`${stdout}${stderr}`.match(ADVICE)?.length, 1, `${stdout}${stderr}`);
    assert.deepEqual(await keysOf(map), [HARMLESS]);
  });

  test('is written where whole addresses are looked up: by option, or by the type of the map', async () => {
    const map = watched.newMap();
    await replayed(map, '--whole-addresses');
    assert.deepEqual(await keysOf(map), [OPENING, HARMLESS]);
    const cidr = `cidr:${join(watched.directory, 'relay.txt')}`;
    await replayed(cidr);
    assert.deepEqual(await keysOf(cidr), [OPENING, HARMLESS]);
    const [stdout] = await replayed(cidr, '--map', map);
    assert.match(stdout, /ignored --- opens other networks/);
  });

  test('cannot be had by hand, is ended by purge, and explained', async () => {
    const map = watched.newMap();
    await putRow(map, HARMLESS);
    const args = ['allow', OPENING, '--map', map, ...LISTS];
    const refused = await popbsmtp(...args);
    assert.equal(refused.code, EXIT.config, refused.stdout);
    assert.match(refused.stderr, /fd00::5 gets no grant: .*other networks.*whole-addresses/);
    assert.equal((await popbsmtp(...args, '--whole-addresses')).code, 0);
    assert.deepEqual(await keysOf(map), [OPENING, HARMLESS]);

    await popbsmtp('purge', '--map', map, '--whole-addresses');
    assert.deepEqual(await keysOf(map), [OPENING, HARMLESS]);
    const purged = await popbsmtp('purge', '--map', map);
    assert.match(purged.stdout, /^purging ts=.* ip=fd00::5$/m);
    assert.deepEqual(await keysOf(map), [HARMLESS]);

    const explained = await popbsmtp('explain', loginLine(OPENING).trim(), '--map', map, ...LISTS);
    assert.match(explained.stdout, /^grant +none: .*other networks \(--whole-addresses\)$/m);
  });

  test('ends when the daemon starts, and no login brings it back', async () => {
    const map = watched.newMap();
    await putRow(map, OPENING);
    await putRow(map, HARMLESS);
    const ours = join(watched.directory, 'ours.log');
    const daemon = watched.start(map, '--exclude', 'none', '--logto', ours);
    await waitForLine(ours, /withdrawn ip=fd00::5 .*reason="opens other networks"$/);
    await watched.logIn(OPENING);
    await waitForLine(ours, /ignored ip=fd00::5 .* reason="opens other networks"$/);
    assert.deepEqual(await keysOf(map), [HARMLESS]);
    await daemon.stop();
    const told = (await readFile(ours, 'utf8')).match(/warning: fd00::5 gets no grant/g);
    assert.equal(told?.length, 1);
  });

  test('ends with a reload that takes whole-addresses back, and what a reload says of other maps opens none', async () => {
    const map = watched.newMap();
    const config = join(watched.directory, 'reloaded.toml');
    const ours = join(watched.directory, 'reloaded.log');
    const logs = `watchlog = ${JSON.stringify(watched.log)}\nmynetworks = "none"\nexclude = "none"\n`;
    await writeFile(config, `${logs}map = "${map}"\nwhole-addresses = true\n`);
    const daemon = startDaemon(rig, process.execPath, [
      MAIN,
      ...['--config', config, '--logto', ours],
    ]);
    await waitForLine(ours, /watching/);
    await watched.logIn(OPENING);
    await waitForLine(ours, /granted ip=fd00::5 /);

    // The map is the old one until the next start.
    await writeFile(config, `${logs}map = "cidr:${join(watched.directory, 'next.txt')}"\n`);
    daemon.signal('SIGHUP');
    await waitForLine(ours, /withdrawn ip=fd00::5 .*reason="opens other networks"$/);
    await waitForLine(ours, /a change of map takes effect at the next start/);
    await watched.logIn(OPENING);
    await waitForLine(ours, /ignored ip=fd00::5 .* reason="opens other networks"$/);
    assert.deepEqual(await keysOf(map), []);
    await daemon.stop();
  });
});

describe("this machine's own addresses", { skip }, () => {
  const own = OWN ?? '';

  test('are not granted by the daemon, which says once what is probably behind them', async () => {
    const map = watched.newMap();
    const ours = join(watched.directory, 'own.log');
    const daemon = watched.start(map, '--exclude', 'none', '--logto', ours);
    await waitForLine(ours, /watching/);
    await watched.logIn(own);
    await watched.logIn(own);
    await watched.logIn('127.0.0.9');
    await waitForLine(ours, /granted ip=127\.0\.0\.9 /);
    assert.deepEqual(await keysOf(map), ['127.0.0.9']);
    await daemon.stop();
    const log = await readFile(ours, 'utf8');
    assert.equal(log.match(/ignored ip=\S+ .* reason="own address"$/gm)?.length, 2);
    assert.equal(log.match(/warning: .* own address, .* proxy.*PROXY protocol/g)?.length, 1);
  });

  test('are granted with --allow-own-addresses', async () => {
    const map = watched.newMap();
    const ours = join(watched.directory, 'own-allowed.log');
    const lists = ['--exclude', 'none', '--allow-own-addresses', '--whole-addresses'];
    const daemon = watched.start(map, ...lists, '--logto', ours);
    await waitForLine(ours, /watching/);
    await watched.logIn(own);
    await waitForLine(ours, new RegExp(`granted ip=${own.replaceAll('.', '\\.')} `));
    assert.ok((await keysOf(map)).includes(own));
    await daemon.stop();
  });

  test('cannot be allowed by hand, and are explained', async () => {
    const map = watched.newMap();
    await putRow(map, HARMLESS);
    const refused = await popbsmtp('allow', own, '--map', map, ...LISTS);
    assert.equal(refused.code, EXIT.config, refused.stdout);
    assert.match(refused.stderr, /never gets a grant: it is this machine's own, .*proxy/);
    const explained = await popbsmtp('explain', loginLine(own).trim(), '--map', map, ...LISTS);
    assert.match(explained.stdout, /^grant +none: it is an address of this machine's own/m);
  });
});

test('an address of many users is told of, without any option, and keeps its grant', async () => {
  const map = watched.newMap();
  const ours = join(watched.directory, 'shared.log');
  const daemon = watched.start(map, '--logto', ours, '--limit-action', 'refuse');
  await waitForLine(ours, /watching/);
  const users = Array.from({ length: 12 }, (_, user) => `user-${user}`);
  const lines = users.map(user => loginLine('198.51.100.77').replace('anna', user));
  await writeFile(watched.log, lines.join(''), { flag: 'a' });
  await waitForLine(
    ours,
    /warning: limit exceeded ip=198\.51\.100\.77 user="user-10" .* most=10 action=warn$/,
  );
  await waitForLine(ours, /warning: 198\.51\.100\.77 is probably a proxy, a NAT or a port forward/);
  assert.deepEqual(await keysOf(map), ['198.51.100.77']);
  await daemon.stop();
});
