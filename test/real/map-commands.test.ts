/**
 * The commands with a map of each way of writing: what `replay` wrote, `list` shows and `purge` ends.
 */
import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, readdir, unlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { mapPath } from '../../src/map/map-types.ts';
import { parseMapSpec } from '../../src/map/spec.ts';
import { keysOf, loginLine } from '../cli/watched-log.ts';
import { requireType } from './map-kinds.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { type Result, runProgram, startDaemon } from './processes.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const rig = new Rig();
after(() => rig.close());

const ALL = ['--mynetworks', 'none', '--exclude', 'none'];

function succeeded({ code, stdout, stderr }: Result): string {
  assert.equal(code, 0, stderr);
  return stdout;
}

for (const type of ['hash', 'cdb', 'cidr'] as const) {
  describe(`with a ${type}: map`, { skip: requireType(type) }, () => {
    test('replay, list and purge do their work, and a dry run none', async () => {
      const directory = await rig.directory();
      const map = `${type}:${join(directory, 'map')}`;
      const log = join(directory, 'mail.log');
      await writeFile(log, loginLine('198.51.100.1', 700) + loginLine('2001:db8::1'));
      const replay = (...more: string[]): Promise<Result> =>
        popbsmtp('replay', '--map', map, ...ALL, ...more, log);
      succeeded(await replay('--nowrite'));
      assert.deepEqual(await readdir(directory), ['mail.log']);
      succeeded(await replay());
      assert.deepEqual(await keysOf(map), ['198.51.100.1', '2001:db8::1']);
      await appendFile(log, loginLine('198.51.100.2'));
      succeeded(await replay('--nowrite'));
      const purge = await popbsmtp('purge', '--map', map, '--grace', '600s');
      assert.match(succeeded(purge), /^purging ts=.* ip=198\.51\.100\.1\n$/);
      assert.deepEqual(await keysOf(map), ['2001:db8::1']);
    });

    test('a daemon goes on in the log where it was, and has its map for itself', async () => {
      const directory = await rig.directory();
      const map = `${type}:${join(directory, 'map')}`;
      const log = join(directory, 'mail.log');
      await writeFile(log, '');
      const start = () => {
        const args = [MAIN, '--debug', '--watchlog', log, '--map', map, ...ALL];
        return startDaemon(rig, process.execPath, args);
      };
      let daemon = start();
      await waitFor('its start', () => daemon.stderr.includes('watching'));
      await appendFile(log, loginLine('198.51.100.1'));
      await daemon.waitForLine(/written ok/);
      const second = await popbsmtp('purge', '--map', map);
      assert.equal(succeeded(second), '');
      const third = await popbsmtp('replay', '--map', map, ...ALL, log);
      assert.equal(third.code, 75);
      assert.equal(await daemon.stop(), 0);
      await appendFile(log, loginLine('198.51.100.2'));
      daemon = start();
      await daemon.waitForLine(/written ok/);
      assert.equal(daemon.lines.filter(line => line.startsWith('read ')).length, 1);
      assert.deepEqual(await keysOf(map), ['198.51.100.1', '198.51.100.2']);
      await unlink(mapPath(parseMapSpec(map, 'the test')));
      await waitFor('its rows again', async () => (await keysOf(map)).length === 2);
      assert.equal(await daemon.stop(), 0);
      const cautions = daemon.stderr.split('\n').filter(line => line.includes('smtpd'));
      assert.equal(cautions.length, type === 'cidr' ? 1 : 0);
    });
  });
}

describe('several maps', { skip: requireType('hash') }, () => {
  test('hold the same rows, also when one could not be opened at first', async () => {
    const directory = await rig.directory();
    const away = join(directory, 'away');
    const maps = [`lmdb:${directory}/map`, `hash:${directory}/map`, `texthash:${away}/map`];
    const log = join(directory, 'mail.log');
    await writeFile(log, '');
    const named = maps.flatMap(map => ['--map', map]);
    const args = [MAIN, '--debug', '--watchlog', log, ...named, ...ALL];
    const daemon = startDaemon(rig, process.execPath, args);
    await waitFor('its start', () => daemon.stderr.includes('watching'));
    await appendFile(log, loginLine('198.51.100.1') + loginLine('::1'));
    await daemon.waitForLine(/written ok/);
    const has = (map = '') =>
      waitFor(map, async () => (await keysOf(map)).join() === '198.51.100.1,::1');
    await has(maps[1]);
    await daemon.waitForText(/texthash:\S+ does not follow the first map .*no such file/);
    await mkdir(away);
    await has(maps[2]);
    await waitFor('to be told', () => daemon.stderr.includes('is equal to the first map again'));
    assert.equal(await daemon.stop(), 0);
    assert.deepEqual(await readdir(away), ['map', 'map.texthash.owner']);
    await waitFor('the end of the grants', async () => {
      succeeded(await popbsmtp('purge', ...named, '--grace', '1s'));
      return (await keysOf(maps[0] ?? '')).length === 0;
    });
    for (const map of maps) assert.deepEqual(await keysOf(map), []);
  });
});

describe('a Postfix without a type', () => {
  test('is found out before Postfix has to defer mail, and the package is named', async () => {
    const directory = await rig.directory();
    const postconf = join(directory, 'postconf');
    await writeFile(postconf, '#!/bin/sh\nprintf "btree\\nhash\\n"\n');
    await chmod(postconf, 0o755);
    const env = { PATH: [directory, process.env['PATH'] ?? ''].join(delimiter) };
    const args = [MAIN, 'run', '--watchlog', '-', '--map', `cdb:${directory}/map`, ...ALL];
    const { code, stderr } = await runProgram(process.execPath, args, { env });
    assert.equal(code, 78);
    assert.match(
      stderr,
      /^popbsmtp: cdb:\S+: .*"cdb".*; install postfix-cdb, or use .*hash, btree\n$/,
    );
    const other = await runProgram(process.execPath, [MAIN, 'list', '--map', 'regexp:/x'], { env });
    assert.equal(other.code, 64);
    assert.match(
      other.stderr,
      /"regexp" are not supported; use one of: hash, btree, table, nft, smtpaccess, tcprules, makemap:hash\n$/,
    );
  });
});
