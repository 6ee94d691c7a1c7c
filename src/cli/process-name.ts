/**
 * What the daemon is called in ps, top and systemctl status, and how pgrep finds it.
 *
 * Else it has the name of its main thread: `node` with Node 20, `MainThread` with Node 24 (seen with 24.21).  Node's process.title
 * sets it too, but writes over the arguments, which ps is to show.
 */
import { writeFileSync } from 'node:fs';

/** Does nothing where there is no /proc: nothing depends on the name. */
export function nameProcess(): void {
  try {
    // proc_pid_comm(5): a process may change its own.
    writeFileSync('/proc/self/comm', 'popbsmtp');
  } catch {
    // It works under any name.
  }
}
