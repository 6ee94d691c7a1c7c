/**
 * Reads a log from file to file: the current one to its end, then the one that comes after it.
 *
 * Promises: of each complete line of each file, that it is delivered once; in the order of the files.  What
 * happened to them since the last read is found then, however much it was.
 * Leaves to others: when to read (file-source.ts), which file comes next (log-files.ts), and where to begin (entry.ts).
 */
import { closeSync } from 'node:fs';
import { reasonOf } from '../base/errors.ts';
import { findEntry } from './entry.ts';
import type { Deliver, Follower, OpenFile } from './follower.ts';
import { LogFiles } from './log-files.ts';
import { isMounted } from './mount.ts';
import { isSameFile, type Place } from './place.ts';
import { RetiredFiles } from './retired-files.ts';
import type { RotatedFile } from './rotated.ts';
import type { Notice } from './source.ts';
import type { StartPosition } from './start.ts';
import type { Troubles } from './troubles.ts';

/** A rotation leaves the path empty for a moment, which is nothing to tell. */
const MISSING_MS = 10_000;
/** Reads of a file that may fail in a row before it is left for good. */
const MAX_FAILURES = 40;

export class LogReader {
  readonly #path: string;
  readonly #startAt: StartPosition;
  readonly #deliver: Deliver;
  readonly #notice: (notice: Notice) => void;
  readonly #troubles: Troubles;
  readonly #signal: AbortSignal;
  readonly #files: LogFiles;
  readonly #retired = new RetiredFiles();
  #current: Follower | null = null;
  /** Where to go on from, while no file is followed. */
  #resume: Place | null;
  /** Reads that failed in a row. */
  #failures = 0;
  #missingSince: number | null = null;

  /**
   * @param parts.olddirs where it may have been rotated to, besides its own directory (rotated.ts)
   * @param parts.startAt where to start when there is no place to go on from, or when it is lost
   * @param parts.signal ends reading before the next delivery
   */
  constructor(parts: {
    readonly path: string;
    readonly olddirs: readonly string[];
    readonly place: Place | null;
    readonly startAt: StartPosition;
    readonly deliver: Deliver;
    readonly notice: (notice: Notice) => void;
    readonly troubles: Troubles;
    readonly signal: AbortSignal;
  }) {
    this.#path = parts.path;
    this.#resume = parts.place;
    this.#startAt = parts.startAt;
    this.#deliver = parts.deliver;
    this.#notice = parts.notice;
    this.#troubles = parts.troubles;
    this.#signal = parts.signal;
    this.#files = new LogFiles(this.#path, parts.olddirs, reason => this.#failed(reason));
  }

  /** What has been dealt with; null before any file was opened.  Stays after `close`. */
  get place(): Place | null {
    if (this.#current === null) return this.#resume;
    return { ...this.#current.place, older: this.#retired.places };
  }

  /** Reads all that there is.  Never throws: what went wrong is told, and tried again by the next one. */
  async read(): Promise<void> {
    if (this.#signal.aborted) return;
    try {
      this.#current ??= await this.#begin(this.#resume);
      await this.#drainRetired();
      while (this.#current !== null && (await this.#step(this.#current)));
      this.#troubles.end('failed');
      this.#failures = 0;
    } catch (error) {
      this.#leave();
      if (!this.#signal.aborted) this.#failed(reasonOf(error));
    }
  }

  close(): void {
    this.#current?.close();
    this.#retired.close();
  }

  /** The next read goes on from here; unless the file can never be read, which must not keep us from the others. */
  #leave(): void {
    this.#resume = this.place;
    if (this.#current === null) return;
    this.#current.close();
    this.#current = null;
    this.#failures++;
    if (this.#failures < MAX_FAILURES) return;
    this.#failures = 0;
    this.#resume = null;
    this.#troubles.tell({ kind: 'place lost', path: this.#path });
  }

  /**
   * Reads the current file to its end, and makes the one that comes after it the current one.
   *
   * @returns whether there is one
   */
  async #step(current: Follower): Promise<boolean> {
    if (this.#signal.aborted) return false;
    // What was written, copied and cut away before we read the first line stands in a file unseen before.
    const unseen = current.isUnread ? this.#files.unseenBefore(current.identity) : null;
    if (unseen !== null) {
      this.#goTo(unseen, 'later');
      return true;
    }
    if ((await current.drain(this.#deliver, this.#signal)) === 'cut') return this.#cut(current);
    if (this.#signal.aborted) return false;
    // Asked last: a login waits for nothing that can be asked afterwards.
    const atPath = this.#files.atPath();
    this.#noteMissing(atPath === null);
    if (atPath !== null && isSameFile(atPath, current.identity)) return false;
    return this.#next(current);
  }

  /** What comes next is found first: whatever was written to the current file before that is read then. */
  async #next(current: Follower): Promise<boolean> {
    const opened = this.#files.openPath();
    let adopted = false;
    try {
      const between = this.#files.after(current.place, opened?.identity ?? null);
      const isNext = opened !== null && !isSameFile(opened.identity, current.identity);
      if (between === null && !isNext) return false;
      if (between === null && isNext) this.#files.passOlderThan(opened.identity);
      if ((await current.drain(this.#deliver, this.#signal)) === 'cut') return true;
      if (this.#signal.aborted) return false;
      if (between !== null) this.#goTo(between, 'read');
      else if (isNext) adopted = await this.#adopt(opened);
      return true;
    } finally {
      if (opened !== null && !adopted) closeSync(opened.fd);
    }
  }

  #drainRetired(): Promise<void> {
    return this.#retired.drain(this.#deliver, this.#signal, reason => this.#failed(reason));
  }

  /** @returns whether the descriptor is in use now */
  async #adopt(opened: OpenFile): Promise<boolean> {
    // What was added to the old ones meanwhile comes before what is in the new one.
    this.#retired.retireAside(opened.identity);
    await this.#drainRetired();
    const held = this.#retired.take(opened.identity);
    const follower =
      held ?? this.#files.follow(opened, this.#path, this.#retired.positionIn(opened));
    this.#retire();
    this.#current = follower;
    if (held === null) this.#notice({ kind: 'rotated', path: this.#path });
    return held === null;
  }

  /**
   * @param current whether it has been read, or is to be read after this
   * @param position where to start, when that is known; otherwise as far as it was read before, if it was
   * @returns false when the file is not to be had: it was renamed or removed, which another look at the list tells
   */
  #goTo(file: RotatedFile, current: 'read' | 'later', position: number | null = null): boolean {
    const follower = this.#retired.take(file) ?? this.#open(file, position);
    if (follower === null) return false;
    this.#files.pass(file);
    if (current === 'read') this.#retire();
    else if (this.#current !== null) this.#retired.setAside(this.#current);
    this.#current = follower;
    return true;
  }

  #open(file: RotatedFile, position: number | null): Follower | null {
    const opened = this.#files.open(file);
    if (opened === null) return null;
    return this.#files.follow(opened, file.path, position ?? this.#retired.positionIn(opened));
  }

  /** What was cut away before it was read stands in a copy, if the log was rotated so. */
  #cut(current: Follower): boolean {
    const { place } = current;
    const findCopy = (): RotatedFile | null => this.#files.fileOf(place, current.identity);
    let copy = findCopy();
    while (copy !== null && !this.#goTo(copy, 'later', place.position)) copy = findCopy();
    current.restart();
    this.#notice({ kind: 'truncated', path: this.#path, copy: copy?.path ?? null });
    return true;
  }

  async #begin(place: Place | null): Promise<Follower | null> {
    const entry = await findEntry(this.#files, this.#startAt, place, this.#signal);
    this.#noteMissing(entry === null, 0);
    if (entry === null) return null;
    this.#resume = null;
    for (const follower of entry.older) this.#retired.add(follower);
    if (entry.lost) this.#troubles.tell({ kind: 'place lost', path: this.#path });
    const { path, position } = entry;
    this.#troubles.tell({ kind: 'opened', path, position });
    if (isMounted(this.#path)) this.#troubles.tell({ kind: 'mounted', path: this.#path });
    return entry.follower;
  }

  #retire(): void {
    if (this.#current !== null) this.#retired.add(this.#current);
  }

  #noteMissing(missing: boolean, patienceMs = MISSING_MS): void {
    if (!missing) {
      this.#missingSince = null;
      this.#troubles.end('missing');
      return;
    }
    this.#missingSince ??= performance.now();
    if (performance.now() - this.#missingSince >= patienceMs)
      this.#troubles.begin({ kind: 'missing', path: this.#path });
  }

  #failed(reason: string): void {
    this.#troubles.begin({ kind: 'failed', path: this.#path, reason });
  }
}
