/**
 * Reads an `lmdb:` map as any account may: without LMDB, and without writing anything.
 *
 * Promises: the rows are those of one moment, since the file is read under the shared lock that
 * lmdb_table(5) demands; the lock is held while the file is read, not while it is looked through;
 * nothing is created or changed, so that root may look without leaving a file in the daemon's way.
 * Known limit: the whole file is read into memory (64 MB for a million rows).
 */
import { fstatSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf, Failure, failure, reasonOf } from '../base/errors.ts';
import { LmdbContent } from './lmdb-content.ts';
import { Damage } from './lmdb-meta.ts';
import { walk } from './lmdb-tree.ts';
import { lock } from './lock.ts';
import type { MapSpec, Row } from './map.ts';
import { mapPath } from './map-types.ts';
import { rowOf } from './row.ts';

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

interface Image {
  readonly bytes: Buffer;
  readonly inode: bigint;
}

async function readLocked(path: string): Promise<Image> {
  const file = await open(path);
  try {
    await lock(file.fd, 'shared');
    const { size, ino: inode } = fstatSync(file.fd, { bigint: true });
    const bytes = bytesOf(file.fd, Number(size));
    if (bytes.length === 0) throw failure('MAP_EMPTY', { path });
    return { bytes, inode };
  } finally {
    // The lock goes with the descriptor.
    await file.close();
  }
}

/** In one turn: a reader that waited for the pool of threads after each part would keep the lock many times as long. */
function bytesOf(fd: number, size: number): Buffer {
  const image = Buffer.allocUnsafeSlow(size);
  let length = 0;
  for (let count = -1; count !== 0 && length < image.length; length += count)
    count = readSync(fd, image, length, image.length - length, length);
  return image.subarray(0, length);
}

/**
 * The rows of a map, in the order of their keys.
 *
 * @throws Failure MAP_MISSING, MAP_UNREADABLE, MAP_NOT_FILE, MAP_EMPTY, MAP_FORMAT
 */
export async function readLmdbFile(spec: MapSpec): Promise<Row[]> {
  const path = mapPath(spec);
  const rows: Row[] = [];
  try {
    const { bytes } = await readLocked(path);
    walk(bytes, (key, keyEnd, value, valueEnd) => {
      rows.push(rowOf(bytes, key, keyEnd, value, valueEnd));
    });
  } catch (error) {
    throw readFailure(path, error);
  }
  return rows;
}

/**
 * What stands in a map, which is looked through as reading it does.
 *
 * @throws as `readLmdbFile` does
 */
export async function readContent(spec: MapSpec): Promise<LmdbContent> {
  const path = mapPath(spec);
  try {
    const { bytes, inode } = await readLocked(path);
    return new LmdbContent(bytes, inode);
  } catch (error) {
    throw readFailure(path, error);
  }
}
