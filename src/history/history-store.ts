/**
 * The LMDB of a history: opened, locked, read by pages and written by commits.
 *
 * LMDB's own locking is left out as it is for the maps (packaging/lmdb/nolock.h), so whoever reads holds a shared lock on the file
 * and whoever writes an exclusive one, for as long as a page or a commit takes: nothing is computed, printed or awaited under a
 * reader's.  A reader that is stopped between two pages holds none.
 * Promises: a commit is made in a thread of LMDB's, with the disk asked, so that the file is whole after kill -9 and a power failure;
 * each failure is one error with the path, the system's reason and what to do; what is read is of the newest state of the file.
 * Known limits: a reader that is stopped within a page keeps writers waiting until it goes on, which HISTORY_LOCKED tells; no opening
 * is given back until the process ends (map/lmdb-store.ts).
 */
import { fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { failure } from '../base/errors.ts';
import { loadLmdb, type Store } from '../map/lmdb-store.ts';
import { holderOf, type LockKind, lockWithin } from '../map/lock.ts';
import { type FileIdentity, lossOf } from '../state/file-identity.ts';
import { commitError, historyFailure } from './history-failure.ts';

/** Bytes of a page of the map of addresses, which its size is a multiple of. */
const UNIT = 65_536;
/** Address space of a reader: more than the largest file (size.ts), since it may grow while it is read. */
const READER_BYTES = 2 ** 37;
/** Values that are read under one lock; at most 1 MB of blocks. */
const PAGE = 64;
/** Keys that are. */
const KEYS = 4096;

export interface HistoryRow {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface StoreOptions {
  /** Bytes that it may have; null to read only. */
  readonly most: number | null;
  /** For how long others may be in the way. */
  readonly patienceMs: number;
}

export class HistoryStore {
  readonly path: string;
  readonly #store: Store;
  readonly #file: FileHandle;
  readonly #identity: FileIdentity;
  readonly #patienceMs: number;
  /** Ends when what was asked for so far has ended: another lock on the same descriptor would replace the one that is held. */
  #turn: Promise<unknown> = Promise.resolve();
  #isSpent = false;
  #isClosed = false;

  private constructor(path: string, store: Store, file: FileHandle, patienceMs: number) {
    this.path = path;
    this.#store = store;
    this.#file = file;
    this.#identity = fstatSync(file.fd, { bigint: true });
    this.#patienceMs = patienceMs;
  }

  /**
   * Opens a file that is there.
   *
   * @param prepare done under the lock before LMDB sees the file; false when there is another one to be opened now
   * @param done under the lock when LMDB has opened it
   * @returns null as `prepare` says
   * @throws Failure HISTORY, HISTORY_LOCKED
   */
  static async open(
    path: string,
    { most, patienceMs }: StoreOptions,
    prepare: () => boolean = () => true,
    done: () => void = () => undefined,
  ): Promise<HistoryStore | null> {
    const lmdb = await loadLmdb();
    const file = await open(path, most === null ? 'r' : 'r+');
    try {
      return await locked(path, file, most === null ? 'shared' : 'exclusive', patienceMs, () => {
        if (!prepare()) return null;
        // The file may be larger than what it is to be now.
        const bytes = Math.max(most ?? READER_BYTES, fstatSync(file.fd).size, 16 * UNIT);
        const store = lmdb.open<Buffer, Buffer>({
          path,
          encoding: 'binary',
          keyEncoding: 'binary',
          noSubdir: true,
          mapSize: Math.ceil(bytes / UNIT) * UNIT,
          maxDbs: 1,
          readOnly: most === null,
          commitDelay: 0,
          // A promise of the package's own for each turn, which nobody could await, would end the program when a commit fails.
          eventTurnBatching: false,
        });
        // What would end the program would do so here.
        store.getStats();
        done();
        return new HistoryStore(path, store, file, patienceMs);
      }).then(async store => {
        if (store === null) await file.close();
        return store;
      });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes on the disk. */
  get size(): number {
    return fstatSync(this.#file.fd).size;
  }

  /** Whether LMDB writes to this opening no more, whatever becomes of the disk (MDB_PANIC). */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the name stands for another file by now, or for none. */
  get isReplaced(): boolean {
    return lossOf(this.path, this.#identity) !== null;
  }

  /** Bytes of the pages that hold something. */
  get used(): number {
    const stats = Object.entries(this.#store.getStats());
    const count = (name: string): number => {
      const value = stats.find(([key]) => key === name)?.[1];
      return typeof value === 'number' ? value : 0;
    };
    const pages =
      count('treeBranchPageCount') + count('treeLeafPageCount') + count('overflowPages');
    return pages * count('pageSize');
  }

  /**
   * Goes through the rows of some keys, a page at a time: what is written meanwhile may be among them, and no key comes twice.
   *
   * @param end behind the last
   * @param take called without a lock
   * @param limit rows that are read under one lock
   * @throws Failure HISTORY, HISTORY_LOCKED
   */
  async each(
    start: Buffer,
    end: Buffer,
    take: (row: HistoryRow) => void,
    limit: number = PAGE,
  ): Promise<void> {
    for (let from = start; ; ) {
      const range = { start: from, end, limit };
      const page = await this.#read(store => [...store.getRange(range)]);
      for (const row of page) take(row);
      const last = page.at(-1);
      if (last === undefined || page.length < limit) return;
      from = Buffer.concat([last.key, Buffer.of(0)]);
      await nextTurn();
    }
  }

  /** The keys of some, in their order. @throws Failure HISTORY, HISTORY_LOCKED */
  async keys(start: Buffer, end: Buffer): Promise<Buffer[]> {
    const keys: Buffer[] = [];
    for (let from = start; ; ) {
      const range = { start: from, end, limit: KEYS };
      const page = await this.#read(store => [...store.getKeys(range)]);
      for (const key of page) keys.push(key);
      const last = page.at(-1);
      if (last === undefined || page.length < KEYS) return keys;
      from = Buffer.concat([last, Buffer.of(0)]);
      await nextTurn();
    }
  }

  /** Goes through the values of some keys; one that is gone is left out. @throws Failure HISTORY, HISTORY_LOCKED */
  async pick(keys: readonly Buffer[], take: (value: Buffer) => void): Promise<void> {
    for (let at = 0; at < keys.length; at += PAGE) {
      const wanted = keys.slice(at, at + PAGE);
      const values = await this.#read(store => wanted.map(key => store.get(key)));
      for (const value of values) if (value !== undefined) take(value);
      await nextTurn();
    }
  }

  /** The first and the last key before `end`; null without any. @throws Failure HISTORY, HISTORY_LOCKED */
  ends(end: Buffer): Promise<readonly [first: Buffer, last: Buffer] | null> {
    return this.#read(store => {
      const [first] = store.getKeys({ end, limit: 1 });
      const [last] = store.getKeys({ start: end, reverse: true, limit: 1 });
      return first === undefined || last === undefined ? null : [first, last];
    });
  }

  /**
   * Writes in one transaction.
   *
   * @param write puts and removes; what it reads is what the transaction changes
   * @throws Failure HISTORY, HISTORY_FULL, HISTORY_LOCKED; nothing was written then
   */
  commit(write: (store: Store) => readonly Promise<unknown>[]): Promise<void> {
    return this.#locked('exclusive', async () => {
      this.#store.resetReadTxn();
      let writes: readonly Promise<unknown>[] = [];
      const batch = this.#store.batch(() => {
        writes = write(this.#store);
      });
      for (const one of await Promise.allSettled([batch, ...writes])) {
        if (one.status === 'fulfilled') continue;
        const error = await commitError(one.reason);
        if (error instanceof Error && error.message.includes('MDB_PANIC')) this.#isSpent = true;
        throw error;
      }
    });
  }

  /** @throws Failure HISTORY */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turn;
    try {
      await this.#store.close();
    } catch (error) {
      throw historyFailure(this.path, error);
    } finally {
      await this.#file.close();
    }
  }

  /** Of the newest state: the package would go on with that of an earlier page while no turn of the event loop has passed. */
  #read<T>(use: (store: Store) => T): Promise<T> {
    return this.#locked('shared', () => {
      this.#store.resetReadTxn();
      return use(this.#store);
    });
  }

  #locked<T>(kind: LockKind, use: () => T | Promise<T>): Promise<T> {
    const done = this.#turn.then(() => {
      if (this.#isClosed) throw historyFailure(this.path, new Error('it has been closed'));
      return locked(this.path, this.#file, kind, this.#patienceMs, use);
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

async function locked<T>(
  path: string,
  file: FileHandle,
  kind: LockKind,
  patienceMs: number,
  use: () => T | Promise<T>,
): Promise<T> {
  try {
    const held = await lockWithin(file.fd, kind, patienceMs);
    if (held === null) throw failure('HISTORY_LOCKED', { path, holder: holderOf(file.fd) });
    try {
      return await use();
    } finally {
      held.release();
    }
  } catch (error) {
    throw historyFailure(path, error);
  }
}
