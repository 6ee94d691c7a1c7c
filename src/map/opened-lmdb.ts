/**
 * The file of an `lmdb:` map, opened for writing.
 *
 * Promises: nothing is made that LMDB never gives back before the file is known to be sound and its lock free; LMDB opens it under
 * the lock; a file that cannot be opened is left as it was.
 * Leaves to others: the transactions (lmdb-map.ts).
 */
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf, Failure, failure, reasonOf } from '../base/errors.ts';
import type { FileIdentity } from '../state/file-identity.ts';
import { Durability } from './durability.ts';
import type { LmdbContent } from './lmdb-content.ts';
import { readContent } from './lmdb-file.ts';
import { type Lmdb, loadLmdb, openStore, provideMap, type Store } from './lmdb-store.ts';
import { lock } from './lock.ts';
import type { MapOptions, MapSpec } from './map.ts';
import { setMode } from './map-mode.ts';
import { mapPath } from './map-types.ts';

/** The failure that an error while writing comes to. */
export function writeFailure(path: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const reason = reasonOf(error);
  const refused = ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '');
  return failure(refused ? 'MAP_PERMISSION' : 'MAP_IO', { path, reason }, error);
}

/** A map that is open, with what belongs to this opening of it. */
export interface Opened {
  /** Our own descriptor of the file: for the lock, for its first pages, and for fdatasync. */
  readonly file: FileHandle;
  readonly identity: FileIdentity;
  readonly store: Store;
  readonly durability: Durability;
  /** What stood in it before it was opened; null once that was asked for. */
  content: LmdbContent | null;
}

/** Looks, before anything is made that LMDB never gives back, whether the lock can be had. */
async function requireFree(path: string): Promise<void> {
  const file = await openIfThere(path);
  try {
    if (file !== null) await lock(file.fd, 'exclusive');
  } finally {
    // The lock goes with the descriptor.
    await file?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r+');
  } catch {
    // Why it cannot be opened is told when it has to be.
    return null;
  }
}

async function openLocked(lmdb: Lmdb, path: string, file: FileHandle): Promise<Store> {
  const held = await lock(file.fd, 'exclusive');
  try {
    return openStore(lmdb, path);
  } finally {
    held.release();
  }
}

/**
 * Opens a map, and makes an empty one if there is none, or one of length 0.
 *
 * @throws Failure LMDB_MISSING, LMDB_BUILD, MAP_DIRECTORY, MAP_PERMISSION, MAP_UNREADABLE,
 *   MAP_NOT_FILE, MAP_FORMAT, MAP_LOCKED, MAP_IO; the map is then as it was
 */
export async function openFile(spec: MapSpec, { fresh, warn }: MapOptions): Promise<Opened> {
  const path = mapPath(spec);
  const lmdb = await loadLmdb();
  await requireFree(path);
  await provideMap(lmdb, spec, path, fresh === true);
  // LMDB would stop the program at what this finds.
  const content = await readContent(spec);
  try {
    const file = await open(path, 'r+');
    await setMode(file, spec, warn);
    const store = await openLocked(lmdb, path, file).catch(async error => {
      await file.close();
      throw error;
    });
    const durability = new Durability(
      () => file.datasync(),
      error => warn?.(writeFailure(path, error).line),
    );
    const identity = await file.stat({ bigint: true });
    return { file, identity, store, durability, content };
  } catch (error) {
    throw writeFailure(path, error);
  }
}

export async function closeFile({ file, store }: Opened): Promise<void> {
  await store.close();
  await file.close();
}
