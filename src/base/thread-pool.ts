/**
 * Sees to it that nothing waits for ever in the pool of threads in which Node reads files.
 *
 * Seen once among some hundred thousand commands (Node 20.20.2 with libuv 1.46, glibc 2.36): a request was in the pool's queue while all of
 * its threads waited for one; ten minutes later the next request woke a thread, and the command ended.  It looks like a wake-up that
 * pthread_cond_signal(3) lost (glibc's bug 25847, mended in 2.41).  So a request comes now and then.
 * Promises: no process lives longer for it, and one that is done in less than `PAUSE_MS` pays nothing.
 */
import { stat } from 'node:fs';

const PAUSE_MS = 10_000;

export function keepPoolAwake(): void {
  setInterval(() => stat('/', () => undefined), PAUSE_MS).unref();
}
