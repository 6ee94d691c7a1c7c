/**
 * A Postfix `lmdb:` map, written in place while Postfix reads it.
 *
 * Postfix leaves LMDB's own locking out and guards each transaction with an fcntl lock on the file
 * (lmdb_table(5), "SYNCHRONIZATION"); without that lock its readers crash or read garbage.
 *
 * Promises: every write transaction, from before its beginning to after its end, is under the exclusive
 * lock, and takes at most SLICE changes, so that a lookup waits for milliseconds at worst; no fsync
 * under the lock (durability.ts); the file is never replaced, since smtpd would restart (only `fresh`
 * does, at start); a transaction builds on the newest state of the file, whoever wrote it, or is not
 * made; no read transaction is ever opened, rows are read without LMDB (lmdb-file.ts).
 * Leaves to others: that no other daemon writes (owner.ts).  `postmap` may.
 * Known limit: after an I/O error LMDB may refuse all further writes; then only a new process helps.
 */
import { type BigIntStats, fstatSync, readSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errnoOf, Failure, failure, reasonOf } from '../errors.ts';
import { Durability } from './durability.ts';
import { checkLmdbFile, lmdbPath, readLmdbFile } from './lmdb-file.ts';
import { type Meta, readMeta } from './lmdb-meta.ts';
import { type Lmdb, loadLmdb, MAP_BYTES, openStore, provideMap, type Store } from './lmdb-store.ts';
import { lock } from './lock.ts';
import type { Change, Effect, LookupMap, MapOptions, MapSpec, Row } from './map.ts';
import { decode, encode, stampOf, stampText } from './row.ts';

/** Changes in one transaction: in a map of a million rows, 1,000 hold the lock for 9 ms on average. */
const SLICE = 1000;

/** Both meta pages of any page size that LMDB knows. */
const HEADER_BYTES = 65_536;

/** The failure that an error while writing comes to. */
function writeFailure(path: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const reason = reasonOf(error);
  const refused = ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '');
  return failure(refused ? 'MAP_PERMISSION' : 'MAP_IO', { path, reason }, error);
}

const isSameFile = (one: BigIntStats, other: BigIntStats): boolean =>
  one.dev === other.dev && one.ino === other.ino;

async function openLocked(lmdb: Lmdb, path: string, file: FileHandle): Promise<Store> {
  const held = await lock(file.fd, 'exclusive');
  try {
    return openStore(lmdb, path);
  } finally {
    held.release();
  }
}

export class LmdbMap implements LookupMap {
  readonly spec: MapSpec;
  readonly #path: string;
  /** Our own descriptor of the file: for the lock, for its first pages, and for fdatasync. */
  readonly #file: FileHandle;
  readonly #store: Store;
  readonly #durability: Durability;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  /** Ends when the commits asked for so far have ended. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(spec: MapSpec, file: FileHandle, store: Store, options: MapOptions) {
    this.spec = spec;
    this.#path = lmdbPath(spec);
    this.#file = file;
    this.#store = store;
    this.#durability = new Durability(
      () => file.datasync(),
      error => options.warn?.(writeFailure(this.#path, error).line),
    );
  }

  /**
   * Opens a map, and makes an empty one if there is none.
   *
   * @throws Failure LMDB_MISSING, LMDB_BUILD, MAP_DIRECTORY, MAP_PERMISSION, MAP_UNREADABLE,
   *   MAP_FORMAT, MAP_IO; the map is then as it was
   */
  static async open(spec: MapSpec, options: MapOptions = {}): Promise<LmdbMap> {
    const path = lmdbPath(spec);
    const lmdb = await loadLmdb();
    await provideMap(lmdb, path, options.fresh === true);
    // LMDB would stop the program at what this finds.
    await checkLmdbFile(spec);
    try {
      const file = await open(path, 'r+');
      const store = await openLocked(lmdb, path, file).catch(async error => {
        await file.close();
        throw error;
      });
      return new LmdbMap(spec, file, store, options);
    } catch (error) {
      throw writeFailure(path, error);
    }
  }

  async rows(): Promise<Row[]> {
    await this.#turn;
    return readLmdbFile(this.spec);
  }

  commit(changes: readonly Change[]): Promise<Effect[]> {
    const done = this.#turn.then(() => this.#commitSlices(changes));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async close(): Promise<void> {
    await this.#turn;
    try {
      await this.#durability.settle();
    } catch (error) {
      throw writeFailure(this.#path, error);
    } finally {
      await this.#store.close();
      await this.#file.close();
    }
  }

  async #commitSlices(changes: readonly Change[]): Promise<Effect[]> {
    const effects: Effect[] = [];
    for (let start = 0; start < changes.length; start += SLICE) {
      if (start > 0) await nextTurn();
      effects.push(...(await this.#commitSlice(changes.slice(start, start + SLICE))));
    }
    return effects;
  }

  async #commitSlice(changes: readonly Change[]): Promise<Effect[]> {
    try {
      const held = await lock(this.#file.fd, 'exclusive');
      try {
        return this.#transact(changes);
      } finally {
        held.release();
        this.#durability.touch();
      }
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
  }

  #transact(changes: readonly Change[]): Effect[] {
    const { txnid } = this.#state();
    return this.#store.transactionSync(() => {
      // Also the one sign that LMDB could not begin: then the number is 0.
      if (this.#store.getWriteTxnId() !== txnid + 1) {
        throw new Error('LMDB does not go on from the state of the file; restart popbsmtp');
      }
      return changes.map(change => this.#apply(change));
    });
  }

  /** What the file says now; it must be the one that LMDB has open, and small enough for it. */
  #state(): Meta {
    const { fd } = this.#file;
    const named = statSync(this.#path, { bigint: true });
    if (!isSameFile(named, fstatSync(fd, { bigint: true }))) {
      throw new Error('it was replaced by another file; restart popbsmtp');
    }
    const length = readSync(fd, this.#header, 0, HEADER_BYTES, 0);
    const meta = readMeta(this.#header.subarray(0, length));
    if ((meta.lastPage + 1) * meta.pageSize > MAP_BYTES) throw new Error('it is too large');
    return meta;
  }

  /** Makes one change inside a transaction; an error there undoes the transaction. */
  #apply({ ip, stamp }: Change): Effect {
    const key = encode(ip);
    const bytes = this.#store.getBinary(key);
    const value = bytes && decode(bytes);
    if (value !== undefined && stampOf(value) === null) return 'foreign';
    if (stamp === null) {
      if (value === undefined) return 'absent';
      this.#store.removeSync(key);
      return 'removed';
    }
    const text = stampText(stamp);
    if (value !== text) this.#store.putSync(key, encode(text));
    return value === undefined ? 'added' : 'renewed';
  }
}
