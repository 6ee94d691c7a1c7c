/** The version that package.json states. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root.ts';

export function version(): string {
  const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
  const { version: stated }: { version?: unknown } = JSON.parse(text);
  return String(stated);
}
