/**
 * Whether the kernel goes on working as root for a process that has become another account.
 *
 * An io_uring with a polling thread (io_uring_setup(2), IORING_SETUP_SQPOLL) works with the ids of whoever made it: after root has
 * become somebody else, files are still opened as root by it (seen with Linux 6.18; CVE-2024-22017).  What is submitted to
 * a ring without that thread is done with the ids that the process has then (seen too: EACCES).
 * Node's own libuv makes such threads where UV_USE_IO_URING=1 is set (20.20.2); Debian 13's makes only rings without one,
 * whatever is set (20.19.2 with libuv 1.50).  So what there is counts, and neither the release nor the environment.
 * Known limit: Linux before 5.12 has the thread outside the process, where only fdinfo tells of it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, reasonOf } from '../base/errors.ts';

/** Where each file of the process tells what it is (proc_pid_fdinfo(5)), and each thread what it is called (proc_pid_comm(5)). */
const PROCESS = '/proc/self';

/**
 * Of a ring, `SqThread:` is the number of its polling thread, or -1 (Linux, io_uring/fdinfo.c); while the ring is at work,
 * it can be -1 though there is one.
 */
const POLLED = /^SqThread:\s*(\d+)$/m;

/** What the kernel calls such a thread (io_uring/sqpoll.c). */
const POLLING = /^iou-sqp-/;

/**
 * The number of a thread that polls a ring of this process, or null.
 *
 * @throws Error with the path, where /proc does not tell
 */
export function pollingThread(process = PROCESS): string | null {
  const tasks = join(process, 'task');
  const thread = namesIn(tasks).find(id => POLLING.test(textOf(join(tasks, id, 'comm'))));
  if (thread !== undefined) return thread;
  const files = join(process, 'fdinfo');
  const [polled] = namesIn(files).flatMap(fd => POLLED.exec(textOf(join(files, fd)))?.[1] ?? []);
  return polled ?? null;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    throw unreadable(directory, error);
  }
}

/** Empty where the thread has ended, or the file is closed, as that of the directory's own reading. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return '';
    throw unreadable(path, error);
  }
}

const unreadable = (path: string, error: unknown): Error =>
  new Error(`cannot read ${path}: ${reasonOf(error)}`, { cause: error });
