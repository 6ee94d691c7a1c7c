/**
 * The packages of others in the program: those of which the bundle has taken something, and those that stay outside of it and are
 * installed beside it.
 *
 * Promises: outside are exactly those that package-lock.json says are needed, without what only compiles or types; of each the
 * files that Node loads.  What is installed is read and not changed.
 * Leaves to others: that the installed ones are those of the lock file (`npm ci`).
 */
import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { Metafile } from 'esbuild';
import { OUTSIDE } from '../bundle/facts.ts';

interface LockEntry {
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** By its place below the project, such as `node_modules/cliui/node_modules/string-width`; the project's own is ''. */
type Lock = Readonly<Record<string, LockEntry>>;

export interface Module {
  /** Where it is installed, below the project. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** The name of its licence, and all that it says about it. */
  readonly license: string;
  readonly licenseText: string;
}

/** They compile the addon, which is compiled by now, or hold types. */
const BUILD_ONLY = /^(?:node-gyp|node-addon-api|@types\/.*)$/;

/** What Node loads. */
const LOADED = /\.(?:js|cjs|mjs|json|node)$/;

/** Sources, programs, and second copies for `require` or for browsers: nothing of ours loads them. */
const UNUSED = [
  'lmdb/dependencies',
  'lmdb/dist',
  'lmdb/src',
  'msgpackr/dist',
  'fs-native-extensions/src',
  'lmdb/bin',
  'node-gyp-build-optional-packages/bin.js',
  'node-gyp-build-optional-packages/build-test.js',
  'node-gyp-build-optional-packages/optional.js',
];

/** Their tests, and what is not meant for anybody. */
const PRIVATE = /^(?:\.|tests?$|test.*\.js$)/;

const MODULES = 'node_modules';

/** Where Node finds a package that the one at `from` names (nodejs.org, "Loading from node_modules folders"). */
function resolve(lock: Lock, from: string, name: string): string {
  const inside = join(from, MODULES, name);
  if (inside in lock) return inside;
  if (from === '') throw new Error(`package-lock.json does not have ${name}`);
  const parent = from.lastIndexOf(`/${MODULES}/`);
  return resolve(lock, parent < 0 ? '' : from.slice(0, parent), name);
}

/** The places of the packages that stay outside of the bundle, and of all that they need. */
function needed(lock: Lock): string[] {
  const found = new Set<string>();
  const take = (from: string, names: readonly string[]): void => {
    for (const name of names.filter(one => !BUILD_ONLY.test(one))) {
      const path = resolve(lock, from, name);
      if (found.has(path)) continue;
      found.add(path);
      take(path, Object.keys(lock[path]?.dependencies ?? {}));
    }
  };
  take('', OUTSIDE);
  return [...found].sort();
}

function licenseText(directory: string): string {
  const names = readdirSync(directory).filter(name => /^(?:licen[cs]e|notice)/i.test(name));
  return names
    .sort()
    .map(name => readFileSync(join(directory, name), 'utf8').trim())
    .join('\n\n');
}

/** @param project the directory of package.json */
export function modulesOutside(project: string): Module[] {
  const lock = readLock(project);
  return needed(lock).map(path => moduleAt(project, lock, path));
}

/**
 * @param project the directory of package.json
 * @param bundle what the build has put together
 */
export function modulesInside(project: string, bundle: Metafile): Module[] {
  const lock = readLock(project);
  const used = Object.values(bundle.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([input]) => PACKAGE.exec(input)?.[0])
    .filter(path => path !== undefined);
  return [...new Set(used)].sort().map(path => moduleAt(project, lock, path));
}

/** Of an input's path, the place of its package: the innermost of those that it lies in. */
const PACKAGE = /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/;

function readLock(project: string): Lock {
  const { packages }: { packages: Lock } = JSON.parse(
    readFileSync(join(project, 'package-lock.json'), 'utf8'),
  );
  return packages;
}

const moduleAt = (project: string, lock: Lock, path: string): Module => ({
  path,
  name: path.slice(path.lastIndexOf(`${MODULES}/`) + MODULES.length + 1),
  version: lock[path]?.version ?? '',
  license: lock[path]?.license ?? 'see its text',
  licenseText: licenseText(join(project, path)),
});

/** Copies what Node loads of a package, for this kind of machine. */
export function copyModule(project: string, { path, name }: Module, target: string): void {
  const source = join(project, path);
  const ours = `fs-native-extensions/prebuilds/linux-${process.arch}`;
  const isWanted = (file: string): boolean => {
    const place = join(name, relative(source, file));
    if (place === join(name, MODULES) || UNUSED.includes(place)) return false;
    if (PRIVATE.test(basename(place))) return false;
    return !place.startsWith('fs-native-extensions/prebuilds/') || place.startsWith(ours);
  };
  cpSync(source, join(target, path), {
    recursive: true,
    filter: (file, to) => isWanted(file) && (statSync(file).isDirectory() || LOADED.test(to)),
  });
}
