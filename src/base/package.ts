/** The program's own package: where it is installed, and which version it states. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The directory of its package.json, wherever below it the running file was put. */
export function packageRoot(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json'))) {
    const above = dirname(directory);
    if (above === directory) throw new Error(`no package.json above ${import.meta.dirname}`);
    directory = above;
  }
  return directory;
}

export function version(): string {
  const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
  const { version: stated }: { version?: unknown } = JSON.parse(text);
  return String(stated);
}
