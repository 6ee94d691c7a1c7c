/**
 * What a file that we make beside a map needs, so that it stays, and nobody else comes near it.
 *
 * Promises: what lies beside a map can be read by its account only: whoever can read a file can hold a lock on it, and
 * what is noted there is nobody else's business.
 * Leaves to others: that root does not work in the directory of another account (map/privileges.ts); who may read
 * the map itself (map/map-mode.ts).
 */
import { type FileHandle, link, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';

/** The mode of every file beside a map. */
export const PRIVATE = 0o600;

/** Takes from others what earlier versions gave them; a file of another account stays as it is. */
export async function makePrivate(file: FileHandle): Promise<void> {
  const { mode, uid } = await file.stat();
  if ((mode & 0o777 & ~PRIVATE) !== 0 && uid === process.geteuid?.()) await file.chmod(PRIVATE);
}

/** Brings a new name to the disk; syncing the file does not (fsync(2)). */
export async function syncName(path: string): Promise<void> {
  const directory = await open(dirname(path));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Puts a file where there is none yet; one that is there stays. */
export async function placeIfMissing(fresh: string, path: string): Promise<void> {
  try {
    await link(fresh, path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** The pid of its process follows. */
const SCRATCH = '.popbsmtp-';

/** Removes the private directories beside a map that processes have left which were killed. */
export async function clearScratch(path: string): Promise<void> {
  const directory = dirname(path);
  for (const name of await readdir(directory)) {
    const pid = name.startsWith(SCRATCH) ? Number.parseInt(name.slice(SCRATCH.length), 10) : 0;
    if (pid > 0 && !isRunning(pid))
      await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Whether there is a process of this number, whosever it is. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}

/**
 * Gives a private directory beside a map, from which a file can be put in place by its name, and removes it afterwards.
 *
 * @throws Failure MAP_DIRECTORY; what `use` throws
 */
export async function withScratch<T>(
  path: string,
  use: (scratch: string) => Promise<T>,
): Promise<T> {
  const directory = dirname(path);
  const scratch = await mkdtemp(join(directory, `${SCRATCH}${process.pid}-`)).catch(error => {
    throw failure('MAP_DIRECTORY', { path, directory, reason: reasonOf(error) }, error);
  });
  try {
    return await use(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
