/**
 * Standard output for the commands that print: whole blocks, and never faster than it is taken.
 *
 * Promises: where it cannot be written `print` throws (base/output.ts); `say` never does: what is done by order is done whether or not
 * somebody hears of it.
 */
import { once } from 'node:events';
import { requireOutput } from '../base/output.ts';

/** Writes a text; resolves when standard output wants more. @throws as `requireOutput` does */
export async function print(text: string): Promise<void> {
  requireOutput();
  // As bytes: a stream looks through a text twice before it writes it.
  if (text === '' || process.stdout.write(Buffer.from(text))) return;
  try {
    await once(process.stdout, 'drain');
  } catch (error) {
    requireOutput();
    throw error;
  }
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
