/**
 * What a file that we make beside a map needs, so that others can use it and it stays.
 *
 * Promises: it is 0644 whatever the umask, since Postfix and `popbsmtp list` must read it, unless it is a secret; made by
 * root in a directory of the daemon's account, it becomes that account's, so that a command run as
 * root leaves nothing behind that the daemon could not write.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

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
