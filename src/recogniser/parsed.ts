/**
 * Patterns that the build has parsed, kept beside the program in the bundle, and nowhere else.
 *
 * Reason: parsing and checking them is a third of a start.
 * Promises: another Node than one of the same ABI, which might not read what is kept, does not find it, and parses.
 * Leaves to others: to take it only while a file has the very text that was parsed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';

export const parsedName = (what: string): string => `parsed-${what}-${process.versions.modules}`;

/**
 * What the build has written under that name, which only it writes; null where there is nothing.
 *
 * @throws Failure PATTERN_UNREADABLE
 */
export async function readParsed<T>(name: string): Promise<T | null> {
  const path = join(import.meta.dirname, name);
  try {
    return deserialize(await readFile(path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw failure('PATTERN_UNREADABLE', { path, reason: reasonOf(error) }, error);
  }
}
