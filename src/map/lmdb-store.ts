/**
 * The npm package `lmdb`, tamed: the only file that loads it.
 *
 * Postfix reads LMDB data format 1 and does not take part in LMDB's own locking.  An addon that fits
 * is compiled at installation (src/packaging/lmdb/lmdb-addon.mjs); a wrong one would make Postfix defer all
 * mail, so its work is looked at here before it may touch a map.
 *
 * Promises: nothing but an addon that was seen to write format 1 without a lock file is used; an
 * empty map appears whole or not at all.
 * Known limit: the package never really closes a file of format 1 (EnvWrap::closeEnv, 3.5.6), which
 * costs two descriptors and address space for each opening until the process ends; so the daemon opens
 * its map once, and the trial file as well.
 */
import { constants, existsSync, statSync } from 'node:fs';
import { open as openFile, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type * as Package from 'lmdb';
import { Failure, failure, reasonOf } from '../base/errors.ts';
import { packageRoot } from '../base/package.ts';
import { placeIfMissing, syncName, withScratch } from '../state/new-file.ts';
import { readMeta } from './lmdb-meta.ts';
import { lock } from './lock.ts';
import type { MapSpec } from './map.ts';
import { modeOf } from './map-mode.ts';

export type Lmdb = typeof Package;

/** A main database with keys and values as they are in the file. */
export type Store = Package.RootDatabase<Buffer, Buffer>;

/**
 * More than the rows of any daemon can fill (64 MB hold a million), since the build for format 1 does
 * not grow its map inside a transaction.  It costs address space, not memory.
 */
export const MAP_BYTES = 2 ** 31;

const INSTALLATION = packageRoot();

let loaded: Lmdb | null = null;

/** @throws Failure LMDB_MISSING */
export async function loadLmdb(): Promise<Lmdb> {
  try {
    if (loaded === null) {
      loaded = await import('lmdb');
      keepFromPrinting();
    }
    return loaded;
  } catch (error) {
    const parameters = { reason: reasonOf(error), directory: INSTALLATION };
    throw failure('LMDB_MISSING', parameters, error);
  }
}

/**
 * The package prints the stack of a commit that has failed in its thread, besides telling it to whoever asked for the commit (write.js,
 * startWriting, 3.5.6): that would be a stack in the log for each try.  Its errors have their number as `code`; all else is printed.
 */
function keepFromPrinting(): void {
  const { console } = globalThis;
  const print = console.error;
  console.error = (...values: unknown[]): void => {
    const [error] = values;
    if (error instanceof Error && 'code' in error && typeof error.code === 'number') return;
    print(...values);
  };
}

/**
 * Opens a file, or makes it.  An existing one must be known to be sound: LMDB may stop the program at
 * a damaged page.
 */
export function openStore(lmdb: Lmdb, path: string): Store {
  return lmdb.open<Buffer, Buffer>({
    path,
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize: MAP_BYTES,
    maxDbs: 1,
    // The disk is asked outside the lock (durability.ts).
    noSync: true,
  });
}

/** @throws Failure LMDB_BUILD */
function requireFormat(fresh: string, header: Buffer): void {
  const wrong = (found: string): Failure =>
    failure('LMDB_BUILD', { found, directory: INSTALLATION });
  try {
    readMeta(header);
  } catch (error) {
    throw wrong(`in a file that it makes, ${reasonOf(error)}`);
  }
  if (existsSync(`${fresh}-lock`)) throw wrong("it uses LMDB's own lock file");
}

/** Puts a file where a map is to be: over the old one, or only if there is none, or one without a byte. */
async function place(fresh: string, path: string, replace: boolean): Promise<void> {
  if (replace) {
    await rename(fresh, path);
    return;
  }
  await placeIfMissing(fresh, path);
  await fillIfEmpty(fresh, path);
}

/**
 * Makes a map of a file of length 0, as `postmap -i` does (seen with Postfix 3.7 and 3.11; smtpd cannot read it), under
 * the lock: somebody else may be about to do the same.
 */
async function fillIfEmpty(fresh: string, path: string): Promise<void> {
  // Which can be no map either way is told when it is read.
  if (statSync(path, { throwIfNoEntry: false })?.size !== 0) return;
  const file = await openFile(path, 'r+');
  try {
    await lock(file.fd, 'exclusive');
    if ((await file.stat()).size !== 0) return;
    await file.writeFile(await readFile(fresh));
    await file.sync();
  } finally {
    // The lock goes with the descriptor.
    await file.close();
  }
}

/** Lets LMDB make an empty file, looks at it, and puts it in place. */
async function makeMap(
  lmdb: Lmdb,
  spec: MapSpec,
  scratch: string,
  path: string,
  replace: boolean,
): Promise<void> {
  const fresh = join(scratch, 'fresh.lmdb');
  await openStore(lmdb, fresh).close();
  const file = await openFile(fresh, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    requireFormat(fresh, await file.readFile());
    // Whatever the umask.
    await file.chmod(modeOf(spec));
    await file.sync();
  } finally {
    await file.close();
  }
  await place(fresh, path, replace);
  await syncName(path);
}

/**
 * Proves the addon with a fresh file, and makes that the map if there is none yet.
 *
 * @param replace puts it in place of a map that is there, by renaming
 * @throws Failure LMDB_BUILD with the map as it was; MAP_DIRECTORY
 */
export async function provideMap(
  lmdb: Lmdb,
  spec: MapSpec,
  path: string,
  replace: boolean,
): Promise<void> {
  const directory = dirname(path);
  const refuse = (error: unknown): Failure =>
    failure('MAP_DIRECTORY', { path, directory, reason: reasonOf(error) }, error);
  try {
    await withScratch(path, scratch => makeMap(lmdb, spec, scratch, path, replace));
  } catch (error) {
    throw error instanceof Failure ? error : refuse(error);
  }
}
