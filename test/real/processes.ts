/**
 * Children of a test: programs run to their end, and daemons run until the test ends.
 *
 * Promises: nothing outlives the rig: a daemon gets TERM, and KILL if that does not end it; only a
 * process that was started here is ever signalled, by its own pid.  Output is kept whole, as lines.
 * Leaves to others: daemons that detach themselves (each harness stops its own).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './programs.ts';
import type { Rig } from './rig.ts';
import { PATIENCE_MS, waitFor } from './wait.ts';

export interface Result {
  /** The exit status; null after a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** How long a program that is run to its end may take; a package installation is the longest. */
const RUN_PATIENCE_MS = 5 * PATIENCE_MS;

/** A started child with what it has printed so far. */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #stdout = '';
  #stderr = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#exited = once(child, 'close').then(() => child.exitCode);
    // A child that cannot be started is reported where it is waited for.
    this.#exited.catch(() => undefined);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`not started: ${this.#child.spawnfile}`);
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The complete lines of standard output. */
  get lines(): string[] {
    return this.#stdout.split('\n').slice(0, -1);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The exit status, once the child has ended by itself. */
  exited(): Promise<number | null> {
    return this.#exited;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits for a line of standard output that the expression matches, from line `from` on. */
  waitForLine(expression: RegExp, from = 0): Promise<string> {
    return waitFor(
      `output like ${expression}`,
      () => {
        const found = this.lines.slice(from).find(line => expression.test(line));
        if (found === undefined && !this.running) throw new Error(`it ended: ${this.transcript()}`);
        return found;
      },
      { seen: () => this.transcript() },
    );
  }

  /** Waits until the expression matches something in all that was printed: an effect may be seen before the word of it arrives. */
  async waitForText(expression: RegExp): Promise<void> {
    await waitFor(`text like ${expression}`, () => expression.test(this.transcript()), {
      seen: () => this.transcript(),
    });
  }

  /** Everything printed, for an error message. */
  transcript(): string {
    return `${this.#child.spawnargs.join(' ')}\n${this.#stdout}${this.#stderr}`;
  }

  /** Ends the child with TERM, or KILL when it does not listen, and returns its exit status. */
  async stop(): Promise<number | null> {
    if (this.running) this.#child.kill('SIGTERM');
    const ended = this.#exited.then(() => true);
    const patience = new AbortController();
    const late = sleep(PATIENCE_MS, false, { signal: patience.signal }).catch(() => false);
    if (!(await Promise.race([ended, late]))) this.#child.kill('SIGKILL');
    patience.abort();
    return this.#exited;
  }
}

const located = (command: string): string => findProgram(command) ?? command;

/** Starts a program that runs until the rig closes. */
export function startDaemon(
  rig: Rig,
  command: string,
  args: readonly string[],
  { env = {} }: RunOptions = {},
): Daemon {
  const daemon = new Daemon(
    spawn(located(command), args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  rig.defer(() => daemon.stop());
  return daemon;
}

/** Runs a program to its end. */
export async function runProgram(
  command: string,
  args: readonly string[],
  { input = '', env = {} }: RunOptions = {},
): Promise<Result> {
  const child = spawn(located(command), args, {
    env: { ...process.env, ...env },
    timeout: RUN_PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  const daemon = new Daemon(child);
  // A program that does not read its input to the end is no fault of the test.
  child.stdin.on('error', () => undefined).end(input);
  const code = await daemon.exited();
  return { code, stdout: daemon.stdout, stderr: daemon.stderr };
}

/**
 * Runs a program that must succeed.
 *
 * @returns its standard output
 * @throws Error with everything that it printed
 */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command, args, options);
  if (code === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
}
