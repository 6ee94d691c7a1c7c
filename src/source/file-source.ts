/**
 * A log file, followed through whatever happens to it.
 *
 * Promises: starts where it is told and misses nothing after that; waits for a log that does not exist
 * yet, and reads it from its beginning; after a rotation reads the old file to its end, and what a
 * writer that has not noticed still adds to it for a minute; after any error tries again, at the byte where it
 * stopped.  A symbolic link is followed to the file that it names, and to another one when it is switched.
 * Where the kernel reports no changes, a poll four times a second finds them.
 * Known limits: between a truncation (copytruncate) and the read before it, lines are lost; a file that
 * was replaced by another with the same inode number is taken for the same one.
 */
import { closeSync, fstatSync, openSync, realpathSync } from 'node:fs';
import { errnoOf, reasonOf } from '../errors.ts';
import { Follower } from './follower.ts';
import { RetiredFile } from './retired-file.ts';
import type { Notice, Receiver, Source } from './source.ts';
import { Splitter } from './splitter.ts';

const POLL_MS = 250;
/** How long a writer may take to notice a rotation; rsyslog and Dovecot are told at once, by a signal. */
const LINGER_MS = 60_000;
/** A log full of overlong lines must not fill ours. */
const TOO_LONG_EVERY_MS = 60_000;

/** Where to start in a file that is open for reading, in bytes. */
export type StartPosition = (fd: number, size: number) => number;

interface Current {
  readonly follower: Follower;
  readonly fd: number;
  readonly ino: number;
  readonly realPath: string;
  readonly splitter: Splitter;
}

/** Where reading broke off. */
interface Place {
  readonly ino: number;
  readonly position: number;
  readonly splitter: Splitter;
}

export class FileSource implements Source {
  readonly #path: string;
  readonly #receiver: Receiver;
  readonly #startAt: StartPosition;
  #current: Current | null = null;
  #retired: RetiredFile[] = [];
  #resume: Place | null = null;
  #poll: NodeJS.Timeout | null = null;
  /** What is being delivered, or was last. */
  #delivery: Promise<void> = Promise.resolve();
  /** The kind of the last notice, so that a lasting trouble is told once. */
  #trouble: string | null = null;
  #tooLongTold = { count: 0, at: Number.NEGATIVE_INFINITY };
  /** Any other file at the path is read from its beginning, once one has been followed. */
  #followed = false;
  /** The old file is being read to its end, and no other is opened meanwhile. */
  #rotating = false;

  constructor(path: string, receiver: Receiver, startAt: StartPosition) {
    this.#path = path;
    this.#receiver = receiver;
    this.#startAt = startAt;
  }

  start(): void {
    this.#poll = setInterval(() => this.#tick(), POLL_MS);
    this.#open();
  }

  async stop(): Promise<void> {
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#poll = null;
    const current = this.#current;
    this.#current = null;
    await current?.follower.end();
    await this.#delivery;
    if (current !== null) closeSync(current.fd);
    await Promise.all(this.#retired.map(file => file.close()));
    this.#retired = [];
  }

  #tick(): void {
    const current = this.#current;
    if (current === null) this.#reopen();
    else if (this.#isSwitched(current)) void this.#replaced(current);
    else current.follower.wake();
    this.#retired = this.#retired.filter(file => !file.closed);
    for (const file of this.#retired) void this.#drain(file);
  }

  #reopen(): void {
    if (this.#poll !== null && !this.#rotating) this.#open();
  }

  /** Whether a symbolic link now names another file. */
  #isSwitched({ realPath }: Current): boolean {
    try {
      return realpathSync(this.#path) !== realPath;
    } catch {
      // Gone for the moment: the follower goes on until something else is there.
      return false;
    }
  }

  #open(): void {
    let fd: number | null = null;
    try {
      const realPath = realpathSync(this.#path);
      fd = openSync(realPath, 'r');
      this.#follow(realPath, fd);
    } catch (error) {
      if (fd !== null) closeSync(fd);
      this.#tell(
        errnoOf(error) === 'ENOENT'
          ? { kind: 'missing', path: this.#path }
          : { kind: 'failed', path: this.#path, reason: reasonOf(error) },
      );
    }
  }

  #follow(realPath: string, fd: number): void {
    const { ino, size } = fstatSync(fd);
    const resume = this.#resume;
    this.#resume = null;
    const same = resume !== null && resume.ino === ino && resume.position <= size;
    const fresh = this.#followed ? 0 : this.#startAt(fd, size);
    const position = same ? resume.position : fresh;
    this.#followed = true;
    const splitter = same ? resume.splitter : new Splitter();
    this.#followFrom({ realPath, fd, ino, splitter }, position);
    this.#trouble = null;
    if (!same) this.#receiver.notice({ kind: 'opened', path: this.#path, position });
  }

  #followFrom(file: Omit<Current, 'follower'>, position: number): void {
    const follower = new Follower(file.realPath, file, position, {
      chunk: bytes => this.#deliver(file.splitter, bytes),
      moved: how => this.#moved(how),
      unwatched: error =>
        this.#tell({ kind: 'polling', path: this.#path, reason: reasonOf(error) }),
      failed: error => this.#failed(error),
    });
    this.#current = { ...file, follower };
    follower.follow();
  }

  #deliver(splitter: Splitter, bytes: Buffer): Promise<void> {
    const lines = splitter.push(bytes);
    this.#tellTooLong(splitter);
    if (lines.length === 0) return Promise.resolve();
    this.#delivery = this.#receiver.lines(lines);
    return this.#delivery;
  }

  #moved(how: 'replaced' | 'truncated'): void {
    const current = this.#current;
    if (current === null) return;
    if (how === 'replaced') void this.#replaced(current);
    else this.#truncated(current);
  }

  /** Goes on with the new file once the old one has been read to its end. */
  async #replaced({ fd, splitter, follower }: Current): Promise<void> {
    this.#current = null;
    this.#rotating = true;
    const position = follower.position;
    void follower.end();
    const retired = new RetiredFile(fd, position, LINGER_MS, bytes =>
      this.#deliver(splitter, bytes),
    );
    this.#retired.push(retired);
    this.#receiver.notice({ kind: 'rotated', path: this.#path });
    await this.#delivery;
    await this.#drain(retired);
    this.#rotating = false;
    this.#reopen();
  }

  async #drain(file: RetiredFile): Promise<void> {
    try {
      await file.drain();
    } catch (error) {
      this.#retired = this.#retired.filter(other => other !== file);
      await file.close();
      this.#tell({ kind: 'failed', path: this.#path, reason: reasonOf(error) });
    }
  }

  #truncated(current: Current): void {
    void current.follower.end();
    current.splitter.reset();
    this.#receiver.notice({ kind: 'truncated', path: this.#path });
    this.#followFrom(current, 0);
  }

  /** Leaves the file; the next tick opens it again. */
  #failed(error: unknown): void {
    const current = this.#current;
    if (current === null) return;
    this.#current = null;
    const { follower, ino, splitter, fd } = current;
    this.#resume = { ino, position: follower.position, splitter };
    void follower.end().finally(() => closeSync(fd));
    this.#tell({ kind: 'failed', path: this.#path, reason: reasonOf(error) });
  }

  #tell(notice: Notice): void {
    if (this.#trouble === notice.kind) return;
    this.#trouble = notice.kind;
    this.#receiver.notice(notice);
  }

  #tellTooLong({ tooLong }: Splitter): void {
    const now = performance.now();
    if (tooLong <= this.#tooLongTold.count || now - this.#tooLongTold.at < TOO_LONG_EVERY_MS)
      return;
    this.#tooLongTold = { count: tooLong, at: now };
    this.#receiver.notice({ kind: 'too long', path: this.#path, count: tooLong });
  }
}
