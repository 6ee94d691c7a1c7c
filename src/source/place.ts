/**
 * How far a log has been read, in a form that outlives the process: which file, and which byte.
 *
 * A file is told by its device and inode and by its first bytes.  The inode alone is given to another file
 * as soon as the first is removed, and stays the same when a file is emptied and filled again; the first
 * bytes alone are also those of a copy, which is how the copy is found.
 * Promises: plain data that JSON carries; `parsePlace` takes nothing that is not one.
 * Known limit: two files whose first 1,024 bytes are equal pass for copies of each other, which lines with
 * time stamps never are.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, readSync } from 'node:fs';

/** The first bytes that a file is told by, when it has as many. */
export const FINGERPRINT_BYTES = 1024;

export interface Fingerprint {
  /** How many of the first bytes it is of; fewer than wanted when no more had been read. */
  readonly bytes: number;
  /** SHA-256 of them, in hexadecimal. */
  readonly hash: string;
}

export interface Identity {
  /** Decimal: an inode number may need more digits than a JSON number keeps. */
  readonly dev: string;
  readonly ino: string;
  /** When it was made, in nanoseconds since 1970, by statx(2); 0 where the file system does not keep that. */
  readonly born: string;
}

export interface FilePlace extends Identity {
  readonly fingerprint: Fingerprint;
  /** The byte behind the last complete line that has been dealt with. */
  readonly position: number;
}

export interface Place extends FilePlace {
  /** Files rotated away to which a writer may still add, oldest first. */
  readonly older: readonly FilePlace[];
}

/** Of files that exist at the same time. */
export const isSameFile = (a: Identity, b: Identity): boolean => a.dev === b.dev && a.ino === b.ino;

/** Also across time, when the first bytes agree; without any, the inode may have become another file's. */
export const isSamePlace = (file: Identity, place: FilePlace): boolean =>
  isSameFile(file, place) && (place.fingerprint.bytes > 0 || file.born === place.born);

export const identityOf = ({ dev, ino, birthtimeNs }: BigIntStats): Identity => ({
  dev: String(dev),
  ino: String(ino),
  born: String(birthtimeNs),
});

export const fingerprintOf = (bytes: Buffer): Fingerprint => ({
  bytes: bytes.length,
  hash: createHash('sha256').update(bytes).digest('hex'),
});

/** @param head the first bytes of a file, as many as it has or more than the fingerprint is of */
export function isFingerprintOf({ bytes, hash }: Fingerprint, head: Buffer): boolean {
  return head.length >= bytes && fingerprintOf(head.subarray(0, bytes)).hash === hash;
}

/** @returns the first bytes of an open file, or all when it has fewer */
export function readHead(fd: number, bytes: number): Buffer {
  const head = Buffer.allocUnsafe(bytes);
  return head.subarray(0, readSync(fd, head, 0, bytes, 0));
}

/** @param value what JSON.parse made of a saved place */
export function parsePlace(value: unknown): Place | null {
  const place = parseFilePlace(value);
  if (place === null || !isObject(value) || !Array.isArray(value['older'])) return null;
  const older = value['older'].map(parseFilePlace).filter(file => file !== null);
  return older.length === value['older'].length ? { ...place, older } : null;
}

function parseFilePlace(value: unknown): FilePlace | null {
  if (!isObject(value) || !isObject(value['fingerprint'])) return null;
  const { dev, ino, born, position } = value;
  const { bytes, hash } = value['fingerprint'];
  if (!isText(dev) || !isText(ino) || !isText(born) || !isText(hash)) return null;
  if (!isCount(position) || !isCount(bytes) || bytes > FINGERPRINT_BYTES) return null;
  return { dev, ino, born, position, fingerprint: { bytes, hash } };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isText = (value: unknown): value is string => typeof value === 'string';

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
