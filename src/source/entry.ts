/**
 * Where a source enters its log: the file and the byte from which it reads.
 *
 * That is the place where an earlier one has got to, if it still exists; otherwise where the start position says,
 * which may reach back into files that were rotated away.
 */
import { closeSync, fstatSync } from 'node:fs';
import type { Follower, OpenFile } from './follower.ts';
import type { LogFiles } from './log-files.ts';
import {
  FINGERPRINT_BYTES,
  type FilePlace,
  isFingerprintOf,
  isSameFile,
  isSamePlace,
  type Place,
  readHead,
} from './place.ts';
import type { StartPosition } from './start.ts';

export interface Entry {
  readonly follower: Follower;
  /** Files rotated away before it, to which a writer may still add; oldest first. */
  readonly older: readonly Follower[];
  /** The name of the file, for people. */
  readonly path: string;
  readonly position: number;
  /** The place was given, and is no more. */
  readonly lost: boolean;
}

/**
 * @param signal ends the search
 * @returns null while there is no file to enter
 * @throws Error of open(2), read(2), and when the search was ended
 */
export async function findEntry(
  files: LogFiles,
  startAt: StartPosition,
  place: Place | null,
  signal: AbortSignal,
): Promise<Entry | null> {
  const older: Follower[] = [];
  let entry: Entry | null = null;
  try {
    for (const past of place?.older ?? []) {
      const found = enterAt(files, past);
      if (found !== null) older.push(found.follower);
    }
    const found = place && enterAt(files, place);
    const chosen = found ?? (await enterByStart(files, startAt, signal));
    entry = chosen && withOlder(chosen, older, place !== null && found === null);
  } finally {
    if (entry === null) for (const follower of older) follower.close();
  }
  return entry;
}

type Found = Pick<Entry, 'follower' | 'path' | 'position'>;

function enterAt(files: LogFiles, place: FilePlace): Found | null {
  const found = openPlace(files, place);
  if (found === null) return null;
  const { file, path } = found;
  const { position } = place;
  return { follower: files.follow(file, path, position), path, position };
}

/** One that is among the older files is read on where it was left, and not twice. */
function withOlder(found: Found, older: readonly Follower[], lost: boolean): Entry {
  const { identity } = found.follower;
  const held = older.find(follower => isSameFile(follower.identity, identity));
  if (held === undefined) return { ...found, older, lost };
  found.follower.close();
  const others = older.filter(follower => follower !== held);
  return { ...found, follower: held, position: held.place.position, older: others, lost };
}

/** Opens the file to which the place belongs: the one at the path, or a rotated one. */
function openPlace(files: LogFiles, place: FilePlace): { file: OpenFile; path: string } | null {
  // Before it is opened: what comes to be after this has not been read.
  files.passAll();
  const opened = files.openPath();
  if (opened !== null && keepIf(opened, belongs(place))) return { file: opened, path: files.path };
  for (let rotated = files.fileOf(place); rotated !== null; rotated = files.fileOf(place)) {
    const file = files.open(rotated);
    if (file === null) continue;
    passUpTo(files, file);
    return { file, path: rotated.path };
  }
  return null;
}

function passUpTo(files: LogFiles, { identity }: OpenFile): void {
  files.passOlderThan(identity);
  files.pass(identity);
}

/** Closes a file unless it is the one that is wanted. */
function keepIf(file: OpenFile, wanted: (file: OpenFile) => boolean): boolean {
  let keep = false;
  try {
    keep = wanted(file);
  } finally {
    if (!keep) closeSync(file.fd);
  }
  return keep;
}

const belongs =
  (place: FilePlace) =>
  ({ fd, identity }: OpenFile): boolean => {
    if (!isFingerprintOf(place.fingerprint, readHead(fd, FINGERPRINT_BYTES))) return false;
    if (isSamePlace(identity, place)) return true;
    return place.position > 0 && place.position <= fstatSync(fd).size;
  };

/** Goes back through the rotated files to the one in which the start lies, or to the oldest that can be read. */
async function enterByStart(
  files: LogFiles,
  startAt: StartPosition,
  signal: AbortSignal,
): Promise<Found | null> {
  files.passAll();
  const opened = files.openPath();
  if (opened === null) return null;
  let { file, path } = { file: opened, path: files.path };
  try {
    let start = await startAt(file, signal);
    while (start === null) {
      // Listed anew each time, since a rotation may be under way.
      const older = files.olderThan(file.identity)[0];
      if (older === undefined) break;
      const next = files.open(older);
      if (next === null) continue;
      closeSync(file.fd);
      ({ file, path } = { file: next, path: older.path });
      start = await startAt(file, signal);
    }
    signal.throwIfAborted();
    if (file !== opened) passUpTo(files, file);
    return { follower: files.follow(file, path, start ?? 0), path, position: start ?? 0 };
  } catch (error) {
    closeSync(file.fd);
    throw error;
  }
}
