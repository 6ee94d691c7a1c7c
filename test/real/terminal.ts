/**
 * A command on a terminal of its own, by script(1).
 *
 * Its standard output and error are the terminal, unless the command line sends them elsewhere.
 * Leaves to others: what is typed; standard input is at its end.
 */
import { type Daemon, startDaemon } from './processes.ts';
import type { Rig } from './rig.ts';

/** Starts a command line of sh; what the terminal shows is the standard output. */
export const startOnTerminal = (rig: Rig, commandLine: string): Daemon =>
  startDaemon(rig, 'script', ['-qec', commandLine, '/dev/null']);
