/**
 * Waits for something to become true, without trusting the speed of the machine.
 *
 * Promises: a condition is asked again and again until it holds; the bound is generous, so that only
 * a real fault reaches it, and its error says what was waited for and what was seen instead.
 * A test must never sleep for a fixed time and then hope; where time itself is what is tested (a
 * grant that ends), wait for the effect.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Not how long anything takes, but when to give up: a machine that is busy with something else takes long. */
export const PATIENCE_MS = 180_000;
const POLL_MS = 20;

export interface Waiting {
  /** Told when the wait was in vain: usually the end of a log. */
  readonly seen?: () => string | Promise<string>;
}

/** Asks `probe` until it returns something other than `undefined` or `false`, and returns that. */
export async function waitFor<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  { seen }: Waiting = {},
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const asked = performance.now();
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    const now = performance.now();
    if (now > deadline) break;
    // A probe that starts programs leaves the machine as much time as it takes.
    await sleep(Math.max(POLL_MS, now - asked));
  }
  const instead = seen === undefined ? '' : `; seen instead:\n${await seen()}`;
  throw new Error(`waited ${PATIENCE_MS} ms in vain for ${what}${instead}`);
}

/** Whether something accepts connections there. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port });
    const end = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

export async function waitForPort(
  host: string,
  port: number,
  waiting: Waiting = {},
): Promise<void> {
  await waitFor(`port ${port} of ${host}`, () => answers(host, port), waiting);
}

/** The lines of a text file; none when it is not there (yet). */
export async function linesOf(path: string): Promise<string[]> {
  if (!existsSync(path)) return [];
  const text = await readFile(path, 'utf8');
  return text.split('\n').slice(0, -1);
}

/** Waits for a line of a growing file that the expression matches, from line `from` on. */
export async function waitForLine(path: string, expression: RegExp, from = 0): Promise<string> {
  return waitFor(
    `a line of ${path} like ${expression}`,
    async () => (await linesOf(path)).slice(from).find(line => expression.test(line)),
    { seen: async () => (await linesOf(path)).slice(from).slice(-20).join('\n') },
  );
}
