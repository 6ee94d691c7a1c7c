/**
 * tail-file, following one open file until there is another one at its path.
 *
 * tail-file contributes the watching of the directory, the reading, and the decision at the end of the
 * file whether it was replaced or truncated.  Replaced here, because of how 1.4.16 does it:
 * - decoding: it would keep an unbounded line of characters; here each read's bytes are handed out, and
 *   the next read waits until they have been dealt with;
 * - opening: it opens by path a second time, and may get another file than the one it looked at; here the
 *   caller opens, and keeps the descriptor, to read what a slow writer still adds after a rotation;
 * - restarting: it would begin again by itself, and not at all after an error; here it says that it has
 *   `moved`, and is done.
 */
import Tail from 'tail-file';

/** A file that is open for reading, as fstat(2) knows it. */
export interface OpenFile {
  readonly fd: number;
  readonly ino: number;
}

export interface FollowerEvents {
  /** Bytes in the order of the file; they may be overwritten once the promise has resolved. */
  chunk(bytes: Buffer): Promise<void>;
  /** There is another file at the path (`replaced`), or this one has become shorter (`truncated`). */
  moved(how: 'replaced' | 'truncated'): void;
  /** The directory cannot be watched: only `wake` makes it read from here on. */
  unwatched(error: unknown): void;
  failed(error: unknown): void;
}

/** Bytes of one read; tail-file's own 4 KiB make reading a fifth as fast. */
const READ_SIZE = 256 * 1024;

export class Follower extends Tail {
  readonly #events: FollowerEvents;
  #ended = false;
  /** tail-file forgets its own position before it says that it is done. */
  #position: number;

  constructor(path: string, file: OpenFile, position: number, events: FollowerEvents) {
    super(path, { _bufsize: READ_SIZE });
    this.#events = events;
    this.#position = position;
    this.setBytePos(position);
    this.fd = file.fd;
    this.ino = file.ino;
    this.on('restart', reason => this.#end(() => events.moved(how(reason))));
    this.on('error', error => this.#end(() => events.failed(error)));
  }

  /** The byte behind the last one handed out. */
  get position(): number {
    return this.#position;
  }

  follow(): void {
    try {
      this.startTail(this.filename);
    } catch (error) {
      // No inotify left (ENOSPC), or a file system without: the rest works all the same.
      this.started = this.filename;
      this.#events.unwatched(error);
      this.readStuff();
    }
  }

  /** Looks for more, as after a change in the directory. */
  wake(): void {
    if (!this.#ended && this.started !== null) this.checkDir('change', this.filename);
  }

  /** Ends the following; the descriptor stays open. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.stop();
  }

  override createReader(): void {
    // The descriptor was given.
  }

  override getLine(): void {
    this.readStuff();
  }

  override start(): void {
    // tail-file would follow the new file from here on; `moved` was emitted just before.
  }

  override _stop(): void {
    // The descriptor belongs to the caller.
    this.fd = null;
    super._stop();
  }

  override decode(chunk: Buffer | null): void {
    if (chunk === null) {
      this.onEndOfFile();
      return;
    }
    this.reading = true;
    this.#position += chunk.length;
    this.#events.chunk(chunk).then(
      () => {
        this.reading = false;
        if (!this.#ended) this.readStuff();
      },
      (error: unknown) => this.#end(() => this.#events.failed(error)),
    );
  }

  #end(tell: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    tell();
  }
}

const how = (reason: string): 'replaced' | 'truncated' =>
  reason === 'TRUNCATE' ? 'truncated' : 'replaced';
