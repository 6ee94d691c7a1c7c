/** A disk that is nearly full: the history stops, which is told once, and what is left of the disk is the grants'. */
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
    assert.equal(daemon.transcript().split('cannot use the history').length, 2);
  } finally {
    await mustRun('umount', ['-l', disk]);
  }
});
