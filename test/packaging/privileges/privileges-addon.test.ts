/** What `npm ci` does for the addon by which root becomes another account. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../../src/base/package.ts';
import { loadPrivileges, PRIVILEGES_ADDON } from '../../../src/base/privileges-addon.ts';

const PROJECT = packageRoot();
const ADDON = 'src/packaging/privileges';

/** A fresh checkout, with what an earlier installation has kept. */
async function checkout(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'popbsmtp-install-'));
  after(() => rm(root, { recursive: true, force: true }));
  for (const part of ['package.json', 'src/packaging/compile.mjs', ADDON, '.addon'])
    await cp(join(PROJECT, part), join(root, part), { recursive: true });
  return root;
}

/** The installation step, where no compiler is. */
function install(root: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, ADDON, 'privileges-addon.mjs')],
    { env: { PATH: join(root, 'nothing') }, encoding: 'utf8' },
  );
  return { status, output: stdout + stderr };
}

const keptIn = async (root: string): Promise<string> => {
  const [name] = (await readdir(join(root, '.addon'))).filter(one => one.startsWith('privileges-'));
  return join(root, '.addon', name ?? assert.fail('none is kept'));
};

test('one that was compiled before is put where the program loads it from', async () => {
  const root = await checkout();
  assert.deepEqual(install(root), {
    status: 0,
    output: 'privileges addon: taken from .addon/\n',
  });
  assert.equal(typeof loadPrivileges(root).become, 'function');
  assert.deepEqual(await readdir(join(root, 'build/Release')), ['privileges.node']);
});

test('one that is kept but of no use, or of other sources, is compiled anew', async () => {
  const missing = /^popbsmtp: the privileges addon must be compiled, and this is missing: .*\n$/;
  const damaged = await checkout();
  await writeFile(await keptIn(damaged), 'half');
  assert.match(install(damaged).output, missing);
  const changed = await checkout();
  const source = join(changed, ADDON, 'privileges.c');
  await writeFile(source, `${await readFile(source, 'utf8')}\n`);
  const { status, output } = install(changed);
  assert.equal(status, 1);
  assert.match(output, missing);
  await assert.rejects(readFile(join(changed, PRIVILEGES_ADDON)), { code: 'ENOENT' });
});

test('npm runs it, and a packed installation has what it needs', async () => {
  const { scripts, files } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
  for (const name of ['lmdb', 'privileges']) {
    assert.ok(scripts.postinstall.includes(`node src/packaging/${name}/${name}-addon.mjs`), name);
    assert.ok(files.includes(`src/packaging/${name}`), name);
  }
  assert.ok(files.includes('src/packaging/compile.mjs'));
});
