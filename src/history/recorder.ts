/**
 * Collects entries into blocks, and commits them now and then.
 *
 * Promises: adding costs no commit and waits for nothing; what could not be written is told once, is kept up to a bound and tried
 * again after a while; beyond the bound the oldest is dropped, and how much is told when it can be written again.
 * Leaves to others: when to commit (the daemon, once a second), what the entries are.
 */
import { Failure } from '../base/errors.ts';
import { BLOCK_BYTES, BlockWriter, blockKey, hourOf } from './block.ts';
import type { Entry } from './entry.ts';
import type { HistoryFile } from './history-file.ts';

/** What may wait. */
const MOST_WAITING = 4 * 1024 * 1024;
const MOST_MESSAGES = 65_536;
/** Seconds between two tries, and between two deletions of what is too old. */
const RETRY = 60;
const TRIM = 60;

interface OpenBlock {
  readonly key: Buffer;
  readonly writer: BlockWriter;
  /** How much of it was committed. */
  written: number;
}

interface ClosedBlock {
  readonly key: Buffer;
  readonly bytes: Buffer;
}

export interface RecorderParts {
  /** Asked again after it has failed. @throws Failure */
  readonly open: () => Promise<HistoryFile>;
  /** Of the first block (block.ts, firstSerial). */
  readonly serial: number;
  /** Seconds after which entries are deleted. */
  readonly age: number;
  readonly warn: (text: string) => void;
}

export class Recorder {
  readonly #parts: RecorderParts;
  #file: HistoryFile | null = null;
  readonly #blocks = new Map<number, OpenBlock>();
  #closed: ClosedBlock[] = [];
  #messages = new Map<string, unknown>();
  #serial: number;
  #failed = false;
  #dropped = 0;
  #retryAt = 0;
  #trimAt = 0;
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

  async close(now: number): Promise<void> {
    this.#retryAt = 0;
    await this.commit(now);
    await this.#file?.close();
    this.#file = null;
  }

  #begin(hour: number): OpenBlock {
    const key = blockKey(hour, this.#serial++);
    const block = { key, writer: new BlockWriter(hour), written: 0 };
    this.#blocks.set(hour, block);
    return block;
  }

  #close({ key, writer, written }: OpenBlock): void {
    if (writer.length === written) return;
    this.#closed.push({ key, bytes: writer.bytes() });
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
    if (now < this.#retryAt) return;
    const open = [...this.#blocks.values()].filter(
      ({ writer, written }) => writer.length > written,
    );
    const closed = this.#closed;
    const messages = this.#messages;
    const grown = open.map(block => ({ block, key: block.key, bytes: block.writer.bytes() }));
    const isDue = now >= this.#trimAt;
    if (grown.length + closed.length + messages.size === 0 && !isDue) return;
    this.#closed = [];
    this.#messages = new Map();
    try {
      this.#file ??= await this.#parts.open();
      if (grown.length + closed.length + messages.size > 0)
        await this.#file.write({ blocks: [...closed, ...grown], messages });
      for (const { block, bytes } of grown) block.written = bytes.length;
      this.#forgetOld(now);
      if (isDue) await this.#trim(this.#file, now);
      this.#recovered();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#closed = [...closed, ...this.#closed];
      this.#messages = new Map([...messages, ...this.#messages]);
      this.#bound();
      this.#boundMessages();
      this.#retryAt = now + RETRY;
      if (!this.#failed) this.#parts.warn(`${error.line}; what is to be kept there waits`);
      this.#failed = true;
    }
  }

  /** Late lines of an hour that is over begin a block of their own. */
  #forgetOld(now: number): void {
    for (const [hour, { writer, written }] of this.#blocks)
      if (hour < hourOf(now) - 1 && writer.length === written) this.#blocks.delete(hour);
  }

  async #trim(file: HistoryFile, now: number): Promise<void> {
    const isMore = await file.trim(hourOf(now - this.#parts.age));
    this.#trimAt = isMore ? now + 1 : now + TRIM;
  }

  #recovered(): void {
    if (!this.#failed) return;
    const lost = this.#dropped > 0 ? `; ${this.#dropped} blocks of it are lost` : '';
    this.#parts.warn(`the history can be written again${lost}`);
    this.#failed = false;
    this.#dropped = 0;
  }
}
