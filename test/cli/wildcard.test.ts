/**
 * A daemon that watches whatever matches a wildcard.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { type Daemon, startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { keysOf, loginLine } from './watched-log.ts';

const rig = new Rig();
let directory: string;
let count = 0;

before(async () => {
  directory = await rig.directory();
});
after(() => rig.close());

/** A directory of logs, and a daemon of its own for them. */
async function logsOf() {
  const logs = join(directory, `logs-${++count}`);
  await mkdir(logs);
  const map = `lmdb:${join(directory, `map-${count}`)}`;
  const ours = join(directory, `log-${count}`);
  const told = (): string => (existsSync(ours) ? readFileSync(ours, 'utf8') : '');
  const start = (...names: readonly string[]): Daemon => {
    const watched = names.flatMap(name => ['--watchlog', join(logs, name)]);
    return startDaemon(rig, process.execPath, [
      ...[MAIN, 'run', ...watched, '--map', map, '--mynetworks', 'none', '--logto', ours],
    ]);
  };
  const rows = (what: string, ...ips: readonly string[]): Promise<unknown> =>
    waitFor(what, async () => (await keysOf(map)).join() === ips.join(), {
      seen: () => told(),
    });
  return { logs, map, told, start, rows };
}

test('logins in all files that match open the relay, also in those that come later', async () => {
  const { logs, map, told, start, rows } = await logsOf();
  await writeFile(join(logs, 'a.log'), loginLine('198.51.100.1') + loginLine('198.51.100.9', 5000));
  await writeFile(join(logs, 'b.log'), loginLine('198.51.100.2'));
  await writeFile(join(logs, 'b.txt'), loginLine('198.51.100.8'));
  const daemon = start('*.log');
  await rows('two rows', '198.51.100.1', '198.51.100.2');
  await writeFile(join(logs, 'c.log'), loginLine('198.51.100.7', 5000) + loginLine('198.51.100.3'));
  await rows('the row of a new file', '198.51.100.1', '198.51.100.2', '198.51.100.3');
  const { stdout } = await popbsmtp('status', '--map', map, '--json');
  const { sources } = JSON.parse(stdout);
  assert.deepEqual(
    sources.map(({ name, lag, position }: Record<string, unknown>) => ({ name, lag, position })),
    [{ name: join(logs, '*.log'), lag: 0, position: null }],
  );
  assert.equal(sources[0].lines >= 4, true);
  assert.equal(await daemon.stop(), 0);
  assert.match(told(), /watching the 2 files that match \S+\*\.log/);
  assert.match(told(), /watching \S+c\.log from byte /);
});

test('each file is gone on with where it was left', async () => {
  const { logs, told, start, rows } = await logsOf();
  const log = join(logs, 'a.log');
  await writeFile(log, loginLine('198.51.100.1'));
  const before = start('*.log*');
  await rows('a row', '198.51.100.1');
  assert.equal(await before.stop(), 0);
  const { size } = await stat(log);
  await appendFile(log, loginLine('198.51.100.2'));
  await rename(log, `${log}.1`);
  await writeFile(log, loginLine('198.51.100.3'));
  const after = start('*.log*');
  await rows('all rows', '198.51.100.1', '198.51.100.2', '198.51.100.3');
  assert.equal(await after.stop(), 0);
  assert.match(told(), new RegExp(`watching \\S+a\\.log\\.1 from byte ${size}\n`));
});

test('that nothing matches is told, once, and the daemon runs', async () => {
  const { logs, told, start, rows } = await logsOf();
  const daemon = start('none/*.log');
  await waitFor('a word', () => told().includes('no file matches'));
  await mkdir(join(logs, 'none'));
  await writeFile(join(logs, 'none/a.log'), loginLine('198.51.100.1'));
  await rows('a row', '198.51.100.1');
  assert.equal(await daemon.stop(), 0);
  assert.equal(told().split('no file matches').length, 2);
});

test('a name that has wildcards in it is itself, as it stands if it is there, and quoted', async () => {
  const { logs, start, rows } = await logsOf();
  await writeFile(join(logs, 'a[b].log'), loginLine('198.51.100.1'));
  await writeFile(join(logs, 'ab.log'), loginLine('198.51.100.8'));
  const daemon = start('a[b].log', 'c\\*.log');
  await rows('a row', '198.51.100.1');
  await writeFile(join(logs, 'cd.log'), loginLine('198.51.100.9'));
  await writeFile(join(logs, 'c*.log'), loginLine('198.51.100.2'));
  await rows('both rows', '198.51.100.1', '198.51.100.2');
  assert.equal(await daemon.stop(), 0);
});

test('what is named as well, or matched twice, is read once', async () => {
  const { logs, map, start, rows } = await logsOf();
  await writeFile(join(logs, 'a.log'), loginLine('198.51.100.1'));
  await writeFile(join(logs, 'b.log'), loginLine('198.51.100.2'));
  const daemon = start('*.log', 'a.log', '[ab].log', '*.log');
  await rows('two rows', '198.51.100.1', '198.51.100.2');
  const { stdout } = await popbsmtp('status', '--map', map, '--json');
  assert.equal(JSON.parse(stdout).lines, 2);
  assert.equal(await daemon.stop(), 0);
});
