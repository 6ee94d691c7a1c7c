/**
 * What a key that stops the program (Ctrl-Z) does while it reads a file under a lock: it stops between two reads, never within one.
 *
 * A program that is stopped while it holds a lock keeps the daemon from writing until somebody continues it.  A signal that Node answers
 * is answered between two turns of the event loop, and a read and its lock are within one.
 * Known limit: SIGSTOP cannot be answered; what is to be written then waits (history/recorder.ts).
 */

/** To be called before anything is read. */
export function stopBetweenReads(): void {
  process.on('SIGTSTP', () => void process.kill(process.pid, 'SIGSTOP'));
}
