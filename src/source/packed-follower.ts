/**
 * One compressed file, which was a log and is added to no more: read once, from a position on.
 *
 * Promises: each complete line behind the position is handed over once and in order, and no more is unpacked until that
 * has been dealt with; what comes before it is unpacked and dropped.  Where the file is damaged, the lines before that
 * are handed over, and the damage is told.
 */
import { closeSync } from 'node:fs';
import { reasonOf } from '../base/errors.ts';
import type { Deliver, Follower, OpenFile } from './follower.ts';
import { headOf, type Packing, unpacked } from './packing.ts';
import {
  FINGERPRINT_BYTES,
  type FilePlace,
  type Fingerprint,
  fingerprintOf,
  type Identity,
} from './place.ts';
import { Splitter } from './splitter.ts';

const NEWLINE = 10;

export class PackedFollower implements Follower {
  readonly identity: Identity;
  readonly complete = true;
  readonly #file: OpenFile;
  readonly #packing: Packing;
  readonly #damaged: (reason: string) => void;
  readonly #fingerprint: Fingerprint;
  /** Behind the last complete line that has been dealt with. */
  #delivered: number;
  #finished = false;
  #closed = false;

  /**
   * @param file is closed by `close`
   * @param position in what it holds
   * @param damaged told why the rest cannot be read
   * @throws Error of read(2), of zlib for a file that is damaged from its first bytes on
   */
  constructor(
    file: OpenFile,
    packing: Packing,
    position: number,
    damaged: (reason: string) => void,
  ) {
    this.identity = file.identity;
    this.#file = file;
    this.#packing = packing;
    this.#damaged = damaged;
    this.#delivered = position;
    this.#fingerprint = fingerprintOf(headOf(file.fd, packing, FINGERPRINT_BYTES));
  }

  get place(): FilePlace {
    return { ...this.identity, fingerprint: this.#fingerprint, position: this.#delivered };
  }

  get isUnread(): boolean {
    return this.#delivered === 0 && !this.#finished;
  }

  /** @throws Error of `deliver`, whose lines are then read again */
  async drain(deliver: Deliver, signal: AbortSignal): Promise<'end'> {
    if (this.#finished) return 'end';
    const splitter = new Splitter();
    const from = this.#delivered;
    let position = 0;
    for await (const piece of this.#pieces()) {
      if (this.#closed || signal.aborted) return 'end';
      const end = position + piece.length;
      if (end > from) {
        const tooLong = splitter.tooLong;
        const lines = splitter.push(piece.subarray(Math.max(0, from - position)));
        if (lines.length > 0) {
          await deliver(lines, splitter.tooLong - tooLong, this.#file.modified);
          this.#delivered = position + piece.lastIndexOf(NEWLINE) + 1;
        }
      }
      position = end;
    }
    this.#finished = true;
    return 'end';
  }

  /** Nothing cuts what is compressed. */
  restart(): void {
    this.#finished = true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#file.fd);
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    try {
      yield* unpacked(this.#file.fd, this.#packing);
    } catch (error) {
      this.#damaged(reasonOf(error));
    }
  }
}
