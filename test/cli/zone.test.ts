/**
 * A log whose stamps are of another time zone than this machine's: with watchlog-zone, each command reads them so.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { EXIT } from '../../src/base/errors.ts';
import { inZone } from '../line/zone.ts';
import { popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { keysOf, loginLine, WatchedLog } from './watched-log.ts';

/** It has quarters of an hour, and no summer time. */
const THERE = 'Asia/Kathmandu';

const rig = new Rig();
let watched: WatchedLog;

before(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

/** A line of a login there, now. */
const lineThere = (ip: string): string => inZone(THERE, () => loginLine(ip));

describe('with watchlog-zone', () => {
  test('the daemon grants by the stamps of the log', async () => {
    const map = watched.newMap();
    // What is in the log at the start is entered by its stamps as well.
    await writeFile(watched.log, lineThere('198.51.100.1'));
    const daemon = watched.start(map, '--watchlog-zone', THERE);
    await waitFor('the first row', async () => (await keysOf(map)).join() === '198.51.100.1');
    await appendFile(watched.log, lineThere('198.51.100.2'));
    await waitFor('both rows', async () => (await keysOf(map)).length === 2);
    assert.equal(await daemon.stop(), 0);
    const row = (await popbsmtp('list', '--map', map, '--json')).stdout.split('\n')[0] ?? '';
    const { lastLogin } = JSON.parse(row);
    assert.ok(Math.abs(Date.parse(lastLogin) - Date.now()) < 600_000, row);
  });

  test('so do match, replay and explain', async () => {
    const log = join(watched.directory, 'finished.log');
    await writeFile(log, lineThere('198.51.100.3'));
    const now = epoch(Date.now() / 1000);
    const isNow = (text: string): void =>
      assert.ok(Math.abs(Date.parse(text) / 1000 - now) < 600, text);
    const zone = ['--watchlog-zone', THERE];
    const matched = await popbsmtp('match', ...zone, '--json', log);
    isNow(JSON.parse(matched.stdout).time);
    const map = watched.newMap();
    await popbsmtp('replay', ...zone, '--map', map, '--mynetworks', 'none', log);
    const row = (await popbsmtp('list', '--map', map, '--json')).stdout.split('\n')[0] ?? '';
    isNow(JSON.parse(row).lastLogin);
    const line = lineThere('198.51.100.3').trimEnd();
    const explained = await popbsmtp(
      'explain',
      ...zone,
      '--map',
      map,
      '--mynetworks',
      'none',
      line,
    );
    assert.match(explained.stdout, /grant/);
    const elsewhere = await popbsmtp('explain', '--map', map, '--mynetworks', 'none', line);
    assert.notEqual(explained.stdout, elsewhere.stdout);
  });

  test('a zone that is none is refused', async () => {
    const { code, stderr } = await popbsmtp(
      'match',
      '--watchlog-zone',
      'Europe/Berin',
      watched.log,
    );
    assert.equal(code, EXIT.usage);
    assert.match(stderr, /--watchlog-zone: "Europe\/Berin" is no time zone; write a name/);
  });
});

test('without it, the daemon says that all logins are of another zone, once', async () => {
  const ours = join(watched.directory, 'popbsmtp.log');
  const told = (): string => (existsSync(ours) ? readFileSync(ours, 'utf8') : '');
  await writeFile(watched.log, '');
  const daemon = watched.start(watched.newMap(), '--logto', ours);
  await waitFor('the log', () => told().includes('watching'));
  for (let host = 1; host <= 12; host++)
    await appendFile(watched.log, lineThere(`198.51.100.${host}`));
  await waitFor('a warning', () => told().includes('watchlog-zone'));
  assert.equal(await daemon.stop(), 0);
  const warnings = told()
    .split('\n')
    .filter(line => line.includes('watchlog-zone'));
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? '',
    /the last 5 logins in .*mail\.log are stamped .* \(its clock is at \+05:45 now\)/,
  );
});
