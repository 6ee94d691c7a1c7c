/**
 * The map of a daemon, from claiming it to giving it back.
 *
 * Promises: only one daemon holds a map; a file that a power failure may have torn is never read, but replaced
 * by a fresh one; a dry run reads the map and touches neither it nor the files beside it.
 */
import { Failure } from '../base/errors.ts';
import { meetMirror } from './first-contact.ts';
import type { LookupMap, MapSpec, Row } from './map.ts';
import { cautionOf, formatMapSpec, isInPlace, openMap, readRows } from './map-types.ts';
import { MemoryMap } from './memory-map.ts';
import { type HeldMap, Mirror } from './mirror.ts';
import { MirroredMap } from './mirrored-map.ts';
import { claim, type Owner } from './owner.ts';

export type { HeldMap } from './mirror.ts';

type Warn = (text: string) => void;

/**
 * @param dryRun for a map in memory with the rows of the real one
 * @param warn told what the administrator should know
 * @param mirrors the maps that follow this one; a dry run leaves them alone
 * @throws Failure of the map; what is wrong with a mirror is told to `warn`
 */
export async function holdMap(
  spec: MapSpec,
  dryRun: boolean,
  warn: Warn,
  mirrors: readonly MapSpec[] = [],
): Promise<HeldMap> {
  if (dryRun) return holdCopy(spec);
  const held = await holdReal(spec, warn);
  const caution = cautionOf(spec);
  if (caution !== null) warn(`${formatMapSpec(spec)}: ${caution}`);
  return mirrors.length === 0 ? held : withMirrors(held, mirrors, warn);
}

function withMirrors(first: HeldMap, mirrors: readonly MapSpec[], warn: Warn): HeldMap {
  const following = mirrors.map(
    spec =>
      new Mirror({
        name: formatMapSpec(spec),
        open: () => holdMirror(spec, warn),
        rows: () => first.map.rows(),
        warn,
      }),
  );
  return {
    ...first,
    map: new MirroredMap(first.map, following),
    close: async () => {
      await Promise.all(following.map(mirror => mirror.close()));
      await first.close();
    },
    troubles: () =>
      mirrors.flatMap((spec, index) => {
        const failure = following[index]?.trouble ?? null;
        return failure === null ? [] : [{ spec, failure }];
      }),
  };
}

async function holdMirror(spec: MapSpec, warn: Warn): Promise<HeldMap> {
  const held = await holdReal(spec, warn);
  try {
    await meetMirror(held, warn);
    return held;
  } catch (error) {
    await held.close();
    throw error;
  }
}

async function holdReal(spec: MapSpec, warn: Warn): Promise<HeldMap> {
  const owner = await claim(spec);
  try {
    const torn = !owner.trusted && isInPlace(spec);
    if (torn) {
      warn(
        `the machine went down while ${formatMapSpec(spec)} was in use, so it may be damaged; ` +
          'made a new one, which is filled from the log (rows of your own have to be added again)',
      );
    }
    const map = await openMap(spec, { fresh: torn, warn });
    if (!owner.trusted) await owner.trust();
    return { map, owner, close: () => giveBack(map, owner) };
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
    if (error instanceof Failure && ['MAP_MISSING', 'MAP_EMPTY'].includes(error.code)) return [];
    throw error;
  }
}
