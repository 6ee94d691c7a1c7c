/** Whether a map in a file does what a map in memory does, for any changes. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import type { Change } from '../../src/grant/change.ts';
import type { GraceOf } from '../../src/grant/grant-table.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { openMap, readRows } from '../../src/map/map-types.ts';
import { MemoryMap } from '../../src/map/memory-map.ts';
import { addresses, ip } from './addresses.ts';

const POOL = [...addresses('10.0', 300), ...['::1', '2001:db8::1', '2001:db8::10'].map(ip)];

const stamp = fc.option(fc.integer({ min: 0, max: 2 ** 33 }).map(epoch), { nil: null, freq: 2 });
const change: fc.Arbitrary<Change> = fc.record({ ip: fc.constantFrom(...POOL), stamp });
const lists = fc.array(fc.array(change, { maxLength: 200 }), { maxLength: 5 });

/**
 * Each run goes on from the file that the one before left.
 *
 * @param numRuns how many lists of commits are tried
 * @param grace for a map that ends its rows by itself
 */
export async function behavesLikeMemory(
  spec: MapSpec,
  numRuns: number,
  grace: GraceOf = () => 0,
): Promise<void> {
  const map = await openMap(spec);
  map.setGrace?.(grace);
  const run = fc.asyncProperty(lists, async commits => {
    const model = new MemoryMap(spec, await map.rows());
    for (const changes of commits) {
      assert.deepEqual(await map.commit(changes), await model.commit(changes));
    }
    assert.deepEqual(await map.rows(), await model.rows());
  });
  await fc.assert(run, { numRuns });
  await map.close();
}

/** The same with `count` rows of each of two networks. */
export async function holdsManyRows(
  spec: MapSpec,
  count: number,
  grace: GraceOf = () => 0,
): Promise<void> {
  const map = await openMap(spec);
  map.setGrace?.(grace);
  const model = new MemoryMap(spec);
  const all = [...addresses('10.1', count), ...addresses('172.16', count)];
  const commits: Change[][] = [
    all.map((address, index) => ({ ip: address, stamp: epoch(index) })),
    all.filter((_, index) => index % 3 !== 0).map(address => ({ ip: address, stamp: null })),
    all.slice(count / 4, (3 * count) / 4).map(address => ({ ip: address, stamp: epoch(7) })),
  ];
  for (const changes of commits) {
    assert.deepEqual(await map.commit(changes), await model.commit(changes));
    assert.deepEqual(await readRows(spec), await model.rows());
  }
  await map.close();
}
