/**
 * Standard output for the commands that print much: whole blocks, and never faster than it is taken.
 */
import { once } from 'node:events';

/** Writes a text; resolves when standard output wants more. */
export async function print(text: string): Promise<void> {
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** ISO 8601 in UTC, to the second. */
export const isoTime = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
