/**
 * Whole-file locks that exclude Postfix's own.
 *
 * lmdb_table(5) asks for fcntl locks around each LMDB transaction.  Classic ones are dropped as soon
 * as any descriptor of the file is closed in the process, so these are Linux's open-file-description
 * locks (fcntl(2), F_OFD_SETLK), which conflict with the classic ones of other processes.
 *
 * Promises: waiting for a lock does not block the event loop; the kernel drops a lock when the
 * descriptor is closed, also by kill -9.  A second lock on the same descriptor replaces the first.
 * Known limits: whoever may read a file may hold a shared lock on it and so keep writers waiting, as
 * with every Postfix map; a wait cannot be given up and occupies one thread of libuv's pool.
 */
import type * as Addon from 'fs-native-extensions';
import { failure, reasonOf } from '../base/errors.ts';

export type LockKind = 'shared' | 'exclusive';

/** A lock that is held. */
export interface Lock {
  release(): void;
}

let loaded: typeof Addon | null = null;

/**
 * Loaded when first needed: the commands that touch no file run where the addon does not.  Only once, since even
 * an import that has been made takes a tenth of a commit.
 */
async function load(): Promise<typeof Addon> {
  try {
    loaded ??= await import('fs-native-extensions');
    return loaded;
  } catch (error) {
    throw failure('LOCK_MISSING', { reason: reasonOf(error) }, error);
  }
}

/**
 * Takes a lock if nobody is in the way.
 *
 * @param fd open for reading (shared) or for writing (exclusive)
 * @returns the lock, or null if another holds one that conflicts
 * @throws Failure LOCK_MISSING; a system error such as ENOLCK
 */
export async function tryLock(fd: number, kind: LockKind): Promise<Lock | null> {
  const addon = await load();
  const granted = addon.tryLock(fd, 0, 0, { shared: kind === 'shared' });
  return granted ? { release: () => addon.unlock(fd) } : null;
}

/**
 * Takes a lock as soon as nobody is in the way.
 *
 * @throws as `tryLock` does
 */
export async function lock(fd: number, kind: LockKind): Promise<Lock> {
  const taken = await tryLock(fd, kind);
  if (taken !== null) return taken;
  const addon = await load();
  await addon.waitForLock(fd, 0, 0, { shared: kind === 'shared' });
  return { release: () => addon.unlock(fd) };
}
