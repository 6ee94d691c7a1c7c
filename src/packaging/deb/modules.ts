/**
 * The packages of others in the program: those of which the bundle has taken something.
 *
 * Promises: what is installed is read and not changed.
 * Leaves to others: that the installed ones are those of the lock file (`npm ci`), and their addons (contents.ts).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

interface LockEntry {
  readonly version: string;
  readonly license?: string;
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

const MODULES = 'node_modules';

function licenseText(directory: string): string {
  const names = readdirSync(directory).filter(name => /^(?:licen[cs]e|notice)/i.test(name));
  return names
    .sort()
    .map(name => readFileSync(join(directory, name), 'utf8').trim())
    .join('\n\n');
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
