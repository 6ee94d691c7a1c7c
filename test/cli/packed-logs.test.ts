/** `match` and `replay` of logs that are compressed, and of what is no log. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { runProgram } from '../real/processes.ts';
import { requirePrograms } from '../real/programs.ts';
import { Rig } from '../real/rig.ts';
import { loginLine } from './watched-log.ts';

const rig = new Rig();
const LOG = [1, 2, 3].map(host => loginLine(`198.51.100.${host}`)).join('');
let root: string;
before(async () => {
  root = await rig.directory();
});
after(() => rig.close());

const REPLAY = ['--mynetworks', 'none', '--exclude', 'none', '--nowrite'];

for (const [program, suffix] of [
  ['gzip', '.gz'],
  ['xz', '.xz'],
  ['bzip2', '.bz2'],
  ['zstd', '.zst'],
  // The first bytes tell, and not the name.
  ['gzip', '.1'],
] as const)
  test(`packed by ${program} as ${suffix}`, { skip: requirePrograms([program]) }, async () => {
    const path = join(root, `mail.log${suffix}`);
    await writeFile(path, spawnSync(program, ['-c'], { input: LOG }).stdout);
    const matched = await popbsmtp('match', '--count', path);
    assert.match(matched.stderr, /^3 lines, 3 logins, 0 logouts\n/);
    assert.equal(matched.code, 0);
    const replayed = await popbsmtp('replay', path, '--map', `lmdb:${root}/none`, ...REPLAY);
    assert.match(replayed.stderr, /^3 lines; logins: 3 granted/m);
  });

test('what is binary is refused, and not counted as no logins', async () => {
  const path = join(root, 'database');
  await writeFile(path, Buffer.from('LPKSHHRH\0\0\0\0\0\0\0\0'));
  for (const command of ['match', 'replay']) {
    const { code, stderr } = await popbsmtp(command, path);
    assert.equal(code, 65);
    assert.match(stderr, /database is no log: it holds binary data; /);
  }
});

test('on standard input nothing is unpacked, and that is told', async () => {
  const path = join(root, 'piped.gz');
  await writeFile(path, gzipSync(LOG.repeat(500)));
  const script = `cat "$1" | "$2" "$3" match -`;
  const { code, stderr } = await runProgram('sh', [
    '-c',
    script,
    'sh',
    path,
    process.execPath,
    MAIN,
  ]);
  assert.equal(code, 65);
  assert.match(stderr, /standard input is no log/);
});

test('a packed log that is damaged is told after what comes before', async () => {
  const path = join(root, 'damaged.gz');
  const packed = gzipSync(LOG);
  await writeFile(path, packed.subarray(0, packed.length - 8));
  const { code, stdout, stderr } = await popbsmtp('match', path);
  assert.equal(code, 65);
  assert.match(stdout, /198\.51\.100\.1/);
  assert.match(stderr, /cannot unpack .*damaged\.gz: unexpected end of file; /);
});
