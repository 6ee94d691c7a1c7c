/** Keeps a file as it was before it is changed. */
import { constants, copyFileSync } from 'node:fs';
import { errnoOf } from '../base/errors.ts';

/** Behind the name of the file. */
const SUFFIX = '.before-migrate';

/**
 * The oldest copy stays: it is from before the first change.
 *
 * @returns the copy
 * @throws what the file system says
 */
export function keepCopy(path: string): string {
  const copy = `${path}${SUFFIX}`;
  try {
    copyFileSync(path, copy, constants.COPYFILE_EXCL);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  return copy;
}
