/** Directories and maps of one test file, gone when its tests have ended. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { MapSpec } from '../../src/map/map.ts';

export async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'popbsmtp-map-'));
  after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A map in a directory of its own; it is not there yet. */
export const newSpec = async (type = 'lmdb'): Promise<MapSpec> => ({
  type,
  path: join(await directory(), 'map'),
});
