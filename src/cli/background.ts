/**
 * The historical `--daemon PIDFILE`: the daemon in the background, with its pid in a file.
 *
 * The command starts itself again, detached, and waits until that one follows the logs or has said why it
 * cannot; only then does it end, with 0 or with that one's exit status.  So an init script that looks at the
 * exit status is told the truth, and the pid in the file is of a daemon that works.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { EXIT, failure, reasonOf } from '../base/errors.ts';

/** Tells the second process that it is the one in the background. */
const MARK = 'POPBSMTP_BACKGROUND';

/** Whether this process was started by `startBackground`. */
export const inBackground = (): boolean => process.env[MARK] === '1' && process.send !== undefined;

/** @returns the exit status for the process in the foreground */
export async function startBackground(): Promise<number> {
  const child = spawn(process.execPath, process.argv.slice(1), {
    detached: true,
    env: { ...process.env, [MARK]: '1' },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let complaint = '';
  const ready = once(child, 'message').then(([message]: unknown[]) => {
    complaint = String(message);
    return complaint === '';
  });
  const ended = once(child, 'exit').then(([status]: unknown[]) => Number(status ?? EXIT.software));
  if (await Promise.race([ready, ended.then(() => false)])) {
    child.disconnect();
    child.unref();
    return EXIT.ok;
  }
  const status = await ended;
  process.stderr.write(complaint);
  return status;
}

/**
 * Tells the process in the foreground that all is well, or, with a text, what is not.
 *
 * Resolves when it has been handed over; does nothing in the foreground.
 */
export async function answerForeground(complaint: string): Promise<void> {
  if (!inBackground()) return;
  await new Promise<void>(resolve => {
    process.send?.(complaint, undefined, undefined, () => resolve());
  });
  process.disconnect();
}

/**
 * @returns how to remove it again
 * @throws Failure PIDFILE
 */
export function writePidFile(path: string): () => void {
  try {
    writeFileSync(path, `${process.pid}\n`, { mode: 0o644 });
  } catch (error) {
    throw failure('PIDFILE', { path, reason: reasonOf(error) }, error);
  }
  return () => rmSync(path, { force: true });
}
