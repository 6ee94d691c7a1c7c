import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { readMeta } from '../../src/map/lmdb-meta.ts';
import { behavesLikeMemory, holdsManyRows } from './model.ts';
import { newSpec } from './scratch.ts';

// The other types need Postfix: test/real/map-types.test.ts.
for (const type of ['lmdb', 'texthash', 'cidr', 'table', 'tcprules']) {
  test(`${type}: a map in a file does what a map in memory does`, async () => {
    await behavesLikeMemory(await newSpec(type), 60);
  });

  test(`${type}: so it does with many rows`, async () => {
    const spec = await newSpec(type);
    await holdsManyRows(spec, 20_000);
    if (type !== 'lmdb') return;
    assert.ok(readMeta(await readFile(`${spec.path}.lmdb`)).main.depth >= 3);
  });
}
