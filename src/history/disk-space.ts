/**
 * The space on the disk that the history leaves to others: the 16 MB reserve.
 *
 * The map is on the same disk, and it goes first: a grant needs a few pages, which are always there as long as the history, which takes
 * most, stops before the end.
 * Known limit: a quota is not seen until it is reached; then the error of the write tells it (history-store.ts).
 */
import { statfs } from 'node:fs/promises';
import { failure, reasonOf } from '../base/errors.ts';

const MIB = 2 ** 20;
/** Bytes of the disk that the history leaves to others. */
const RESERVE = 16 * MIB;

/**
 * @param needed bytes that are to be written
 * @throws Failure HISTORY_FULL while the disk is nearly full; HISTORY where nobody can tell
 */
export async function requireSpace(path: string, needed: number): Promise<void> {
  let free: number;
  try {
    const { bavail, bsize } = await statfs(path);
    free = bavail * bsize;
  } catch (error) {
    throw failure('HISTORY', { path, reason: reasonOf(error) }, error);
  }
  if (free >= RESERVE + needed) return;
  const reason = `the last ${RESERVE / MIB} MB of the disk are left to the grants`;
  throw failure('HISTORY_FULL', { path, reason });
}
