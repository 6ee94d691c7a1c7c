/** Root becomes the account of the map's directory, with its groups, whatever leads there. */
import assert from 'node:assert/strict';
import { chown, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { startNode } from '../map/child.ts';

const NOBODY = 65534;
/** An account without a name. */
const NAMELESS = 54321;

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** A directory as `owner` has it; those above it are root's. */
async function directoryOf(owner: number): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'popbsmtp-privileges-'));
  after(() => rm(path, { recursive: true }));
  await chown(path, owner, owner);
  return path;
}

/** What root is after the rule was applied: `uid euid gid groups`, or the code of the error. */
async function becomes(...directories: readonly string[]): Promise<string> {
  const maps = directories.map(directory => ({ type: 'lmdb', path: join(directory, 'map') }));
  const child = startNode(
    `const { becomeOwner } = await import(source('map/privileges.js'));
     try {
       becomeOwner(${JSON.stringify(maps)});
       console.log(process.getuid(), process.geteuid(), process.getgid(), process.getgroups().join());
       try { process.setuid(0); console.log('and root again'); } catch {}
     } catch (error) { console.log(error.code); }`,
  );
  const line = await child.line();
  assert.equal((await child.ended()).code, 0);
  return line;
}

describe('root becomes', { skip }, () => {
  test('the account that the directory belongs to, with its groups, for good', async () => {
    assert.equal(await becomes(await directoryOf(NOBODY)), '65534 65534 65534 65534');
  });

  test('an account that has no name, with the group of the directory', async () => {
    assert.equal(await becomes(await directoryOf(NAMELESS)), '54321 54321 54321 54321');
  });

  test('nobody else where all is its own, or nothing is there', async () => {
    const directory = await directoryOf(0);
    assert.match(await becomes(directory), /^0 0 0 /);
    assert.match(await becomes(join(directory, 'missing')), /^0 0 0 /);
  });

  test("the account that could put another directory in the place of root's", async () => {
    const directory = await directoryOf(NOBODY);
    await mkdir(join(directory, 'of-root'));
    assert.match(await becomes(join(directory, 'of-root')), /^65534 65534 /);
    const elsewhere = await directoryOf(0);
    await symlink(elsewhere, join(directory, 'link'));
    assert.match(await becomes(join(directory, 'link')), /^65534 65534 /);
  });

  test('the account of a further map, and none of two', async () => {
    const [root, one, other] = [
      await directoryOf(0),
      await directoryOf(NOBODY),
      await directoryOf(NAMELESS),
    ];
    assert.match(await becomes(root, one), /^65534 65534 /);
    assert.equal(await becomes(one, other), 'PRIVILEGES');
  });
});
