/** A disk that is nearly full, or that fails: the history stops, which is told once, and what is left of the disk is the grants'. */
import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loginLine } from '../cli/watched-log.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { mustRun, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const MIB = 2 ** 20;
const rig = new Rig();
after(() => rig.close());

const skip = requirePrograms(['mount', 'umount'], { root: true });

test('a disk that is nearly full costs the history, and no grant', { skip }, async () => {
  const disk = await rig.directory();
  await mustRun('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=755', 'tmpfs', disk]);
  try {
    const log = join(await rig.directory(), 'mail.log');
    await writeFile(log, '');
    const map = `lmdb:${join(disk, 'map')}`;
    const daemon = startDaemon(rig, process.execPath, [
      MAIN,
      ...['--watchlog', log, '--map', map, '--debug', '--mynetworks', 'none'],
    ]);
    const login = async (address: string): Promise<void> => {
      await appendFile(log, loginLine(address));
      await daemon.waitForLine(new RegExp(`^read .*ip=${address.replaceAll('.', '\\.')}$`));
    };
    const report = () => popbsmtp('report', '--json', '--map', map);
    await waitFor('the start', () => daemon.transcript().includes('watching'));
    await login('198.51.100.7');
    await waitFor('the history', async () => (await report()).stdout.includes('198.51.100.7'));
    await writeFile(join(disk, 'others'), Buffer.alloc(16 * MIB));
    await login('198.51.100.8');
    await waitFor('the warning', () => daemon.transcript().includes('left to the grants'));
    await login('198.51.100.9');
    const { stdout } = await popbsmtp('list', '--json', '--map', map);
    assert.match(stdout, /198\.51\.100\.9/);
    // What was kept before can be read.
    const { code, stdout: kept } = await report();
    assert.equal(code, 0);
    assert.match(kept, /198\.51\.100\.7/);
    await daemon.stop();
    assert.equal(daemon.transcript().split('left to the grants').length, 2, daemon.transcript());
    assert.match(daemon.transcript(), /what happened last is not in it/);
  } finally {
    await mustRun('umount', ['-l', disk]);
  }
});

test('writes that fail cost the history, and no grant', { skip }, async () => {
  const directory = await rig.directory();
  const log = join(directory, 'mail.log');
  await writeFile(log, '');
  const map = `lmdb:${join(directory, 'map')}`;
  const daemon = startDaemon(rig, process.execPath, [
    MAIN,
    ...['--watchlog', log, '--map', map, '--debug', '--mynetworks', 'none'],
  ]);
  await waitFor('the start', () => daemon.transcript().includes('watching'));
  // The history alone grows beyond it: its blocks are whole pages, and a map of a few rows is smaller.
  await mustRun('prlimit', ['--pid', String(daemon.pid), `--fsize=${64 * 1024}:unlimited`]);
  for (let round = 0; round < 20; round++) {
    const lines = Array.from({ length: 200 }, (_, n) =>
      loginLine('198.51.100.7', 0).replace('<anna>', `<${'u'.repeat(100)}${200 * round + n}>`),
    );
    await appendFile(log, lines.join(''));
  }
  await waitFor('the warning', () => /for the history|use the history/.test(daemon.transcript()), {
    seen: () => daemon.stderr,
  });
  await appendFile(log, loginLine('198.51.100.9'));
  await daemon.waitForLine(/^read .*ip=198\.51\.100\.9$/);
  const { stdout } = await popbsmtp('list', '--json', '--map', map);
  assert.match(stdout, /198\.51\.100\.9/);
  assert.equal(await daemon.stop(), 0);
  const told = daemon.stderr.split('\n').filter(line => /the history/.test(line));
  assert.equal(told.length, 2, daemon.stderr);
  assert.match(told[1] ?? '', /what happened last is not in it/);
  // No stack.
  assert.doesNotMatch(daemon.stderr, /^\s+at /m);
});
