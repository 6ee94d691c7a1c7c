/**
 * Standard output for the commands that print much: whole blocks, and never faster than it is taken.
 */
import { once } from 'node:events';

/** Writes a text; resolves when standard output wants more. */
export async function print(text: string): Promise<void> {
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
}

let lastSecond = Number.NaN;
let lastText = '';

/** ISO 8601 in UTC, to the second; events of the same second, which most are, share the work. */
export function isoTime(seconds: number): string {
  if (seconds !== lastSecond) {
    lastText = new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
    lastSecond = seconds;
  }
  return lastText;
}

/** One line for who called, on standard output. */
export const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** One line of what is wrong, on standard error. */
export const warn = (text: string): void => void process.stderr.write(`popbsmtp: ${text}\n`);
