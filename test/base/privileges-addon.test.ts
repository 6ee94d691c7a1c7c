/** The addon of our own, where the installation has put it; what it does to a process is in map/privileges.test.ts. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { Failure } from '../../src/base/errors.ts';
import { loadPrivileges, PRIVILEGES_ADDON } from '../../src/base/privileges-addon.ts';
import { startNode } from '../map/child.ts';

for (const ids of [
  [],
  [1],
  [-1, 0],
  [0, -1],
  [2 ** 32 - 1, 0],
  [0, 2 ** 32],
  [0.5, 0],
  ['0', 0],
  [0, Number.NaN],
]) {
  test(`it becomes nobody by ${JSON.stringify(ids)}`, () => {
    const { become } = loadPrivileges();
    assert.throws(() => Reflect.apply(become, null, ids), {
      name: 'TypeError',
      message: 'become: not a uid and a gid',
    });
  });
}

test('whoever may not change accounts is told which call failed, and why', async () => {
  const child = startNode(
    `const { loadPrivileges } = await import(source('base/privileges-addon.js'));
     const { become } = loadPrivileges();
     try {
       // Root is nobody from here on; another account cannot even do this.
       if (process.getuid() === 0) become(65534, 65534);
       become(0, 0);
     } catch (error) {
       console.log(error.message);
     }`,
  );
  assert.equal(await child.line(), 'initgroups: Operation not permitted');
});

async function installation(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'popbsmtp-addon-'));
  after(() => rm(directory, { recursive: true }));
  return directory;
}

test('where it is missing or damaged, one line says what to do', async () => {
  const directory = await installation();
  const reasonFor = (): string => {
    try {
      loadPrivileges(directory);
    } catch (error) {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, 'PRIVILEGES_MISSING');
      return `${error.message}; ${error.hint}`;
    }
    return assert.fail('it was loaded');
  };
  const hint = `run "node src/packaging/privileges/privileges-addon.mjs" in ${directory}`;
  for (const reason of ['Cannot find module', 'file too short']) {
    const message = reasonFor();
    assert.ok(message.includes(reason) && message.includes(hint), message);
    assert.ok(!message.includes('\n'), message);
    const path = join(directory, PRIVILEGES_ADDON);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
  }
});
