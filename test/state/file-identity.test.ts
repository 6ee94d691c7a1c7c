import assert from 'node:assert/strict';
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lossOf } from '../../src/state/file-identity.ts';
import { directory } from '../map/scratch.ts';

test('a name is its file’s until that is renamed, replaced or removed', async () => {
  const path = join(await directory(), 'map');
  writeFileSync(path, 'one');
  const identity = statSync(path, { bigint: true });
  assert.equal(lossOf(path, identity), null);
  writeFileSync(path, 'another text');
  assert.equal(lossOf(path, identity), null);
  renameSync(path, `${path}.old`);
  assert.equal(lossOf(path, identity), 'removed');
  writeFileSync(path, 'one');
  assert.equal(lossOf(path, identity), 'replaced');
  rmSync(path);
  assert.equal(lossOf(`${path}.old`, identity), null);
});
