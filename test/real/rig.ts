/**
 * What a test has put up on this machine, and how it is taken down again.
 *
 * Promises: what was put up last is taken down first; every step is tried even if one fails, and a
 * failure is reported at the end; an interrupted test (INT, TERM) takes down as well.
 * A test file makes one rig and calls `close` in `after`.
 * Known limit: a test that is ended with KILL leaves its temporary directory and the daemons that
 * detach themselves (Postfix, Dovecot).
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export class Rig {
  readonly #undo: (() => unknown)[] = [];
  #closing: Promise<void> | null = null;

  readonly #interrupt = (): void => void this.close().finally(() => process.exit(1));

  constructor() {
    for (const signal of SIGNALS) process.once(signal, this.#interrupt);
  }

  /** Registers how to take down what was just put up. */
  defer(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  /**
   * A new directory, removed at the end.  World-readable, since the daemons under test enter it
   * with accounts of their own.
   */
  async directory(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'popbsmtp-test-'));
    this.defer(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
    await chmod(path, 0o755);
    return path;
  }

  /** Takes everything down; a second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#takeDown();
    return this.#closing;
  }

  async #takeDown(): Promise<void> {
    const errors: unknown[] = [];
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        errors.push(error);
      }
    }
    for (const signal of SIGNALS) process.off(signal, this.#interrupt);
    if (errors.length > 0) throw new AggregateError(errors, 'could not take everything down');
  }
}
