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
import { errnoOf } from '../errors.ts';
import type { OpenFile } from './follower.ts';
import { type FilePlace, type Identity, identityOf, isSameFile } from './place.ts';
import { indexOfPlace, type RotatedFile, rotatedFiles } from './rotated.ts';

export class LogFiles {
  readonly path: string;
  /** Rotated files that have been read, or are older than what has been. */
  #seen = new Set<string>();
  /** Those that cannot be read at all. */
  readonly #unreadable = new Set<string>();

  constructor(path: string) {
    this.path = path;
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
      return { fd, identity: identityOf(fstatSync(fd, { bigint: true })), complete: false };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  /** Rotated files older than the one given, newest first. */
  olderThan(file: Identity | null): RotatedFile[] {
    const files = rotatedFiles(this.path);
    return files
      .slice(indexOf(files, file) + 1)
      .filter(older => !this.#unreadable.has(keyOf(older)));
  }

  /** The oldest file that is newer than `place` and older than what is at the path. */
  after(place: FilePlace, atPath: Identity | null): RotatedFile | null {
    const files = this.olderThan(atPath);
    const index = indexOfPlace(files, place);
    return index < 0 ? this.#oldestUnseen(files) : (files[index - 1] ?? null);
  }

  /** The oldest file that was not there before, of those known to be older than the one given. */
  unseenBefore(file: Identity): RotatedFile | null {
    const atPath = this.atPath();
    const files = rotatedFiles(this.path);
    const hasName = (atPath !== null && isSameFile(atPath, file)) || indexOf(files, file) >= 0;
    return hasName ? this.#oldestUnseen(this.olderThan(file)) : null;
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

  /** The same of all that are older than the one given. */
  passOlderThan(file: Identity): void {
    this.#seen = new Set(this.olderThan(file).map(keyOf));
  }

  /** Leaves a file out that cannot be read. */
  giveUp(file: Identity): void {
    this.#unreadable.add(keyOf(file));
  }

  #oldestUnseen(files: readonly RotatedFile[]): RotatedFile | null {
    return files.findLast(file => !file.compressed && !this.#seen.has(keyOf(file))) ?? null;
  }
}

const keyOf = ({ dev, ino }: Identity): string => `${dev}:${ino}`;

const indexOf = (files: readonly RotatedFile[], file: Identity | null): number =>
  file === null ? -1 : files.findIndex(other => isSameFile(other, file));
