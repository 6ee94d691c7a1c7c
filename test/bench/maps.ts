/**
 * What a commit costs with each type of map that this Postfix offers: one row, and a thousand, in a map of ten thousand.
 *
 * Prints the medians in milliseconds; `npm run bench:maps`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epoch } from '../../src/base/clock.ts';
import type { Change } from '../../src/grant/change.ts';
import type { LookupMap } from '../../src/map/map.ts';
import { openMap } from '../../src/map/map-types.ts';
import { addresses } from '../map/addresses.ts';
import { requireType, TYPES } from '../real/map-kinds.ts';
import { median } from './timing.ts';

const ROWS = 10_000;
const ROUNDS = 21;

const rows = (network: string, count: number, stamp: number): Change[] =>
  addresses(network, count).map(ip => ({ ip, stamp: epoch(stamp) }));

/** In milliseconds; the rows are taken away after each round. */
async function costOf(map: LookupMap, count: number): Promise<number> {
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const changes = rows('10.2', count, round);
    const start = performance.now();
    await map.commit(changes);
    costs.push(performance.now() - start);
    await map.commit(changes.map(({ ip }) => ({ ip, stamp: null })));
  }
  return median(costs);
}

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-bench-'));
try {
  for (const type of TYPES.filter(one => requireType(one) === false)) {
    const map = await openMap({ type, path: join(directory, type) });
    await map.commit(rows('10.1', ROWS, 1));
    const [one, thousand] = [await costOf(map, 1), await costOf(map, 1000)];
    await map.close();
    process.stdout.write(
      `${type}:\t1 row ${one.toFixed(1)} ms\t1,000 rows ${thousand.toFixed(1)} ms\n`,
    );
  }
} finally {
  rmSync(directory, { recursive: true });
}
