/**
 * A log file that has been rotated away, read for as long as a writer may still add to it.
 *
 * Promises: a `drain` delivers all that is there, in order; the descriptor is this object's and is closed by
 * `close`, or by the first `drain` after its time.
 */
import { closeSync, readSync } from 'node:fs';

const READ_SIZE = 64 * 1024;

export class RetiredFile {
  readonly #fd: number;
  readonly #until: number;
  readonly #deliver: (bytes: Buffer) => Promise<void>;
  #position: number;
  #draining: Promise<void> | null = null;
  #closed = false;

  /** @param linger milliseconds for which a writer may still add to it */
  constructor(
    fd: number,
    position: number,
    linger: number,
    deliver: (bytes: Buffer) => Promise<void>,
  ) {
    this.#fd = fd;
    this.#position = position;
    this.#until = performance.now() + linger;
    this.#deliver = deliver;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws Error of read(2); the file is closed then */
  drain(): Promise<void> {
    this.#draining ??= this.#read().finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  async close(): Promise<void> {
    await this.#draining;
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  async #read(): Promise<void> {
    const late = performance.now() > this.#until;
    const buffer = Buffer.allocUnsafe(READ_SIZE);
    while (!this.#closed) {
      const count = readSync(this.#fd, buffer, 0, READ_SIZE, this.#position);
      if (count === 0) break;
      this.#position += count;
      await this.#deliver(buffer.subarray(0, count));
    }
    if (!late || this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }
}
