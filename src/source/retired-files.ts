/**
 * The log files that are open besides the current one: those that have been rotated away, read for as long as a
 * writer may still add to them, and those set aside until what comes before them has been read.
 *
 * Promises: at most `MAX_OPEN` are kept open, the latest ones, and each until nothing has been added for
 * `LINGER_MS`; how far those closed lately were read is remembered, so that one that comes back to the path (a
 * symbolic link switched to and fro) is not read twice.
 */
import { reasonOf } from '../base/errors.ts';
import type { Deliver, Follower, OpenFile } from './follower.ts';
import { headOf } from './packing.ts';
import {
  FINGERPRINT_BYTES,
  type FilePlace,
  type Identity,
  isFingerprintOf,
  isSameFile,
} from './place.ts';

/** How long a writer may take to notice a rotation; rsyslog and Dovecot are told at once, by a signal. */
const LINGER_MS = 60_000;
const MAX_OPEN = 8;
const MAX_REMEMBERED = 32;

interface Retired {
  readonly follower: Follower;
  /** In milliseconds of performance.now(). */
  until: number;
}

export class RetiredFiles {
  /** Oldest first. */
  #files: Retired[] = [];
  #aside: Follower[] = [];
  #remembered: FilePlace[] = [];

  /** Of those rotated away; the others are come upon again, and read from their beginning. */
  get places(): FilePlace[] {
    return this.#files.map(({ follower }) => follower.place);
  }

  add(follower: Follower): void {
    if (follower.complete) {
      this.#close(follower);
      return;
    }
    this.#files.push({ follower, until: performance.now() + LINGER_MS });
    for (const { follower: oldest } of this.#files.slice(0, -MAX_OPEN)) this.#close(oldest);
  }

  setAside(follower: Follower): void {
    this.#aside.push(follower);
  }

  /** No file that was set aside comes any more, but the one at the path: the others have lost their names. */
  retireAside(atPath: Identity): void {
    const waiting = this.#aside.filter(({ identity }) => isSameFile(identity, atPath));
    const nameless = this.#aside.filter(({ identity }) => !isSameFile(identity, atPath));
    this.#aside = waiting;
    for (const follower of nameless) this.add(follower);
  }

  /** Gives a file back to be followed again. */
  take(file: Identity): Follower | null {
    const all = [...this.#files.map(({ follower }) => follower), ...this.#aside];
    const found = all.find(({ identity }) => isSameFile(identity, file)) ?? null;
    this.#files = this.#files.filter(({ follower }) => follower !== found);
    this.#aside = this.#aside.filter(follower => follower !== found);
    return found;
  }

  /** How far a file has been read before that is opened again; 0 for another file. */
  positionIn({ fd, identity, packing }: OpenFile): number {
    const place = this.#remembered.findLast(known => isSameFile(known, identity));
    if (place === undefined) return 0;
    const same = isFingerprintOf(place.fingerprint, headOf(fd, packing, FINGERPRINT_BYTES));
    return same ? place.position : 0;
  }

  /** @param failed told of a file that cannot be read any more */
  async drain(
    deliver: Deliver,
    signal: AbortSignal,
    failed: (reason: string) => void,
  ): Promise<void> {
    for (const retired of [...this.#files]) {
      // Asked before the read: what was added in time is read, however late we look.
      const late = performance.now() > retired.until;
      try {
        const ending = await retired.follower.drain((lines, tooLong, writtenBy) => {
          retired.until = performance.now() + LINGER_MS;
          return deliver(lines, tooLong, writtenBy);
        }, signal);
        // One that was overwritten belongs to whoever did that.
        if (ending === 'cut' || late) this.#close(retired.follower);
      } catch (error) {
        this.#close(retired.follower);
        failed(reasonOf(error));
      }
    }
  }

  close(): void {
    for (const { follower } of this.#files) follower.close();
    for (const follower of this.#aside) follower.close();
  }

  #close(follower: Follower): void {
    this.#files = this.#files.filter(retired => retired.follower !== follower);
    this.#remembered = [...this.#remembered, follower.place].slice(-MAX_REMEMBERED);
    follower.close();
  }
}
