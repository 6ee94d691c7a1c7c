/**
 * Directories in which files come and go: whether a name in one of them has changed, as soon as the kernel says so, or when asked.
 *
 * Promises: one that is missing is found when it is made, also where those above it are missing; one that was replaced is
 * watched anew.  What is written to files in them is no change.
 * Known limit: a file system may report nothing (NFS), so whoever uses this also asks now and then.
 */
import { type BigIntStats, type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Within the time of the kernel's clock for files, another change leaves the same stamp, in nanoseconds. */
const FRESH_NS = 2_000_000_000n;

interface Watched {
  readonly inode: bigint;
  readonly watcher: FSWatcher;
}

export class WatchedDirectories {
  readonly #changed: () => void;
  readonly #unwatched: (directory: string, error: unknown) => void;
  /** When each had last been changed, as of the last `watch`. */
  #seen = new Map<string, bigint | null>();
  readonly #watched = new Map<string, Watched>();

  /** @param unwatched told of a directory that cannot be watched (inotify has run out) */
  constructor(changed: () => void, unwatched: (directory: string, error: unknown) => void) {
    this.#changed = changed;
    this.#unwatched = unwatched;
  }

  /** Watches these, and no others; what was in them before counts as seen. */
  watch(directories: readonly string[]): void {
    this.#seen = new Map();
    for (const directory of new Set(directories.flatMap(withMissing))) {
      const status = statOf(directory);
      this.#seen.set(directory, changedAt(status));
      const inode = status?.ino ?? null;
      const watched = this.#watched.get(directory);
      if (watched !== undefined && watched.inode !== inode) this.#drop(directory);
      if (inode !== null && !this.#watched.has(directory)) this.#begin(directory, inode);
    }
    for (const directory of this.#watched.keys())
      if (!this.#seen.has(directory)) this.#drop(directory);
  }

  /** Whether one of them has changed since `watch`, or so lately that it cannot be told. */
  isChanged(): boolean {
    const freshest = BigInt(Date.now()) * 1_000_000n - FRESH_NS;
    for (const [directory, changed] of this.#seen) {
      const now = changedAt(statOf(directory));
      if (now !== changed || (now !== null && now > freshest)) return true;
    }
    return false;
  }

  close(): void {
    for (const directory of this.#watched.keys()) this.#drop(directory);
  }

  #begin(directory: string, inode: bigint): void {
    const failed = (error: unknown): void => {
      this.#drop(directory);
      this.#unwatched(directory, error);
    };
    try {
      // What is written to files there changes none of the names.
      const watcher = watch(directory, event => {
        if (event === 'rename') this.#changed();
      });
      watcher.on('error', failed);
      this.#watched.set(directory, { inode, watcher });
    } catch (error) {
      failed(error);
    }
  }

  #drop(directory: string): void {
    this.#watched.get(directory)?.watcher.close();
    this.#watched.delete(directory);
  }
}

function statOf(directory: string): BigIntStats | null {
  try {
    return statSync(directory, { bigint: true });
  } catch {
    // Not there yet, or closed to us.
    return null;
  }
}

/** A directory, and where it is missing, those above it up to one that is there, in which it will be made. */
function withMissing(directory: string): string[] {
  const above = dirname(directory);
  const isThere = above === directory || statOf(directory) !== null;
  return isThere ? [directory] : [directory, ...withMissing(above)];
}

const changedAt = (status: BigIntStats | null): bigint | null => status?.mtimeNs ?? null;
