/**
 * Whole-file locks that exclude Postfix's own.
 *
 * lmdb_table(5) asks for fcntl locks around each LMDB transaction.  Classic ones are dropped as soon
 * as any descriptor of the file is closed in the process, so these are Linux's open-file-description
 * locks (fcntl(2), F_OFD_SETLK), which conflict with the classic ones of other processes.
 *
 * Promises: waiting for a lock does not block the event loop, and ends after PATIENCE_MS; the kernel drops a
 * lock when the descriptor is closed, also by kill -9.  A second lock on the same descriptor replaces the first.
 * Why the wait is a loop and not fcntl's own: that one cannot be given up, so that a program which never lets go
 * would keep a stop, a purge and the watchdog waiting as well.
 * Known limits: whoever may read a file may hold a shared lock on it and so keep writers out, as with every
 * Postfix map, so readers are to be few (state/new-file.ts); among many readers there is no turn that one waits for.
 */
import { fstatSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type Addon from 'fs-native-extensions';
import { failure, reasonOf } from '../base/errors.ts';
import { locksOn, whoHolds } from './lock-holder.ts';

export type LockKind = 'shared' | 'exclusive';

/** A lock that is held. */
export interface Lock {
  release(): void;
}

/** Postfix holds a lock for microseconds. */
const PATIENCE_MS = 2000;
/** Attempts without a pause between them, which Postfix's own lookups are over in. */
const EAGER = 20;
const PAUSE_MS = 1;

let loaded: typeof Addon | null = null;

/**
 * Loaded when first needed: the commands that touch no file run where the addon does not.  Only once, since even
 * an import that has been made takes a tenth of a commit.
 */
async function load(): Promise<typeof Addon> {
  try {
    loaded ??= (await import('fs-native-extensions')).default;
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
 * @throws as `tryLock` does; Failure MAP_LOCKED when others are in the way for too long
 */
export async function lock(
  fd: number,
  kind: LockKind,
  patienceMs: number = PATIENCE_MS,
): Promise<Lock> {
  const taken = await lockWithin(fd, kind, patienceMs);
  if (taken !== null) return taken;
  const path = readlinkSync(`/proc/self/fd/${fd}`);
  throw failure('MAP_LOCKED', { path, holder: holderOf(fd), seconds: patienceMs / 1000 });
}

/**
 * Takes a lock as soon as nobody is in the way.
 *
 * @returns null when others are for too long
 * @throws as `tryLock` does
 */
export async function lockWithin(
  fd: number,
  kind: LockKind,
  patienceMs: number,
): Promise<Lock | null> {
  const start = performance.now();
  for (let attempt = 0; ; attempt++) {
    const taken = await tryLock(fd, kind);
    if (taken !== null) return taken;
    if (performance.now() - start > patienceMs) return null;
    if (attempt < EAGER) await nextTurn();
    else await sleep(PAUSE_MS);
  }
}

/** Who is in the way of a lock. */
export const holderOf = (fd: number): string => whoHolds(locksOn(fstatSync(fd, { bigint: true })));
