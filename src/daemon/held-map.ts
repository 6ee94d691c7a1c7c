/**
 * The map of a daemon, from claiming it to giving it back.
 *
 * Promises: only one daemon holds a map; a file that a power failure may have torn is never read, but replaced
 * by a fresh one; a dry run reads the map and touches neither it nor the files beside it.
 */
import { Failure } from '../errors.ts';
import type { LookupMap, MapSpec, Row } from '../map/map.ts';
import { formatMapSpec, openMap, readRows } from '../map/map-types.ts';
import { MemoryMap } from '../map/memory-map.ts';
import { claim, type Owner } from '../map/owner.ts';

export interface HeldMap {
  readonly map: LookupMap;
  /** Makes durable what was written, and gives the map back. */
  close(): Promise<void>;
}

/**
 * @param dryRun for a map in memory with the rows of the real one
 * @param warn told what the administrator should know
 * @throws Failure of the map
 */
export function holdMap(
  spec: MapSpec,
  dryRun: boolean,
  warn: (text: string) => void,
): Promise<HeldMap> {
  return dryRun ? holdCopy(spec) : holdReal(spec, warn);
}

async function holdReal(spec: MapSpec, warn: (text: string) => void): Promise<HeldMap> {
  const owner = await claim(spec);
  try {
    if (!owner.trusted) {
      warn(
        `the machine went down while ${formatMapSpec(spec)} was in use, so it may be damaged; ` +
          'made a new one, which is filled from the log (rows of your own have to be added again)',
      );
    }
    const map = await openMap(spec, { fresh: !owner.trusted, warn });
    if (!owner.trusted) await owner.trust();
    return { map, close: () => giveBack(map, owner) };
  } catch (error) {
    await owner.release({ clean: false });
    throw error;
  }
}

async function giveBack(map: LookupMap, owner: Owner): Promise<void> {
  try {
    await map.close();
  } catch (error) {
    await owner.release({ clean: false });
    throw error;
  }
  await owner.release({ clean: true });
}

async function holdCopy(spec: MapSpec): Promise<HeldMap> {
  const map = new MemoryMap(spec, await rowsOrNone(spec));
  return { map, close: () => map.close() };
}

async function rowsOrNone(spec: MapSpec): Promise<Row[]> {
  try {
    return await readRows(spec);
  } catch (error) {
    if (error instanceof Failure && error.code === 'MAP_MISSING') return [];
    throw error;
  }
}
