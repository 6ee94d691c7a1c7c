/**
 * Reads pattern files: those that are shipped, and the administrator's own.
 *
 * Promises: all files are active; one of the administrator's replaces the shipped one of the same
 * name; the order is that of their names.  The first fault is an error, so that a
 * reload with a bad file changes nothing.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errnoOf, failure, reasonOf } from '../errors.ts';
import type { PatternsDirectory } from '../settings.ts';
import { type PatternFile, parsePatternFile } from './pattern.ts';
import { Registry } from './registry.ts';

/** Beside `dist` in the package. */
const SHIPPED = join(import.meta.dirname, '../../../patterns');
const SUFFIX = '.toml';

/**
 * @param own the administrator's directory; it may be missing unless he named it
 * @throws Failure PATTERN_UNREADABLE, PATTERN_SYNTAX
 */
export async function loadPatterns(own: PatternsDirectory): Promise<Registry> {
  const names = new Map<string, string>();
  for (const path of await listFiles(SHIPPED, true)) names.set(basename(path), path);
  for (const path of await listFiles(own.directory, own.explicit)) names.set(basename(path), path);
  const paths = [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  const files: PatternFile[] = [];
  for (const path of paths)
    files.push(parsePatternFile(path, basename(path, SUFFIX), await readText(path)));
  return new Registry(files);
}

async function listFiles(directory: string, mustExist: boolean): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names
      .filter(name => name.endsWith(SUFFIX) && !name.startsWith('.'))
      .map(name => join(directory, name));
  } catch (error) {
    if (!mustExist && errnoOf(error) === 'ENOENT') return [];
    throw failure('PATTERN_UNREADABLE', { path: directory, reason: reasonOf(error) }, error);
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw failure('PATTERN_UNREADABLE', { path, reason: reasonOf(error) }, error);
  }
}
