/**
 * Brings to the disk, off the way of commits, what they have written.
 *
 * An fsync inside the map's lock would make Postfix wait for the disk.  So a commit only says that
 * something was written, and the disk is asked a moment later, once for all commits of that moment.
 *
 * Promises: one request at a time; `settle` returns when all that was written before is on the disk.
 * A failed request is reported when it happens and never forgotten: Linux tells of a lost page once
 * and may then call it clean (fsync(2)), so a later success proves nothing, and `settle` keeps failing.
 */
const DELAY_MS = 1000;

export class Durability {
  readonly #sync: () => Promise<void>;
  readonly #report: (error: unknown) => void;
  readonly #delayMs: number;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #written = false;
  #lost: { readonly error: unknown } | null = null;

  /**
   * @param sync brings all that was written to the disk
   * @param report told of a failure when nobody waits for it
   * @param delayMs how long a commit waits for others to share the request with
   */
  constructor(
    sync: () => Promise<void>,
    report: (error: unknown) => void,
    delayMs: number = DELAY_MS,
  ) {
    this.#sync = sync;
    this.#report = report;
    this.#delayMs = delayMs;
  }

  /** Says that something was written. */
  touch(): void {
    this.#written = true;
    // Nothing is lost when the process ends before: the kernel has it, only a power failure takes it.
    this.#timer ??= setTimeout(() => void this.#flush(), this.#delayMs).unref();
  }

  /**
   * Waits until everything written so far is on the disk.
   *
   * @throws what the first failed request was rejected with, now or ever
   */
  async settle(): Promise<void> {
    await this.#flush();
    if (this.#lost !== null) throw this.#lost.error;
  }

  #flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#running = this.#running.then(() => this.#request());
    return this.#running;
  }

  async #request(): Promise<void> {
    if (!this.#written) return;
    this.#written = false;
    try {
      await this.#sync();
    } catch (error) {
      this.#lost ??= { error };
      this.#report(error);
    }
  }
}
