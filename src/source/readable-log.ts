/**
 * Opens logs for reading, and tells why one is none: a directory, a file of another kind, one that cannot be unpacked.
 *
 * Promises: what is wrong is told in one line, with the cure; a descriptor stays open only if it is handed out.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { errnoOf, Failure, failure, reasonOf } from '../base/errors.ts';
import { isBinary, TEXT_HEAD } from './binary.ts';
import { headOf, MAGIC_BYTES, type Packing, packingOfHead, unpacked } from './packing.ts';
import { readHead } from './place.ts';
import type { Reader } from './sifter.ts';

/** @throws Failure LOG_MISSING, LOG_UNREADABLE, LOG_DIRECTORY */
export function openForReading(path: string): number {
  const fd = openOrFail(path);
  if (!fstatSync(fd).isDirectory()) return fd;
  closeSync(fd);
  throw failure('LOG_DIRECTORY', { path, remedy: remedyFor(path) });
}

/** Where journald keeps its files (systemd-journald.service(8)). */
const JOURNAL_DIRECTORY = /^\/(?:var|run)\/log\/journal(?:\/|$)/;

/** What to do instead of reading a directory. */
export const remedyFor = (path: string): string =>
  JOURNAL_DIRECTORY.test(path)
    ? 'the systemd journal is watched with --watchlog journal'
    : 'name the log of the POP3/IMAP server in it';

function openOrFail(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw failure('LOG_MISSING', { path }, error);
    throw failure('LOG_UNREADABLE', { path, reason: reasonOf(error) }, error);
  }
}

/**
 * Looks at the first bytes of a file, before an hour is spent on the others.
 *
 * @returns how it is compressed
 * @throws Failure LOG_BINARY, LOG_PACKED
 */
export function requireLog(path: string, fd: number): Packing | null {
  try {
    const packing = packingOfHead(readHead(fd, MAGIC_BYTES));
    if (isBinary(headOf(fd, packing, TEXT_HEAD))) throw failure('LOG_BINARY', { path });
    return packing;
  } catch (error) {
    closeSync(fd);
    throw packedFailure(path, error);
  }
}

const packedFailure = (path: string, error: unknown): Failure =>
  error instanceof Failure
    ? error
    : failure('LOG_PACKED', { path, reason: reasonOf(error) }, error);

/**
 * What a compressed log holds.
 *
 * @throws Failure LOG_PACKED, after all that comes before the damage
 */
export async function* piecesOf(
  path: string,
  fd: number,
  packing: Packing,
): AsyncGenerator<Buffer> {
  try {
    yield* unpacked(fd, packing);
  } catch (error) {
    throw packedFailure(path, error);
  }
}

/** Refuses what begins as no text does; for what can be read only once. */
export function requireText(path: string, read: Reader): Reader {
  let isFirst = true;
  return async into => {
    const count = await read(into);
    if (isFirst && isBinary(into.subarray(0, Math.min(count, TEXT_HEAD))))
      throw failure('LOG_BINARY', { path });
    isFirst = false;
    return count;
  };
}
