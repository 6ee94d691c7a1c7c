/**
 * A log file, followed through whatever happens to it.
 *
 * Promises: every complete line is delivered exactly once and in order, through rotation by rename (also with a
 * writer that stays on the old file), by copying and truncating, by a symbolic link that is switched, through
 * removal, replacement and directories that go and come back; several of these may happen between two looks.
 * Between two files the order is that of their rotation, unless one has been removed, or is still being written to
 * after it.  It waits for a log that does not exist yet; after any error it tries again, from the last line that was
 * dealt with.  `place` tells at any moment where that is, and a source that is started from it goes on exactly there:
 * in the file that has been rotated away since, in the ones after it (also compressed: packing.ts), then in the current
 * one.  Where the kernel reports no changes, a poll finds them.
 * Leaves to others: the reading (log-reader.ts), and what to do with the place (whoever keeps it).
 *
 * Not promised, since nobody can: lines that were truncated away before they were read and stand in no copy
 * (`truncated` is told with no copy), or removed with their file while nothing held it open.  Neither is a line
 * that a truncation tore in two, nor one that a writer without O_APPEND puts behind the hole it leaves there.  A source
 * that ended before it had read anything of a file cannot tell its later copy from the earlier ones.
 * When the place to go on from is gone with its file (`place lost`), reading starts as if there had been none, so
 * lines may be delivered again.
 */

import { every } from '../base/beat.ts';
import type { EpochSeconds } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import { LogReader } from './log-reader.ts';
import type { Place } from './place.ts';
import type { Receiver, Source } from './source.ts';
import type { StartPosition } from './start.ts';
import { Troubles } from './troubles.ts';
import { Watcher } from './watcher.ts';

/** Where the kernel tells of changes, a look of our own finds what it does not tell of, such as a directory that came back. */
const POLL_MS = 1000;
/** Where it has told nothing of lines that were there. */
const SILENT_POLL_MS = 250;

export interface FileSourceOptions {
  /** Where an earlier source has got to. */
  readonly place?: Place | null;
  /** Where it may have been rotated to, besides its own directory (rotated.ts). */
  readonly olddirs?: readonly string[];
  /** How often to look without being told of a change, in milliseconds; by what the kernel tells when null. */
  readonly pollMs?: number | null;
}

export class FileSource implements Source {
  readonly #path: string;
  readonly #receiver: Receiver;
  readonly #pollMs: number | null;
  readonly #reader: LogReader;
  readonly #watcher: Watcher;
  readonly #troubles: Troubles;
  readonly #stopping = new AbortController();
  #endPoll: () => void = () => undefined;
  /** The kernel has told nothing of lines that were found. */
  #isSilent = false;
  /** It has told of a change since the last look of our own. */
  #isTold = false;
  #deliveries = 0;
  #looking: Promise<void> = Promise.resolve();
  /** A look that has been asked for and has not begun. */
  #nextLook: Promise<void> | null = null;
  #tooLong = 0;

  /** @param startAt where to start when there is no place to go on from, or when it is lost */
  constructor(
    path: string,
    receiver: Receiver,
    startAt: StartPosition,
    { place = null, olddirs = [], pollMs = null }: FileSourceOptions = {},
  ) {
    this.#path = path;
    this.#receiver = receiver;
    this.#pollMs = pollMs;
    this.#troubles = new Troubles(notice => receiver.notice(notice));
    this.#reader = new LogReader({
      path,
      olddirs,
      place,
      startAt,
      deliver: (lines, tooLong, writtenBy) => this.#deliver(lines, tooLong, writtenBy),
      notice: notice => receiver.notice(notice),
      troubles: this.#troubles,
      signal: this.#stopping.signal,
    });
    this.#watcher = new Watcher(
      path,
      () => {
        this.#isTold = true;
        this.#setSilent(false);
        void this.look();
      },
      error => this.#troubles.begin({ kind: 'polling', path, reason: reasonOf(error) }),
    );
  }

  start(): void {
    this.#poll();
    this.#watcher.check();
    void this.look();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#endPoll();
    this.#watcher.close();
    await this.#looking;
    this.#reader.close();
  }

  /** What has been dealt with; null before any file was opened.  Stays after a stop. */
  get place(): Place | null {
    return this.#reader.place;
  }

  /** Looks for whatever is new, and resolves once it has been delivered. */
  look(): Promise<void> {
    this.#nextLook ??= this.#looking.then(() => {
      this.#nextLook = null;
      this.#looking = this.#reader.read();
      return this.#looking;
    });
    return this.#nextLook;
  }

  #poll(): void {
    this.#endPoll();
    const usual = this.#isSilent ? SILENT_POLL_MS : POLL_MS;
    this.#endPoll = every(this.#pollMs ?? usual, () => this.#tick());
  }

  #tick(): void {
    this.#isTold = false;
    const before = this.#deliveries;
    this.#watcher.check();
    void this.look().then(() => {
      if (this.#deliveries > before && !this.#isTold) this.#setSilent(true);
    });
  }

  /** A change may be told of just after its line was found, so whatever is told takes this back. */
  #setSilent(isSilent: boolean): void {
    if (isSilent === this.#isSilent || this.#stopping.signal.aborted) return;
    this.#isSilent = isSilent;
    this.#poll();
  }

  async #deliver(
    lines: readonly string[],
    tooLong: number,
    writtenBy: EpochSeconds | null,
  ): Promise<void> {
    this.#deliveries++;
    this.#tooLong += tooLong;
    const count = this.#tooLong;
    if (tooLong > 0) this.#troubles.tell({ kind: 'too long', path: this.#path, count });
    await this.#receiver.lines(lines, writtenBy);
  }
}
