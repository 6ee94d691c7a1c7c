/**
 * A log as `tail -F` shows it: what is added from now on, by the npm package tail-file.
 *
 * Promises: complete lines in their order, through rotation by renaming and by copying and emptying; a file that does not exist
 * yet, or not for a while, is waited for and read from its beginning then; a line of more than `MAX_LINE` bytes is handed out as
 * an empty one and never held whole; after `end` nothing comes.
 * Leaves to others: whatever must not lose a line.  What tail-file (1.4.16) was measured to lose costs nothing here, where
 * somebody looks on: of a file that was emptied and filled again to the old size or beyond, the first lines; what was added to a
 * renamed file after its successor had a line; and what follows may begin in the middle of a line.  So the daemon has its own
 * (follower.ts tells the numbers).  Replaced in the package are its way of splitting, which keeps a line without an
 * end in memory however long it grows, counts characters and hands over a line for each turn of the event loop (180,000 a second, where
 * these blocks bring millions), and its search for packed files.
 */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import TailFile from 'tail-file';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';
import { Splitter } from './splitter.ts';

const READ_SIZE = 64 * 1024;
/** For files whose changes the directory does not tell: behind a symbolic link, or on another machine. */
const POLL_MS = 1000;

/** What is heard of a log. */
export interface TailListener {
  /** Lines without their ends, a character a byte (latin1). */
  lines(lines: readonly string[]): void;
  /** It is open, for the first time or another one. */
  following(): void;
  /** It cannot be read; told once until it can. @param reason null when it does not exist */
  waiting(reason: string | null): void;
}

export class Tail {
  readonly #splitting: SplittingTail;
  readonly #poll: NodeJS.Timeout;
  /** Why it cannot be read, as told. */
  #told: string | null | undefined;

  /** @throws Failure LOG_UNREADABLE when the file is there, or its directory is not */
  constructor(path: string, listener: TailListener) {
    requireReadable(path);
    this.#splitting = new SplittingTail(path, lines => listener.lines(lines));
    this.#splitting.on('ready', () => {
      this.#told = undefined;
      listener.following();
    });
    this.#splitting.on('error', (error: unknown) => {
      const reason = errnoOf(error) === 'ENOENT' ? null : reasonOf(error);
      if (reason === this.#told) return;
      this.#told = reason;
      listener.waiting(reason);
    });
    this.#splitting.start();
    this.#poll = setInterval(() => this.#splitting.look(), POLL_MS);
  }

  /** Lines skipped so far for their length. */
  get tooLong(): number {
    return this.#splitting.tooLong;
  }

  end(): void {
    clearInterval(this.#poll);
    this.#splitting.end();
  }
}

class SplittingTail extends TailFile {
  readonly #splitter = new Splitter();
  readonly #deliver: (lines: readonly string[]) => void;
  #ended = false;

  constructor(path: string, deliver: (lines: readonly string[]) => void) {
    super(path, { force: true, secondary: `${path}.1`, _bufsize: READ_SIZE });
    this.#deliver = deliver;
  }

  get tooLong(): number {
    return this.#splitter.tooLong;
  }

  look(): void {
    if (typeof this.fd === 'number') this.readStuff();
  }

  end(): void {
    this.#ended = true;
    this.watcher?.close();
    this._stop();
  }

  override startTail(path: string): void {
    if (!this.#ended) super.startTail(path);
  }

  override decode(chunk: Buffer | null): void {
    if (this.#ended) return;
    if (chunk === null) {
      this.onEndOfFile();
      return;
    }
    const lines = this.#splitter.push(chunk);
    if (lines.length > 0) this.#deliver(lines);
    this.readStuff();
  }

  /** What comes next is another file, or the same one from its beginning. */
  override _stop(): void {
    super._stop();
    this.#splitter.reset();
  }
}

function requireReadable(path: string): void {
  for (const [place, mode] of [
    [dirname(path), constants.X_OK],
    [path, constants.R_OK],
  ] as const) {
    try {
      accessSync(place, mode);
    } catch (error) {
      if (place === path && errnoOf(error) === 'ENOENT') return;
      throw failure('LOG_UNREADABLE', { path: place, reason: reasonOf(error) }, error);
    }
  }
}
