import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const PROJECT = join(import.meta.dirname, '../../../..');

/** The installation step alone, as in a fresh checkout. */
async function checkout(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'popbsmtp-install-'));
  after(() => rm(root, { recursive: true, force: true }));
  for (const part of ['compile.mjs', 'lmdb']) {
    const path = join('src/packaging', part);
    await cp(join(PROJECT, path), join(root, path), { recursive: true });
  }
  return root;
}

function install(root: string, path: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'src/packaging/lmdb/lmdb-addon.mjs')],
    { env: { PATH: path }, encoding: 'utf8' },
  );
  return { status, output: stdout + stderr };
}

test('without a toolchain it ends with one line that names what to install', async () => {
  const root = await checkout();
  await symlink(join(PROJECT, 'node_modules'), join(root, 'node_modules'));
  const { status, output } = install(root, join(root, 'nothing'));
  assert.equal(status, 1);
  assert.match(output, /^popbsmtp: [^\n]*\(g\+\+\), [^\n]*\(gcc\), make, python3; [^\n]*\n$/);
  assert.match(output, /apt-get install g\+\+ make python3; Fedora: dnf install gcc-c\+\+ make/);
});

test('it names the tool that is missing', async () => {
  const root = await checkout();
  await symlink(join(PROJECT, 'node_modules'), join(root, 'node_modules'));
  const tools = join(root, 'tools');
  await mkdir(tools);
  for (const name of ['g++', 'cc', 'python3']) await symlink(process.execPath, join(tools, name));
  const { status, output } = install(root, tools);
  assert.equal(status, 1);
  assert.match(output, /this is missing: make; /);
  assert.deepEqual((await readdir(root)).sort(), ['node_modules', 'src', 'tools']);
});

test('without the package it says what to run', async () => {
  const root = await checkout();
  const { status, output } = install(root, '/usr/bin');
  assert.equal(status, 1);
  assert.match(output, /^popbsmtp: the package lmdb is not installed; run npm ci in [^\n]*\n$/);
});
