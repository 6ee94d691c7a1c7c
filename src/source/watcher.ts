/**
 * Reports that a log may have changed, as soon as the kernel says so.
 *
 * Watches the directories of the path and of the file that a symbolic link there names, so that a new file at
 * the path is seen as well as a line.  Promises: a directory that goes and comes back is watched again, and so
 * is one that could not be watched for a while; changes of other files in it are left alone.
 * Known limit: a file system may report nothing (NFS does not for another host's writes), so whoever
 * uses this also has to look now and then.
 */
import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

interface Watched {
  /** Device and inode: another directory of that name needs another watch. */
  readonly identity: string;
  readonly watcher: FSWatcher;
}

export class Watcher {
  readonly #path: string;
  readonly #changed: () => void;
  readonly #unwatched: (error: unknown) => void;
  readonly #watched = new Map<string, Watched>();
  #names: ReadonlySet<string> = new Set();

  /** @param unwatched told, at every `check`, that a directory cannot be watched (inotify has run out) */
  constructor(path: string, changed: () => void, unwatched: (error: unknown) => void) {
    this.#path = path;
    this.#changed = changed;
    this.#unwatched = unwatched;
  }

  /** Sees to it that the right directories are watched; to be called every now and then. */
  check(): void {
    const paths = [this.#path, ...this.#target()];
    this.#names = new Set(paths.map(path => basename(path)));
    const directories = new Set(paths.map(path => dirname(path)));
    for (const directory of this.#watched.keys())
      if (!directories.has(directory)) this.#drop(directory);
    for (const directory of directories) this.#see(directory);
  }

  close(): void {
    for (const directory of this.#watched.keys()) this.#drop(directory);
  }

  #target(): string[] {
    try {
      // `native`: the other one asks for each directory of the path.
      return [realpathSync.native(this.#path)];
    } catch {
      // Nothing there at the moment, which the source itself finds and tells.
      return [];
    }
  }

  #see(directory: string): void {
    try {
      const identity = identityOf(directory);
      if (this.#watched.get(directory)?.identity === identity) return;
      this.#drop(directory);
      if (identity === null) return;
      const watcher = watch(directory, (_, name) => {
        if (name === null || this.#names.has(name)) this.#changed();
      });
      watcher.on('error', error => {
        this.#drop(directory);
        this.#unwatched(error);
      });
      this.#watched.set(directory, { identity, watcher });
    } catch (error) {
      this.#unwatched(error);
    }
  }

  #drop(directory: string): void {
    this.#watched.get(directory)?.watcher.close();
    this.#watched.delete(directory);
  }
}

function identityOf(directory: string): string | null {
  const status = statSync(directory, { bigint: true, throwIfNoEntry: false });
  return status === undefined ? null : `${status.dev}:${status.ino}`;
}
