/** The program's own package: where it is installed, and which version it states. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The directory of its package.json, wherever below it the running file was put.  The one in the bundle, which says
 * only how Node has to read it, states no version.
 */
export function packageRoot(): string {
  let directory = import.meta.dirname;
  while (versionIn(directory) === null) {
    const above = dirname(directory);
    if (above === directory) throw new Error(`no package.json above ${import.meta.dirname}`);
    directory = above;
  }
  return directory;
}

export const version = (): string => String(versionIn(packageRoot()));

function versionIn(directory: string): string | null {
  const path = join(directory, 'package.json');
  if (!existsSync(path)) return null;
  const { version: stated }: { version?: unknown } = JSON.parse(readFileSync(path, 'utf8'));
  return stated === undefined ? null : String(stated);
}
