/**
 * The files that a wildcard stands for now, and which of them are logs of their own.
 *
 * Promises: regular files only, also behind links; of a file and a link to it, both matched, the file alone.  A compressed
 * file is none, and neither is one that another of the logs has been rotated to.  A name with control characters matches
 * nothing: it is told in our own log, a line each.
 */
import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { packingOf } from './packing.ts';
import { basesOf } from './rotated.ts';
import { matchesName, type Segment, type Wildcard } from './wildcard.ts';

export interface Matches {
  /** Paths of regular files, the one that was written to last first. */
  readonly files: readonly string[];
  /** Where others may come to be: those that were looked into, whether they are there or not. */
  readonly directories: readonly string[];
}

export function matchingFiles({ isAbsolute, segments }: Wildcard): Matches {
  const directories: string[] = [];
  let paths = [isAbsolute ? '/' : '.'];
  for (const segment of segments) {
    directories.push(...paths);
    paths = paths.flatMap(path => namesIn(path, segment).map(name => join(path, name)));
  }
  const firstWild = segments.findIndex(segment => typeof segment !== 'string');
  return { files: withoutLinksTo(paths), directories: directories.slice(firstWild) };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\0-\x1f\x7f]/;

/** Those names in a directory that fit; of one that is no wildcard it is not known whether it is there. */
function namesIn(directory: string, segment: Segment): readonly string[] {
  if (typeof segment === 'string') return [segment];
  try {
    return readdirSync(directory).filter(
      name => !CONTROLS.test(name) && matchesName(segment, name),
    );
  } catch {
    // Not there, or closed to us: nothing in it can be read.
    return [];
  }
}

interface Found {
  readonly path: string;
  readonly status: BigIntStats;
  readonly isLink: boolean;
}

function withoutLinksTo(paths: readonly string[]): string[] {
  const found = paths.flatMap(path => fileAt(path) ?? []);
  const named = new Set(found.flatMap(file => (file.isLink ? [] : keyOf(file))));
  return found
    .filter(file => !file.isLink || !named.has(keyOf(file)))
    .sort((a, b) => Number(b.status.mtimeNs - a.status.mtimeNs))
    .map(({ path }) => path);
}

const keyOf = ({ status }: Found): string => `${status.dev}:${status.ino}`;

function fileAt(path: string): Found | null {
  try {
    const status = statSync(path, { bigint: true });
    return status.isFile() ? { path, status, isLink: lstatSync(path).isSymbolicLink() } : null;
  } catch {
    // Gone since, a link to nothing, or in a directory that is closed to us.
    return null;
  }
}

/**
 * @param known logs that may be away for a moment
 * @returns those of the files that are logs of their own
 */
export function logsAmong(files: readonly string[], known: Iterable<string>): string[] {
  const plain = files.filter(path => packingOf(path) === null);
  const logs = new Set([...plain, ...known]);
  return plain.filter(
    path => !basesOf(basename(path)).some(base => logs.has(join(dirname(path), base))),
  );
}
