/**
 * What a commit costs with each type of map that this machine can write: one row in maps of several sizes, and a thousand in one of ten thousand.
 *
 * Prints the medians in milliseconds; `npm run bench:maps`, with types as arguments only of those.  Two have to be named: `nft`, since it makes a table
 * in the network that it is in (`unshare -n`), and `smtpaccess`, since it puts a link among the rules of this machine's Courier while it runs.
 */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epoch } from '../../src/base/clock.ts';
import type { Change } from '../../src/grant/change.ts';
import type { LookupMap, MapSpec } from '../../src/map/map.ts';
import { openMap } from '../../src/map/map-types.ts';
import { SMTPACCESS_DIRECTORY } from '../../src/map/smtpaccess-format.ts';
import { addresses } from '../map/addresses.ts';
import { otherTypes, requireType, TYPES } from '../real/map-kinds.ts';
import { median } from './timing.ts';

/** Types that change more than files of their own. */
const NAMED = ['nft', 'smtpaccess'] as const;

const RULES = join(SMTPACCESS_DIRECTORY, 'popbsmtp-bench');

const SIZES = [100, 10_000, 100_000] as const;
const ROUNDS = 11;

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

const wanted = process.argv.slice(2);
const types = [
  ...[...TYPES.filter(one => requireType(one) === false), ...otherTypes(), 'tcprules'].filter(
    type => wanted.length === 0 || wanted.includes(type),
  ),
  ...NAMED.filter(type => wanted.includes(type)),
];

/** @param name of a file that is not there */
function specOf(type: string, name: string): MapSpec {
  const spec: MapSpec = { type, path: join(directory, name) };
  if (type === 'nft') return { ...spec, nft: { family: 'inet', table: 'bench', set: name } };
  if (type === 'smtpaccess') linkRules(spec.path);
  return spec;
}

/** Has makesmtpaccess compile the map. */
function linkRules(path: string): void {
  rmSync(RULES, { force: true });
  symlinkSync(path, RULES);
}

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-bench-'));
try {
  for (const type of types) {
    const cells: string[] = [];
    for (const size of SIZES) {
      const map = await openMap(specOf(type, `${type}-${size}`));
      // A network of 16 bits has not enough.
      for (const network of ['10.1', '10.3']) await map.commit(rows(network, size / 2, 1));
      cells.push(`1 row of ${size}: ${(await costOf(map, 1)).toFixed(1)} ms`);
      if (size === 10_000)
        cells.push(`1000 rows of ${size}: ${(await costOf(map, 1000)).toFixed(1)} ms`);
      await map.close();
    }
    process.stdout.write(`${type}:\t${cells.join('\t')}\n`);
  }
} finally {
  rmSync(directory, { recursive: true });
  if (types.includes('smtpaccess')) rmSync(RULES, { force: true });
}
