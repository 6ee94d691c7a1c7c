/**
 * What a file that we make beside a map needs, so that others can use it and it stays.
 *
 * Promises: it is 0644 whatever the umask, since Postfix and `popbsmtp list` must read it, unless it is a secret; made by
 * root in a directory of the daemon's account, it becomes that account's, so that a command run as
 * root leaves nothing behind that the daemon could not write.
 */
import { type FileHandle, link, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';

/**
 * @param file made by us a moment ago, in the directory of `path`
 * @param mode who may read it
 */
export async function adopt(file: FileHandle, path: string, mode = 0o644): Promise<void> {
  await file.chmod(mode);
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = await stat(dirname(path));
  await file.chown(uid, gid);
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

function isRunning(pid: number): boolean {
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
