/**
 * What an error of the system, or of LMDB, comes to for the history: one line with the reason, its name, and what to do.
 */
import { getSystemErrorName } from 'node:util';
import { errnoOf, Failure, failure, reasonOf } from '../base/errors.ts';

/** The package tells why a commit has failed in a promise behind its error, which ends the program unless it is awaited. */
export async function commitError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
  } catch (reason) {
    return reason;
  }
  return error;
}

/** What no room is called by the system and by LMDB. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG', 'MDB_MAP_FULL'];

/** @param error caught; one that has been told apart already stays as it is */
export function historyFailure(path: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const name = nameOf(error);
  const reason = name === null ? reasonOf(error) : `${reasonOf(error)} (${name})`;
  const code = FULL.some(full => reason.includes(full)) ? 'HISTORY_FULL' : 'HISTORY';
  return failure(code, { path, reason }, error);
}

/** LMDB hands on errno as a number; its own errors have their names in their texts. */
function nameOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (typeof code !== 'number') return errnoOf(error);
  return code > 0 ? getSystemErrorName(-code) : null;
}
