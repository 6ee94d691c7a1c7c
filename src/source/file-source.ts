/**
 * A log file, followed through whatever happens to it.
 *
 * Promises: every complete line is delivered exactly once and in order, through rotation by rename (also with a
 * writer that stays on the old file), by copying and truncating, by a symbolic link that is switched, through
 * removal, replacement and directories that go and come back; several of these may happen between two looks.
 * Between two files the order is that of their rotation, unless one has been removed, or is still being written to
 * after it.  It waits for a log that does not exist yet; after any error
 * it tries again, from the last line that was dealt with.  `place` tells at any moment where that is, and a source that
 * is started from it goes on exactly there: in the file that has been rotated away since, in the ones after it
 * (also compressed by gzip), then in the current one.  Where the kernel reports no changes, a poll finds them.
 *
 * Not promised, since nobody can: lines that were truncated away before they were read and stand in no copy
 * (`truncated` is told with no copy), or removed with their file while nothing held it open.  Neither is a line
 * that a truncation tore in two, nor one that a writer without O_APPEND puts behind the hole it leaves there.  A source
 * that ended before it had read anything of a file cannot tell its later copy from the earlier ones.
 * When the place to go on from is gone with its file (`place lost`), reading starts as if there had been none, so
 * lines may be delivered again.
 */
import { closeSync } from 'node:fs';
import { reasonOf } from '../errors.ts';
import { findEntry } from './entry.ts';
import { type Deliver, Follower, type OpenFile } from './follower.ts';
import { LogFiles } from './log-files.ts';
import { isSameFile, type Place } from './place.ts';
import { RetiredFiles } from './retired-files.ts';
import type { RotatedFile } from './rotated.ts';
import type { Receiver, Source } from './source.ts';
import type { StartPosition } from './start.ts';
import { Troubles } from './troubles.ts';
import { Watcher } from './watcher.ts';

const POLL_MS = 250;
/** A rotation leaves the path empty for a moment, which is nothing to tell. */
const MISSING_MS = 10_000;
/** Reads of a file that may fail in a row, at a poll each, before it is left for good. */
const MAX_FAILURES = 40;

export interface FileSourceOptions {
  /** Where an earlier source has got to. */
  readonly place?: Place | null;
  /** How often to look without being told of a change, in milliseconds. */
  readonly pollMs?: number;
}

export class FileSource implements Source {
  readonly #path: string;
  readonly #receiver: Receiver;
  readonly #startAt: StartPosition;
  readonly #pollMs: number;
  readonly #files: LogFiles;
  readonly #retired = new RetiredFiles();
  readonly #watcher: Watcher;
  readonly #troubles: Troubles;
  readonly #stopping = new AbortController();
  #poll: NodeJS.Timeout | null = null;
  #current: Follower | null = null;
  /** Where to go on from, while no file is followed. */
  #resume: Place | null;
  #looking: Promise<void> = Promise.resolve();
  /** A look that has been asked for and has not begun. */
  #nextLook: Promise<void> | null = null;
  /** Reads that failed in a row. */
  #failures = 0;
  #missingSince: number | null = null;
  #tooLong = 0;

  /** @param startAt where to start when there is no place to go on from, or when it is lost */
  constructor(
    path: string,
    receiver: Receiver,
    startAt: StartPosition,
    { place = null, pollMs = POLL_MS }: FileSourceOptions = {},
  ) {
    this.#path = path;
    this.#receiver = receiver;
    this.#startAt = startAt;
    this.#pollMs = pollMs;
    this.#resume = place;
    this.#files = new LogFiles(path, reason => this.#failed(reason));
    this.#troubles = new Troubles(notice => receiver.notice(notice));
    this.#watcher = new Watcher(
      path,
      () => void this.look(),
      error => this.#troubles.begin({ kind: 'polling', path, reason: reasonOf(error) }),
    );
  }

  start(): void {
    this.#poll = setInterval(() => this.#tick(), this.#pollMs);
    this.#tick();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#watcher.close();
    await this.#looking;
    this.#current?.close();
    this.#retired.close();
  }

  /** What has been dealt with; null before any file was opened.  Stays after a stop. */
  place(): Place | null {
    if (this.#current === null) return this.#resume;
    return { ...this.#current.place, older: this.#retired.places };
  }

  /** Looks for whatever is new, and resolves once it has been delivered. */
  look(): Promise<void> {
    this.#nextLook ??= this.#looking.then(() => {
      this.#nextLook = null;
      this.#looking = this.#lookNow();
      return this.#looking;
    });
    return this.#nextLook;
  }

  #tick(): void {
    this.#watcher.check();
    void this.look();
  }

  async #lookNow(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    try {
      this.#current ??= await this.#begin(this.#resume);
      await this.#drainRetired();
      while (this.#current !== null && (await this.#step(this.#current)));
      this.#troubles.end('failed');
      this.#failures = 0;
    } catch (error) {
      this.#leave();
      this.#failed(reasonOf(error));
    }
  }

  /** The next look goes on from here; unless the file can never be read, which must not keep us from the others. */
  #leave(): void {
    this.#resume = this.place();
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
    if (this.#stopping.signal.aborted) return false;
    // What was written, copied and cut away before we read the first line stands in a file unseen before.
    const unseen = current.isUnread ? this.#files.unseenBefore(current.identity) : null;
    if (unseen !== null) {
      await this.#goTo(unseen, 'later');
      return true;
    }
    // Looked at before the read: whatever was written before the path changed is read then.
    const atPath = this.#files.atPath();
    if ((await current.drain(this.#deliver, this.#stopping.signal)) === 'cut')
      return this.#cut(current);
    if (this.#stopping.signal.aborted) return false;
    this.#noteMissing(atPath === null);
    if (atPath !== null && isSameFile(atPath, current.identity)) return false;
    return this.#next(current);
  }

  /** Opened first, listed then: so that no file can slip in between. */
  async #next(current: Follower): Promise<boolean> {
    const opened = this.#files.openPath();
    let adopted = false;
    try {
      const between = this.#files.after(current.place, opened?.identity ?? null);
      if (between !== null) {
        await this.#goTo(between, 'read');
        return true;
      }
      if (opened === null || isSameFile(opened.identity, current.identity)) return false;
      // What was added to the old ones meanwhile comes before what is in the new one.
      this.#retired.retireAside(opened.identity);
      await this.#drainRetired();
      this.#files.passOlderThan(opened.identity);
      adopted = this.#adopt(opened);
      return true;
    } finally {
      if (opened !== null && !adopted) closeSync(opened.fd);
    }
  }

  #drainRetired(): Promise<void> {
    return this.#retired.drain(this.#deliver, this.#stopping.signal, reason =>
      this.#failed(reason),
    );
  }

  /** @returns whether the descriptor is in use now */
  #adopt(opened: OpenFile): boolean {
    const held = this.#retired.take(opened.identity);
    const follower = held ?? new Follower(opened, this.#retired.positionIn(opened));
    this.#retire();
    this.#current = follower;
    if (held === null) this.#receiver.notice({ kind: 'rotated', path: this.#path });
    return held === null;
  }

  /**
   * @param current whether it has been read, or is to be read after this
   * @param position where to start, when that is known; otherwise as far as it was read before, if it was
   * @returns false when the file is not to be had: it was renamed or removed, which another look at the list tells
   */
  async #goTo(
    file: RotatedFile,
    current: 'read' | 'later',
    position: number | null = null,
  ): Promise<boolean> {
    const follower = this.#retired.take(file) ?? (await this.#open(file, position));
    if (follower === null) return false;
    this.#files.pass(file);
    if (current === 'read') this.#retire();
    else if (this.#current !== null) this.#retired.setAside(this.#current);
    this.#current = follower;
    return true;
  }

  async #open(file: RotatedFile, position: number | null): Promise<Follower | null> {
    const opened = await this.#files.open(file);
    return opened && new Follower(opened, position ?? this.#retired.positionIn(opened));
  }

  /** What was cut away before it was read stands in a copy, if the log was rotated so. */
  async #cut(current: Follower): Promise<boolean> {
    const { place } = current;
    const findCopy = (): RotatedFile | null => this.#files.fileOf(place, current.identity);
    let copy = findCopy();
    while (copy !== null && !(await this.#goTo(copy, 'later', place.position))) copy = findCopy();
    current.restart();
    this.#receiver.notice({ kind: 'truncated', path: this.#path, copy: copy?.path ?? null });
    return true;
  }

  async #begin(place: Place | null): Promise<Follower | null> {
    const entry = await findEntry(this.#files, this.#startAt, place);
    this.#noteMissing(entry === null, 0);
    if (entry === null) return null;
    this.#resume = null;
    for (const follower of entry.older) this.#retired.add(follower);
    if (entry.lost) this.#troubles.tell({ kind: 'place lost', path: this.#path });
    const { path, position } = entry;
    this.#troubles.tell({ kind: 'opened', path, position });
    return entry.follower;
  }

  #retire(): void {
    if (this.#current !== null) this.#retired.add(this.#current);
  }

  readonly #deliver: Deliver = async (lines, tooLong) => {
    this.#tooLong += tooLong;
    const count = this.#tooLong;
    if (tooLong > 0) this.#troubles.tell({ kind: 'too long', path: this.#path, count });
    await this.#receiver.lines(lines);
  };

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
