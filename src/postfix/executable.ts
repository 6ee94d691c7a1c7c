/** Where programs are found, without a shell. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The path of a program, or null.
 *
 * @param alsoIn searched after the PATH, which of an unprivileged account often lacks what it needs
 */
export function findExecutable(name: string, alsoIn: readonly string[]): string | null {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const places = [...onPath, ...alsoIn].map(directory => join(directory, name));
  return places.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
