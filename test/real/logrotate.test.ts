/**
 * Logs that the real logrotate has rotated while the daemon was down: every login since is read, wherever they are.
 */
import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { keysOf, loginLine } from '../cli/watched-log.ts';
import { MAIN } from './popbsmtp.ts';
import { mustRun, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(['logrotate', 'xz', 'bzip2', 'zstd'], { root: true });
const rig = new Rig();
after(() => rig.close());

const compressedBy = (program: string, suffix: string): string =>
  `compress\ncompresscmd /usr/bin/${program}\ncompressext ${suffix}\n` +
  (program === 'zstd' ? 'compressoptions --rm --quiet\n' : '');

/** What is written at once gives the same names, where these are dates of a day. */
const DATED = 'dateext\ndateformat -%Y%m%d-%s\n';

describe('logrotate with olddir', { skip }, () => {
  for (const [what, directives, olddir] of [
    ['numbers', 'olddir old\ncreate 0640 root root\n', 'old'],
    ['a directory that it makes', 'olddir made\ncreateolddir 0750 root root\ncreate\n', 'made'],
    ['dates', `olddir old\n${DATED}create\n`, 'old'],
    ['dates before the extension', `olddir old\n${DATED}extension .log\ncreate\n`, 'old'],
    ['numbers, compressed', 'olddir old\ncompress\ncreate\n', 'old'],
    ['numbers, compressed later', 'olddir old\ncompress\ndelaycompress\ncreate\n', 'old'],
    ['dates, compressed by xz', `olddir old\n${DATED}${compressedBy('xz', '.xz')}create\n`, 'old'],
    ['numbers, compressed by zstd', `olddir old\n${compressedBy('zstd', '.zst')}create\n`, 'old'],
    ['numbers, compressed by bzip2', `olddir old\n${compressedBy('bzip2', '.bz2')}create\n`, 'old'],
    ['copies', 'olddir old\ncopytruncate\n', 'old'],
  ] as const)
    test(what, async () => {
      const directory = await rig.directory();
      const log = join(directory, 'mail.log');
      const map = `lmdb:${join(directory, 'map')}`;
      const configuration = join(directory, 'logrotate.conf');
      await mkdir(join(directory, 'old'));
      await writeFile(
        configuration,
        `${log} {\nrotate 9\nnotifempty\nsu root root\n${directives}}\n`,
      );
      const start = () =>
        startDaemon(rig, process.execPath, [
          ...[MAIN, 'run', '--watchlog', log, '--watchlog-olddir', olddir],
          ...['--map', map, '--mynetworks', 'none'],
        ]);
      const rotate = async (): Promise<void> => {
        const state = join(directory, 'state');
        await mustRun('logrotate', ['--force', '--state', state, configuration]);
      };
      await writeFile(log, loginLine('198.51.100.1'));
      const before = start();
      await waitFor('the first row', async () => (await keysOf(map)).length === 1);
      assert.equal(await before.stop(), 0);
      // A second rotation within a second would find the name of the first.
      for (const ip of ['198.51.100.2', '198.51.100.3']) {
        await appendFile(log, loginLine(ip));
        await rotate();
        const since = Math.floor(Date.now() / 1000);
        await waitFor('another second', () => Date.now() / 1000 >= since + 1);
      }
      await appendFile(log, loginLine('198.51.100.4'));
      const files = await readdir(join(directory, olddir));
      assert.equal(files.length, 2, files.join());
      const after = start();
      await waitFor('the last row', async () => (await keysOf(map)).includes('198.51.100.4'));
      assert.deepEqual(
        await keysOf(map),
        [1, 2, 3, 4].map(host => `198.51.100.${host}`),
      );
      assert.equal(await after.stop(), 0);
    });
});
