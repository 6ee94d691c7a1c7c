/**
 * Reads an `lmdb:` map as any account may: without LMDB, and without writing anything.
 *
 * Promises: the rows are those of one moment, since the file is read under the shared lock that
 * lmdb_table(5) demands; the lock is held while the file is read, not while it is looked through;
 * nothing is created or changed, so that root may look without leaving a file in the daemon's way.
 * Known limit: the whole file is read into memory (64 MB for a million rows).
 */
import { open } from 'node:fs/promises';
import { errnoOf, Failure, failure, reasonOf } from '../base/errors.ts';
import type { Grant } from '../grant/grant-table.ts';
import { Damage } from './lmdb-meta.ts';
import { type Visit, walk } from './lmdb-tree.ts';
import { lock } from './lock.ts';
import type { MapSpec, Row } from './map.ts';
import { mapPath } from './map-types.ts';
import { quickGrant } from './quick-row.ts';
import { grantOf, rowOf } from './row.ts';

const FORMAT = 'LMDB file of data format 1, the only one that Postfix reads';

/** The failure that an error while reading comes to. */
function readFailure(path: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Damage) {
    return failure('MAP_FORMAT', { path, format: FORMAT, found: error.message }, error);
  }
  if (errnoOf(error) === 'ENOENT') return failure('MAP_MISSING', { path }, error);
  if (errnoOf(error) === 'EISDIR') return failure('MAP_NOT_FILE', { path }, error);
  return failure('MAP_UNREADABLE', { path, reason: reasonOf(error) }, error);
}

async function readLocked(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    await lock(file.fd, 'shared');
    const image = await file.readFile();
    if (image.length === 0) throw failure('MAP_EMPTY', { path });
    return image;
  } finally {
    // The lock goes with the descriptor.
    await file.close();
  }
}

/** @param visitor what is to be told of the entries of a file */
async function visitFile(path: string, visitor: (image: Buffer) => Visit): Promise<void> {
  try {
    const image = await readLocked(path);
    walk(image, visitor(image));
  } catch (error) {
    throw readFailure(path, error);
  }
}

/**
 * The rows of a map, in the order of their keys.
 *
 * @throws Failure MAP_MISSING, MAP_UNREADABLE, MAP_NOT_FILE, MAP_EMPTY, MAP_FORMAT
 */
export async function readLmdbFile(spec: MapSpec): Promise<Row[]> {
  const rows: Row[] = [];
  await visitFile(mapPath(spec), image => (key, keyEnd, value, valueEnd) => {
    rows.push(rowOf(image, key, keyEnd, value, valueEnd));
  });
  return rows;
}

/**
 * The grants in a map, in the order of their keys.
 *
 * @throws as `readLmdbFile` does
 */
export const eachGrantIn = (
  spec: MapSpec,
  take: (grant: Grant) => void,
  other?: (row: Row) => void,
): Promise<void> =>
  visitFile(mapPath(spec), image => (key, keyEnd, value, valueEnd) => {
    const quick = quickGrant(image, key, keyEnd, value, valueEnd);
    if (quick !== null) {
      take(quick);
      return;
    }
    const row = rowOf(image, key, keyEnd, value, valueEnd);
    const grant = grantOf(row);
    if (grant === null) other?.(row);
    else take(grant);
  });

/**
 * Looks through a map as reading it does.
 *
 * @throws as `readLmdbFile` does
 */
export const checkLmdbFile = (spec: MapSpec): Promise<void> =>
  visitFile(mapPath(spec), () => () => undefined);
