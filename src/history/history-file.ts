/**
 * The history's file beside the map: an LMDB of its own, which Postfix never opens.
 *
 * Keys are the hour and a number that no other block has; values are blocks (block.ts); behind them stand filters of what is in each
 * (block-index.ts), and the messages that are in the queue.
 * Promises: it leaves the last 16 MB of the disk to the grants (disk-space.ts), and keeps to its size by deleting the oldest; a reader
 * never keeps the daemon from writing for longer than a page takes (history-store.ts); a file that ended the program when it
 * was opened is moved away at the next opening, so that a damaged one costs the history and no grant.
 * Known limit: a file does not shrink; what was deleted is room for what comes.
 */
import {
  closeSync,
  existsSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { failure } from '../base/errors.ts';
import { PRIVATE } from '../state/new-file.ts';
import { blockKey, KEY_BYTES, type StoredBlock, serialOf } from './block.ts';
import { BlockIndex } from './block-index.ts';
import { entryReader } from './block-reader.ts';
import { requireSpace } from './disk-space.ts';
import type { Entry } from './entry.ts';
import { historyFailure } from './history-failure.ts';
import { type HistoryRow, HistoryStore } from './history-store.ts';

/** Before the keys of the blocks of which the filters are, and before the ids of open messages; no hour begins so for 130,000 years. */
const FILTER = 0xfd;
const MESSAGE = 0xff;
/** Filters that are read under one lock. */
const FILTERS = 512;
/** Blocks that are read in one turn of the event loop while a daemon works: some 2 ms. */
const FEW_BLOCKS = 4;
/** Blocks that are deleted in one transaction. */
const MOST_DELETED = 256;
/** For how long a command waits while others are in the way. */
const PATIENCE_MS = 10_000;
/** Of its size, what may be used: a commit needs room beside what it replaces. */
const USABLE = 0.8;

/** What a commit writes. */
export interface Commit {
  readonly blocks: readonly StoredBlock[];
  /** By their ids; null for what is in the queue no more. */
  readonly messages: ReadonlyMap<string, unknown>;
}

export interface WritingOptions {
  /** Bytes that it may have. */
  readonly most: number;
  /** Told when an older one was moved away. */
  readonly warn: (text: string) => void;
  /** For how long others may be in the way. */
  readonly patienceMs?: number;
}

const firstOf = (hour: number): Buffer => blockKey(Math.max(0, Math.floor(hour)), 0);
const BLOCKS_END = Buffer.from([FILTER]);
const MESSAGES = Buffer.from([MESSAGE]);
const LAST = Buffer.alloc(KEY_BYTES, 0xff);

const filterKey = (key: Buffer): Buffer => Buffer.concat([BLOCKS_END, key]);

const messageKey = (id: string): Buffer => Buffer.concat([MESSAGES, Buffer.from(id.slice(0, 400))]);

export class HistoryFile {
  readonly path: string;
  readonly #store: HistoryStore;
  readonly #most: number;

  private constructor(store: HistoryStore, most: number) {
    this.path = store.path;
    this.#store = store;
    this.#most = most;
  }

  /**
   * Opens it for writing, and makes one if there is none.
   *
   * @throws Failure HISTORY, HISTORY_FULL, HISTORY_LOCKED
   */
  static async open(
    path: string,
    { most, warn, patienceMs = PATIENCE_MS }: WritingOptions,
  ): Promise<HistoryFile> {
    const mark = `${path}-opening`;
    // Made and looked at under the lock alone, which goes with its process: what is found was left by one that has ended.
    const prepare = (): boolean => {
      if (!existsSync(mark)) {
        writeFileSync(mark, '');
        return true;
      }
      renameSync(path, `${path}-damaged`);
      rmSync(mark);
      warn(`the history ${path} could not be opened the last time; it is now ${path}-damaged`);
      return false;
    };
    const done = (): void => rmSync(mark);
    try {
      for (;;) {
        closeSync(openSync(path, 'a', PRIVATE));
        await requireSpace(path, 0);
        const store = await HistoryStore.open(path, { most, patienceMs }, prepare, done);
        if (store !== null) return new HistoryFile(store, most);
      }
    } catch (error) {
      throw historyFailure(path, error);
    }
  }

  /** An empty one has only just been made. @throws Failure HISTORY_MISSING; HISTORY where it cannot be looked for */
  static require(path: string): void {
    let size = 0;
    try {
      size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    } catch (error) {
      throw historyFailure(path, error);
    }
    if (size === 0) throw failure('HISTORY_MISSING', { path });
  }

  /**
   * Opens one that is there, for reading.
   *
   * @throws Failure HISTORY, HISTORY_LOCKED, HISTORY_MISSING
   */
  static async openForReading(path: string): Promise<HistoryFile> {
    HistoryFile.require(path);
    try {
      const store = await HistoryStore.open(path, { most: null, patienceMs: PATIENCE_MS });
      if (store === null) throw failure('HISTORY_MISSING', { path });
      return new HistoryFile(store, 0);
    } catch (error) {
      throw historyFailure(path, error);
    }
  }

  /** Whether it must be opened anew: it was removed or replaced. */
  get isReplaced(): boolean {
    return this.#store.isReplaced;
  }

  /** Whether it can be written no more unless it is opened anew. */
  get isSpent(): boolean {
    return this.#store.isSpent;
  }

  get isClosed(): boolean {
    return this.#store.isClosed;
  }

  /** @throws Failure HISTORY, HISTORY_FULL, HISTORY_LOCKED; nothing was written then, or all */
  async write({ blocks, messages }: Commit): Promise<void> {
    const needed = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    await requireSpace(this.path, needed);
    await this.#store.commit(store => [
      ...blocks.flatMap(({ key, bytes, filter }) => [
        store.put(key, bytes),
        store.put(filterKey(key), filter),
      ]),
      ...[...messages].map(([id, message]) =>
        message === null
          ? store.remove(messageKey(id))
          : store.put(messageKey(id), Buffer.from(JSON.stringify(message))),
      ),
    ]);
  }

  /**
   * Deletes what is older than an hour, and the oldest beyond the size; a part at a time.
   *
   * @returns whether there is more to delete
   * @throws Failure HISTORY, HISTORY_FULL, HISTORY_LOCKED
   */
  async trim(before: number): Promise<boolean> {
    await requireSpace(this.path, 0);
    let isMore = false;
    await this.#store.commit(store => {
      const isFull = this.#store.used > this.#most * USABLE;
      const end = isFull ? BLOCKS_END : firstOf(before);
      const keys = [...store.getKeys({ end, limit: MOST_DELETED })];
      isMore = keys.length === MOST_DELETED || (isFull && keys.length > 0);
      return keys.flatMap(key => [store.remove(key), store.remove(filterKey(key))]);
    });
    return isMore;
  }

  /**
   * Goes through the entries of some hours, oldest hour first; within one in no order.
   *
   * @param from the first hour
   * @param to behind the last
   * @throws Failure HISTORY, HISTORY_LOCKED
   */
  visit(from: number, to: number, take: (entry: Entry) => void): Promise<void> {
    return this.blocks(from, to, entryReader(take));
  }

  /**
   * The same of the blocks that were there before a run, a few at a time: who does other work meanwhile waits for a millisecond.
   *
   * @param serial the first one of that run
   */
  visitBefore(
    serial: number,
    from: number,
    to: number,
    take: (entry: Entry) => void,
  ): Promise<void> {
    const read = entryReader(take);
    const page = ({ key, value }: HistoryRow): void => {
      if (serialOf(key) < serial) read(value);
    };
    return this.#store.each(firstOf(from), firstOf(to), page, FEW_BLOCKS);
  }

  /** Goes through the entries of some blocks, of which it has the keys. @throws Failure HISTORY, HISTORY_LOCKED */
  visitBlocks(keys: readonly Buffer[], take: (entry: Entry) => void): Promise<void> {
    return this.#store.pick(keys, entryReader(take));
  }

  /** What may be in the blocks up to an hour. @param to behind the last @throws Failure HISTORY, HISTORY_LOCKED */
  async index(to: number): Promise<BlockIndex> {
    const keys = await this.#store.keys(firstOf(0), firstOf(to));
    const filters = new Map<string, Buffer>();
    await this.#store.each(
      filterKey(firstOf(0)),
      filterKey(firstOf(to)),
      ({ key, value }) => filters.set(key.toString('hex', BLOCKS_END.length), value),
      FILTERS,
    );
    return new BlockIndex(keys, filters);
  }

  /** Goes through the blocks of some hours, as `visit` does. @throws Failure HISTORY, HISTORY_LOCKED */
  blocks(from: number, to: number, take: (block: Buffer) => void): Promise<void> {
    return this.#store.each(firstOf(from), firstOf(to), ({ value }) => take(value));
  }

  /** The hours of the oldest and the newest block; null without any. @throws Failure HISTORY, HISTORY_LOCKED */
  async span(): Promise<{ readonly first: number; readonly last: number } | null> {
    const ends = await this.#store.ends(BLOCKS_END);
    if (ends === null) return null;
    const [first, last] = ends;
    return { first: first.readUInt32BE(0), last: last.readUInt32BE(0) };
  }

  /** The messages that are in the queue. @throws Failure HISTORY, HISTORY_LOCKED */
  async messages(): Promise<unknown[]> {
    const messages: unknown[] = [];
    await this.#store.each(MESSAGES, LAST, ({ value }) => messages.push(parsed(value.toString())));
    return messages;
  }

  /** @throws Failure HISTORY */
  close(): Promise<void> {
    return this.#store.close();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
