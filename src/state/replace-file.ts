/**
 * A file that is replaced by its whole new text: written to a new file beside it, `.new`, that is renamed over the old one.
 *
 * Promises: it is whole at any moment; what somebody has put in the way decides neither its mode nor, by a link, its
 * place.  An error leaves the old file as it was.
 * Leaves to others: that one process writes at a time, and what an error is called.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { syncName } from './new-file.ts';

const freshOf = (path: string): string => `${path}.new`;

/** Not brought to the disk: after a power failure it may be the old one, or empty. */
export function replaceFile(path: string, text: string, mode: number): void {
  const fresh = freshOf(path);
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { mode, flag: 'wx' });
  renameSync(fresh, path);
}

/** Resolves when it is on the disk, whole also after a power failure; nothing waits for the disk but the caller. */
export async function replaceFileDurably(path: string, text: string, mode: number): Promise<void> {
  const fresh = freshOf(path);
  await rm(fresh, { force: true });
  const file = await open(fresh, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  await syncName(path);
}
