/**
 * The history's file beside the map: an LMDB of its own, which Postfix never opens.
 *
 * Keys are the hour and a number that no other block has; values are blocks (block.ts); behind them stand the messages that are in the
 * queue.  LMDB's own locking is left out as it is for the maps (packaging/lmdb/nolock.h), so whoever reads holds a shared lock on the file
 * and whoever writes an exclusive one.
 * Promises: a commit is made in a thread of LMDB's, with the disk asked, so that the file is whole after kill -9 and a power failure, and
 * nothing here waits but whoever awaits it; a file that ended the program when it was opened is moved away at the next opening,
 * so that a damaged one costs the history and no grant.
 * Known limit: a file does not shrink; what was deleted is room for what comes.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { Failure, failure, reasonOf } from '../base/errors.ts';
import { loadLmdb, type Store } from '../map/lmdb-store.ts';
import { lock } from '../map/lock.ts';
import { PRIVATE } from '../state/new-file.ts';
import { blockKey, KEY_BYTES, readBlock } from './block.ts';
import type { Entry } from './entry.ts';

/** Before the ids of open messages; no hour begins so until the year 2404. */
const MESSAGE = 0xff;
/** Blocks that are deleted in one transaction. */
const MOST_DELETED = 256;
/** Seconds for which a reader waits for the writer. */
const PATIENCE_MS = 10_000;
/** Bytes of the disk that the history leaves to others. */
const RESERVE = 16 * 2 ** 20;
/** Of its size, what may be used: a commit needs room beside what it replaces. */
const USABLE = 0.8;

/** What a commit writes. */
export interface Commit {
  readonly blocks: readonly { readonly key: Buffer; readonly bytes: Buffer }[];
  /** By their ids; null for what is in the queue no more. */
  readonly messages: ReadonlyMap<string, unknown>;
}

const firstOf = (hour: number): Buffer => blockKey(Math.max(0, Math.floor(hour)), 0);
const BLOCKS_END = Buffer.from([MESSAGE]);
const LAST = Buffer.alloc(KEY_BYTES, 0xff);

const messageKey = (id: string): Buffer =>
  Buffer.concat([BLOCKS_END, Buffer.from(id.slice(0, 400))]);

export class HistoryFile {
  readonly path: string;
  readonly #store: Store;
  readonly #file: FileHandle;
  readonly #most: number;

  private constructor(path: string, store: Store, file: FileHandle, most: number) {
    this.path = path;
    this.#store = store;
    this.#file = file;
    this.#most = most;
  }

  /**
   * Opens it for writing, and makes one if there is none.
   *
   * @param most bytes that it may have
   * @param warn told when an older one was moved away
   * @throws Failure HISTORY
   */
  static async open(
    path: string,
    most: number,
    warn: (text: string) => void,
  ): Promise<HistoryFile> {
    const mark = `${path}-opening`;
    try {
      if (existsSync(mark) && existsSync(path)) {
        renameSync(path, `${path}-damaged`);
        warn(`the history ${path} could not be opened the last time; it is now ${path}-damaged`);
      }
      closeSync(openSync(path, 'a', PRIVATE));
      await requireSpace(path, 0);
      writeFileSync(mark, '');
      const opened = await HistoryFile.#openStore(path, most, false);
      // What would end the program would do so here.
      opened.#store.getStats();
      rmSync(mark, { force: true });
      return opened;
    } catch (error) {
      if (existsSync(mark)) rmSync(mark, { force: true });
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
   * @throws Failure HISTORY, HISTORY_MISSING
   */
  static async openForReading(path: string): Promise<HistoryFile> {
    HistoryFile.require(path);
    try {
      return await HistoryFile.#openStore(path, 0, true);
    } catch (error) {
      throw historyFailure(path, error);
    }
  }

  static async #openStore(path: string, most: number, readOnly: boolean): Promise<HistoryFile> {
    const lmdb = await loadLmdb();
    const file = await open(path, readOnly ? 'r' : 'r+');
    try {
      const held = await lock(file.fd, readOnly ? 'shared' : 'exclusive', PATIENCE_MS);
      try {
        const { size } = await file.stat();
        const store = lmdb.open<Buffer, Buffer>({
          path,
          encoding: 'binary',
          keyEncoding: 'binary',
          noSubdir: true,
          // The file may be larger than what it is to be now.
          mapSize: Math.max(Math.ceil(most / 65_536), Math.ceil(size / 65_536), 16) * 65_536,
          maxDbs: 1,
          readOnly,
          commitDelay: 0,
          // A promise of the package's own for each turn, which nobody could await, would end the program when a commit fails.
          eventTurnBatching: false,
        });
        return new HistoryFile(path, store, file, most);
      } finally {
        held.release();
      }
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes on the disk. */
  get size(): number {
    return fstatSync(this.#file.fd).size;
  }

  /** @throws Failure HISTORY; nothing was written then, or all */
  async write({ blocks, messages }: Commit): Promise<void> {
    const needed = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    await requireSpace(this.path, needed);
    await this.#locked('exclusive', () =>
      this.#committed(() => [
        ...blocks.map(({ key, bytes }) => this.#store.put(key, bytes)),
        ...[...messages].map(([id, message]) =>
          message === null
            ? this.#store.remove(messageKey(id))
            : this.#store.put(messageKey(id), Buffer.from(JSON.stringify(message))),
        ),
      ]),
    );
  }

  /**
   * Deletes what is older than an hour, and the oldest beyond the size; a part at a time.
   *
   * @returns whether there is more to delete
   * @throws Failure HISTORY
   */
  async trim(before: number): Promise<boolean> {
    await requireSpace(this.path, 0);
    return this.#locked('exclusive', async () => {
      const isFull = this.#used() > this.#most * USABLE;
      const end = isFull ? BLOCKS_END : firstOf(before);
      const keys = [...this.#store.getKeys({ end, limit: MOST_DELETED })];
      await this.#committed(() => keys.map(key => this.#store.remove(key)));
      return keys.length === MOST_DELETED || (isFull && keys.length > 0);
    });
  }

  /**
   * Goes through the entries of some hours, oldest hour first; within one in no order.
   *
   * @param from the first hour
   * @param to behind the last
   * @param mayMatter whether a block's bytes are worth reading
   * @throws Failure HISTORY
   */
  visit(
    from: number,
    to: number,
    take: (entry: Entry) => void,
    mayMatter: (bytes: Buffer) => boolean = () => true,
  ): Promise<void> {
    return this.#locked('shared', () => {
      for (const { value } of this.#store.getRange({ start: firstOf(from), end: firstOf(to) }))
        if (mayMatter(value)) readBlock(value, take);
    });
  }

  /** The hours of the oldest and the newest block; null without any. @throws Failure HISTORY */
  span(): Promise<{ readonly first: number; readonly last: number } | null> {
    return this.#locked('shared', () => {
      const [first] = this.#store.getKeys({ end: BLOCKS_END, limit: 1 });
      const [last] = this.#store.getKeys({ start: BLOCKS_END, reverse: true, limit: 1 });
      if (first === undefined || last === undefined) return null;
      return { first: first.readUInt32BE(0), last: last.readUInt32BE(0) };
    });
  }

  /** The messages that are in the queue. @throws Failure HISTORY */
  messages(): Promise<unknown[]> {
    return this.#locked('shared', () =>
      [...this.#store.getRange({ start: BLOCKS_END, end: LAST })].map(({ value }) =>
        parsed(value.toString()),
      ),
    );
  }

  async close(): Promise<void> {
    await this.#store.close();
    await this.#file.close();
  }

  #used(): number {
    const stats = this.#store.getStats();
    const count = (name: string): number => {
      const value = Object.entries(stats).find(([key]) => key === name)?.[1];
      return typeof value === 'number' ? value : 0;
    };
    const pages =
      count('treeBranchPageCount') + count('treeLeafPageCount') + count('overflowPages');
    return pages * count('pageSize');
  }

  /** Writes in one transaction. @throws Error of what fails */
  async #committed(write: () => readonly Promise<unknown>[]): Promise<void> {
    let writes: readonly Promise<unknown>[] = [];
    const batch = this.#store.batch(() => {
      writes = write();
    });
    const settled = await Promise.allSettled([batch, ...writes]);
    for (const one of settled) if (one.status === 'rejected') throw await commitError(one.reason);
  }

  async #locked<T>(kind: 'shared' | 'exclusive', use: () => T | Promise<T>): Promise<T> {
    try {
      const held = await lock(this.#file.fd, kind, PATIENCE_MS);
      try {
        return await use();
      } finally {
        held.release();
      }
    } catch (error) {
      throw historyFailure(this.path, error);
    }
  }
}

/** @throws Failure HISTORY while the disk is nearly full: what is left is the grants' */
async function requireSpace(path: string, needed: number): Promise<void> {
  let free: number;
  try {
    const { bavail, bsize } = await statfs(path);
    free = bavail * bsize;
  } catch (error) {
    throw historyFailure(path, error);
  }
  if (free >= RESERVE + needed) return;
  const reason = `only ${Math.floor(free / 2 ** 20)} MB are free on the disk, which are left to the grants`;
  throw failure('HISTORY', { path, reason });
}

/** The package tells why a commit has failed in a promise behind its error, which ends the program unless it is awaited. */
async function commitError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
  } catch (reason) {
    return reason;
  }
  return error;
}

const historyFailure = (path: string, error: unknown): Failure =>
  error instanceof Failure ? error : failure('HISTORY', { path, reason: reasonOf(error) }, error);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
