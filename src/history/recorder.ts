/**
 * Collects entries into blocks, and commits them now and then.
 *
 * Promises: adding costs no commit and waits for nothing; what could not be written is told once, is kept up to a bound and tried
 * again after a while; beyond the bound the oldest is dropped, and how much is told when it can be written again.  While somebody
 * reads, entries wait; who does not come to an end of it is told of.
 * Leaves to others: when to commit (the daemon, once a second), how long a close may take, what the entries are.
 */
import { type ErrorCode, Failure } from '../base/errors.ts';
import { BLOCK_BYTES, BlockWriter, blockKey, hourOf, type StoredBlock } from './block.ts';
import type { Entry } from './entry.ts';
import type { HistoryFile } from './history-file.ts';

/** What may wait. */
const MOST_WAITING = 4 * 1024 * 1024;
const MOST_MESSAGES = 65_536;
/** Seconds between two tries, and between two deletions of what is too old. */
const RETRY = 60;
const TRIM = 60;
/** Seconds for which a lock is nothing to be told of: whoever reads is done with a page in milliseconds. */
const PATIENCE = 10;
/** Seconds to the second opening of a file that LMDB writes to no more, doubled for each: none is given back. */
const REOPEN = 60;
const LONGEST_REOPEN = 3600;
/** What is told of a close that could not write. */
export const LOST = 'what happened last is not in it';

/** What it takes of a file. */
export type WrittenFile = Pick<HistoryFile, 'write' | 'trim' | 'close' | 'isReplaced' | 'isSpent'>;

interface OpenBlock {
  readonly key: Buffer;
  readonly writer: BlockWriter;
  /** How much of it was committed. */
  written: number;
}

export interface RecorderParts {
  /** Asked again after it has failed. @throws Failure */
  readonly open: () => Promise<WrittenFile>;
  /** Of the first block (block.ts, firstSerial). */
  readonly serial: number;
  /** Seconds after which entries are deleted. */
  readonly age: number;
  readonly warn: (text: string) => void;
  /** Told of each try that failed. */
  readonly failed?: () => void;
}

export class Recorder {
  readonly #parts: RecorderParts;
  #file: WrittenFile | null = null;
  readonly #blocks = new Map<number, OpenBlock>();
  #closed: StoredBlock[] = [];
  #messages = new Map<string, unknown>();
  #serial: number;
  /** What is wrong with the file; and what of it was told. */
  #problem: Failure | null = null;
  #told: ErrorCode | null = null;
  /** Since when others have been in the way. */
  #lockedSince: number | null = null;
  #dropped = 0;
  #retryAt = 0;
  #trimAt = 0;
  #isClosing = false;
  #reopenAt = 0;
  #reopenAfter = REOPEN;
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#serial = parts.serial;
  }

  add(entry: Entry): void {
    const hour = hourOf(entry.time);
    const block = this.#blocks.get(hour) ?? this.#begin(hour);
    block.writer.add(entry);
    if (block.writer.length < BLOCK_BYTES) return;
    this.#blocks.delete(hour);
    this.#close(block);
  }

  /** What has become of messages in the queue. */
  note(messages: Iterable<readonly [id: string, message: unknown]>): void {
    for (const [id, message] of messages) this.#messages.set(id, message);
    this.#boundMessages();
  }

  /** Commits what has been added, if it can be; never throws. @param now in Unix time */
  commit(now: number): Promise<void> {
    this.#turn = this.#turn.then(() => this.#commit(now));
    return this.#turn;
  }

  /**
   * Commits and closes, or tells that it could not; never throws.
   *
   * @param now in Unix time
   * @param given aborted when nobody waits for it any more
   */
  async close(now: number, given?: AbortSignal): Promise<void> {
    this.#retryAt = 0;
    this.#isClosing = true;
    await this.commit(now);
    const isWritten = !this.#waits;
    try {
      await this.#file?.close();
      this.#file = null;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#problem = error;
    }
    if (given?.aborted === true || (isWritten && this.#problem === null)) return;
    // Why, only where it was not told before.
    const why = this.#told === this.#problem?.code ? null : this.#problem;
    this.#parts.warn(`${why?.line ?? 'the history could not be written'}; ${LOST}`);
  }

  /** Whether there is something that was not written. */
  get #waits(): boolean {
    const isGrown = [...this.#blocks.values()].some(
      ({ writer, written }) => writer.length > written,
    );
    return isGrown || this.#closed.length + this.#messages.size > 0;
  }

  #begin(hour: number): OpenBlock {
    const key = blockKey(hour, this.#serial++);
    const block = { key, writer: new BlockWriter(hour), written: 0 };
    this.#blocks.set(hour, block);
    return block;
  }

  #close({ key, writer, written }: OpenBlock): void {
    if (writer.length === written) return;
    this.#closed.push(writer.stored(key));
    this.#bound();
  }

  #bound(): void {
    let waiting = this.#closed.reduce((sum, { bytes }) => sum + bytes.length, 0);
    while (waiting > MOST_WAITING) {
      waiting -= this.#closed.shift()?.bytes.length ?? 0;
      this.#dropped++;
    }
  }

  /** The oldest first: after a restart no more is known of them than the file has. */
  #boundMessages(): void {
    for (const id of this.#messages.keys()) {
      if (this.#messages.size <= MOST_MESSAGES) return;
      this.#messages.delete(id);
    }
  }

  async #commit(now: number): Promise<void> {
    // Whatever the clock is set to.
    if (now < this.#retryAt && this.#retryAt - now <= RETRY) return;
    const open = [...this.#blocks.values()].filter(
      ({ writer, written }) => writer.length > written,
    );
    const closed = this.#closed;
    const messages = this.#messages;
    const grown = open.map(block => ({ block, ...block.writer.stored(block.key) }));
    const isDue = now >= this.#trimAt;
    if (grown.length + closed.length + messages.size === 0 && !isDue) return;
    this.#closed = [];
    this.#messages = new Map();
    try {
      const file = await this.#opened(now);
      if (grown.length + closed.length + messages.size > 0)
        await file.write({ blocks: [...closed, ...grown], messages });
      for (const { block, bytes } of grown) block.written = bytes.length;
      this.#forgetOld(now);
      if (isDue) await this.#trim(file, now);
      this.#recovered();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#closed = [...closed, ...this.#closed];
      this.#messages = new Map([...messages, ...this.#messages]);
      this.#bound();
      this.#boundMessages();
      this.#fail(error, now);
    }
  }

  /** The file; opened anew when it is another one by now, or cannot be written as it is. */
  async #opened(now: number): Promise<WrittenFile> {
    const before = this.#file;
    if (before !== null) {
      const isSpent = before.isSpent && now >= this.#reopenAt;
      if (!before.isReplaced && !isSpent) return before;
      if (isSpent) {
        this.#reopenAt = now + this.#reopenAfter;
        this.#reopenAfter = Math.min(2 * this.#reopenAfter, LONGEST_REOPEN);
      }
      this.#file = null;
      await before.close();
    }
    const file = await this.#parts.open();
    this.#file = file;
    return file;
  }

  #fail(error: Failure, now: number): void {
    const isLocked = error.code === 'HISTORY_LOCKED';
    this.#problem = error;
    this.#lockedSince = isLocked ? (this.#lockedSince ?? now) : null;
    if (this.#lockedSince !== null && now - this.#lockedSince < PATIENCE) return;
    // Who reads may be done at any moment.
    if (!isLocked) this.#retryAt = now + RETRY;
    this.#parts.failed?.();
    // What is wrong at the end, the close tells.
    if (this.#told === error.code || this.#isClosing) return;
    this.#told = error.code;
    this.#parts.warn(`${error.line}; what is to be kept there waits`);
  }

  /** Late lines of an hour that is over begin a block of their own. */
  #forgetOld(now: number): void {
    for (const [hour, { writer, written }] of this.#blocks)
      if (hour < hourOf(now) - 1 && writer.length === written) this.#blocks.delete(hour);
  }

  async #trim(file: WrittenFile, now: number): Promise<void> {
    const isMore = await file.trim(hourOf(now - this.#parts.age));
    this.#trimAt = isMore ? now + 1 : now + TRIM;
  }

  #recovered(): void {
    this.#lockedSince = null;
    this.#problem = null;
    if (this.#told === null) return;
    const lost = this.#dropped > 0 ? `; ${this.#dropped} blocks of it are lost` : '';
    this.#parts.warn(`the history can be written again${lost}`);
    this.#told = null;
    this.#dropped = 0;
  }
}
