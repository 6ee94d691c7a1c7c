import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/clock.ts';
import { readMeta } from '../../src/map/lmdb-meta.ts';
import type { Change } from '../../src/map/map.ts';
import { openMap, readRows } from '../../src/map/map-types.ts';
import { MemoryMap } from '../../src/map/memory-map.ts';
import { addresses, ip } from './addresses.ts';
import { newSpec } from './scratch.ts';

const POOL = [...addresses('10.0', 300), ...['::1', '2001:db8::1', '2001:db8::10'].map(ip)];

const stamp = fc.option(fc.integer({ min: 0, max: 2 ** 33 }).map(epoch), { nil: null, freq: 2 });
const change: fc.Arbitrary<Change> = fc.record({ ip: fc.constantFrom(...POOL), stamp });

/** One for all runs: each goes on from the file that the one before left. */
const map = await openMap(await newSpec());
after(() => map.close());

test('a map in a file does what a map in memory does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { maxLength: 200 }), { maxLength: 5 }),
      async lists => {
        const model = new MemoryMap(map.spec, await map.rows());
        for (const changes of lists) {
          assert.deepEqual(await map.commit(changes), await model.commit(changes));
        }
        assert.deepEqual(await map.rows(), await model.rows());
      },
    ),
    { numRuns: 60 },
  );
});

test('so it does with many rows', async () => {
  const spec = await newSpec();
  const large = await openMap(spec);
  const model = new MemoryMap(spec);
  const all = [...addresses('10.1', 20_000), ...addresses('172.16', 20_000)];
  const lists: Change[][] = [
    all.map((address, index) => ({ ip: address, stamp: epoch(index) })),
    all.filter((_, index) => index % 3 !== 0).map(address => ({ ip: address, stamp: null })),
    all.slice(5000, 15_000).map(address => ({ ip: address, stamp: epoch(7) })),
  ];
  for (const changes of lists) {
    assert.deepEqual(await large.commit(changes), await model.commit(changes));
    assert.deepEqual(await readRows(spec), await model.rows());
  }
  assert.ok(readMeta(await readFile(`${spec.path}.lmdb`)).main.depth >= 3);
  await large.close();
});
