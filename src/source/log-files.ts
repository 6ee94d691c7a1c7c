/**
 * Which file of a log comes after which: the one at the path, and those that it was rotated to.
 *
 * Promises: after a file that is found among the rotated ones come those between it and the one at the path, from
 * the oldest on.  After one that is found nowhere (it was removed) come those that were not there before.
 * Leaves to others: reading them (follower.ts), and how far one was read before (retired-files.ts).
 * Known limit: of files that are compressed when first seen, only those newer than a file that is found are known
 * to be unread.
 */
import { fstatSync, openSync, statSync } from 'node:fs';
import { errnoOf, reasonOf } from '../base/errors.ts';
import { type Follower, type OpenFile, PlainFollower } from './follower.ts';
import { PackedFollower } from './packed-follower.ts';
import { type FilePlace, type Identity, identityOf, isSameFile } from './place.ts';
import {
  indexOfPlace,
  openFileOf,
  openRotated,
  type RotatedFile,
  rotatedFiles,
} from './rotated.ts';

/** Too much is open at the moment.  A damaged file, no permission: these last. */
const PASSING: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EINTR']);

export class LogFiles {
  readonly path: string;
  readonly #olddirs: readonly string[];
  readonly #failed: (reason: string) => void;
  /** Rotated files that have been read, or are older than what has been. */
  #seen = new Set<string>();
  /** Those that cannot be read at all. */
  readonly #unreadable = new Set<string>();

  /**
   * @param olddirs where it may have been rotated to (rotated.ts)
   * @param failed told why a rotated file cannot be read
   */
  constructor(path: string, olddirs: readonly string[], failed: (reason: string) => void) {
    this.path = path;
    this.#olddirs = olddirs;
    this.#failed = failed;
  }

  /** What is at the path now; null when nothing is. */
  atPath(): Identity | null {
    const status = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    return status === undefined ? null : identityOf(status);
  }

  /** @throws Error of open(2) other than ENOENT, and for what is no file */
  openPath(): OpenFile | null {
    const status = statSync(this.path, { throwIfNoEntry: false });
    if (status === undefined) return null;
    // A named pipe would not even open before somebody writes to it.
    if (!status.isFile()) throw new Error('it is not a regular file');
    try {
      const fd = openSync(this.path, 'r');
      return openFileOf(fd, fstatSync(fd, { bigint: true }), null);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  /** Rotated files older than the one given, newest first. */
  olderThan(file: Identity | null): RotatedFile[] {
    const files = this.#rotated();
    return files.slice(indexOf(files, file) + 1);
  }

  /**
   * Opens a rotated file for reading; one that cannot be read is told, and left out from then on.
   *
   * @returns null then, and when it was renamed or removed since it was listed: the list, made anew, tells
   * @throws Error when it may work the next time
   */
  open(file: RotatedFile): OpenFile | null {
    try {
      return openRotated(file);
    } catch (error) {
      if (PASSING.has(errnoOf(error) ?? '')) throw error;
      this.#unreadable.add(keyOf(file));
      this.#failed(`${file.path}: ${reasonOf(error)}`);
      return null;
    }
  }

  /**
   * Reads an open file from a position on; damage in a compressed one is told, and the files after it come next.
   *
   * @param path the file's name, for people
   */
  follow(file: OpenFile, path: string, position: number): Follower {
    const { packing } = file;
    if (packing === null) return new PlainFollower(file, position);
    return new PackedFollower(file, packing, position, reason =>
      this.#failed(`${path}: ${reason}`),
    );
  }

  /** The oldest file that is newer than `place` and older than what is at the path. */
  after(place: FilePlace, atPath: Identity | null): RotatedFile | null {
    const files = this.olderThan(atPath);
    const index = indexOfPlace(files, place);
    return index < 0 ? this.#oldestUnseen(files) : (files[index - 1] ?? null);
  }

  /** The oldest file that was not there before, of those known to be older than the one given. */
  unseenBefore(file: Identity): RotatedFile | null {
    const files = this.#rotated();
    const index = indexOf(files, file);
    const atPath = index < 0 ? this.atPath() : null;
    const hasName = index >= 0 || (atPath !== null && isSameFile(atPath, file));
    return hasName ? this.#oldestUnseen(files.slice(index + 1)) : null;
  }

  /** The rotated file to which the place belongs, of those older than the one given. */
  fileOf(place: FilePlace, before: Identity | null = null): RotatedFile | null {
    const files = this.olderThan(before);
    return files[indexOfPlace(files, place)] ?? null;
  }

  /** Nothing of the file has to be read again. */
  pass(file: Identity): void {
    this.#seen.add(keyOf(file));
  }

  /** The same of all that are there now. */
  passAll(): void {
    this.#seen = new Set(this.#rotated().map(keyOf));
  }

  /** The same of all that are older than the one given. */
  passOlderThan(file: Identity): void {
    this.#seen = new Set(this.olderThan(file).map(keyOf));
  }

  #rotated(): RotatedFile[] {
    const files = rotatedFiles(this.path, this.#olddirs);
    return files.filter(file => !this.#unreadable.has(keyOf(file)));
  }

  #oldestUnseen(files: readonly RotatedFile[]): RotatedFile | null {
    return files.findLast(file => file.packing === null && !this.#seen.has(keyOf(file))) ?? null;
  }
}

/** With the time of its making, since the inode of a file that was removed is soon another's. */
const keyOf = ({ dev, ino, born }: Identity): string => `${dev}:${ino}:${born}`;

const indexOf = (files: readonly RotatedFile[], file: Identity | null): number =>
  file === null ? -1 : files.findIndex(other => isSameFile(other, file));
