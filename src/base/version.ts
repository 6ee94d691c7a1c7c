/** The version that package.json states. */
import { readFileSync } from 'node:fs';

const PACKAGE = new URL('../../../package.json', import.meta.url);

export function version(): string {
  const { version: stated }: { version?: unknown } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  return String(stated);
}
