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
 * Leaves to others: that no other daemon writes (owner.ts).  `postmap` may.  And when to reopen: after an
 * I/O error LMDB may refuse all further writes, and a file that was replaced is not written any more.
 */
import { type BigIntStats, readSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, Failure, failure, reasonOf } from '../base/errors.ts';
import type { Change, Effect } from '../grant/change.ts';
import type { Grant } from '../grant/grant-table.ts';
import { Durability } from './durability.ts';
import { checkLmdbFile, eachGrantIn, readLmdbFile } from './lmdb-file.ts';
import { type Meta, readMeta } from './lmdb-meta.ts';
import { type Lmdb, loadLmdb, MAP_BYTES, openStore, provideMap, type Store } from './lmdb-store.ts';
import { lock } from './lock.ts';
import type { LookupMap, MapOptions, MapSpec, Row } from './map.ts';
import { setMode } from './map-mode.ts';
import { mapPath } from './map-types.ts';
import { decode, encode, stampOf, stampText } from './row.ts';

/** Changes in one transaction: in a map of a million rows, 500 hold the lock for 5 ms on average. */
const SLICE = 500;
/** Between two slices; a lock taken again at once would keep waiting those whom its release has woken. */
const PAUSE_MS = 1;

/** Both meta pages of any page size that LMDB knows. */
const HEADER_BYTES = 65_536;

/** The failure that an error while writing comes to. */
function writeFailure(path: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const reason = reasonOf(error);
  const refused = ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '');
  return failure(refused ? 'MAP_PERMISSION' : 'MAP_IO', { path, reason }, error);
}

/** What an open file keeps, whatever becomes of its name. */
type Identity = Pick<BigIntStats, 'dev' | 'ino' | 'birthtimeNs'>;

const isSameFile = (one: Identity, other: Identity): boolean =>
  one.dev === other.dev && one.ino === other.ino;

/** A map that is open, with what belongs to this opening of it. */
interface Opened {
  /** Our own descriptor of the file: for the lock, for its first pages, and for fdatasync. */
  readonly file: FileHandle;
  readonly identity: Identity;
  readonly store: Store;
  readonly durability: Durability;
}

/** Looks, before anything is made that LMDB never gives back, whether the lock can be had. */
async function requireFree(path: string): Promise<void> {
  const file = await openIfThere(path);
  try {
    if (file !== null) await lock(file.fd, 'exclusive');
  } finally {
    // The lock goes with the descriptor.
    await file?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r+');
  } catch {
    // Why it cannot be opened is told when it has to be.
    return null;
  }
}

async function openLocked(lmdb: Lmdb, path: string, file: FileHandle): Promise<Store> {
  const held = await lock(file.fd, 'exclusive');
  try {
    return openStore(lmdb, path);
  } finally {
    held.release();
  }
}

/** @throws Failure as `LmdbMap.open` does */
async function openFile(spec: MapSpec, { fresh, warn }: MapOptions): Promise<Opened> {
  const path = mapPath(spec);
  const lmdb = await loadLmdb();
  await requireFree(path);
  await provideMap(lmdb, spec, path, fresh === true);
  // LMDB would stop the program at what this finds.
  await checkLmdbFile(spec);
  try {
    const file = await open(path, 'r+');
    await setMode(file, spec, warn);
    const store = await openLocked(lmdb, path, file).catch(async error => {
      await file.close();
      throw error;
    });
    const durability = new Durability(
      () => file.datasync(),
      error => warn?.(writeFailure(path, error).line),
    );
    return { file, identity: await file.stat({ bigint: true }), store, durability };
  } catch (error) {
    throw writeFailure(path, error);
  }
}

export class LmdbMap implements LookupMap {
  readonly spec: MapSpec;
  readonly #path: string;
  readonly #options: MapOptions;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  /** As many as there are to read, once the page size is known. */
  #headerBytes = HEADER_BYTES;
  #opened: Opened;
  /** Ends when the commits asked for so far have ended. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(spec: MapSpec, opened: Opened, options: MapOptions) {
    this.spec = spec;
    this.#path = mapPath(spec);
    this.#opened = opened;
    this.#options = options;
  }

  /**
   * Opens a map, and makes an empty one if there is none, or one of length 0.
   *
   * @throws Failure LMDB_MISSING, LMDB_BUILD, MAP_DIRECTORY, MAP_PERMISSION, MAP_UNREADABLE,
   *   MAP_NOT_FILE, MAP_FORMAT, MAP_LOCKED, MAP_IO; the map is then as it was
   */
  static async open(spec: MapSpec, options: MapOptions = {}): Promise<LmdbMap> {
    return new LmdbMap(spec, await openFile(spec, options), options);
  }

  get identity(): string {
    // An inode number alone is given to the next file as soon as this one is gone.
    const { dev, ino, birthtimeNs } = this.#opened.identity;
    return `${dev}:${ino}:${birthtimeNs}`;
  }

  check(): void {
    const named = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (named !== undefined && isSameFile(named, this.#opened.identity)) return;
    const how = named === undefined ? 'removed' : 'replaced';
    throw failure('MAP_REPLACED', { path: this.#path, how });
  }

  async reopen(): Promise<Row[]> {
    await this.#turn;
    // A map that is not to be trusted was made anew at the start; this one is.
    const opened = await openFile(this.spec, { ...this.#options, fresh: false });
    const old = this.#opened;
    this.#opened = opened;
    this.#headerBytes = HEADER_BYTES;
    await closeFile(old);
    return this.rows();
  }

  async rows(): Promise<Row[]> {
    await this.#turn;
    return readLmdbFile(this.spec);
  }

  async eachGrant(take: (grant: Grant) => void, other?: (row: Row) => void): Promise<void> {
    await this.#turn;
    await eachGrantIn(this.spec, take, other);
  }

  commit(changes: readonly Change[]): Promise<Effect[]> {
    return this.#write(changes, change => this.#apply(change));
  }

  remove(rows: readonly Row[]): Promise<Effect[]> {
    return this.#write(rows, row => this.#remove(row));
  }

  async close(): Promise<void> {
    await this.#turn;
    try {
      await this.#opened.durability.settle();
    } catch (error) {
      throw writeFailure(this.#path, error);
    } finally {
      await closeFile(this.#opened);
    }
  }

  /** @param apply makes one step inside a transaction; an error there undoes the transaction */
  #write<T>(steps: readonly T[], apply: (step: T) => Effect): Promise<Effect[]> {
    const done = this.#turn.then(() => this.#writeSlices(steps, apply));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #writeSlices<T>(steps: readonly T[], apply: (step: T) => Effect): Promise<Effect[]> {
    const effects: Effect[] = [];
    for (let start = 0; start < steps.length; start += SLICE) {
      if (start > 0) await sleep(PAUSE_MS);
      effects.push(...(await this.#writeSlice(steps.slice(start, start + SLICE), apply)));
    }
    return effects;
  }

  async #writeSlice<T>(steps: readonly T[], apply: (step: T) => Effect): Promise<Effect[]> {
    try {
      const held = await lock(this.#opened.file.fd, 'exclusive');
      try {
        return this.#transact(steps, apply);
      } finally {
        held.release();
        this.#opened.durability.touch();
      }
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
  }

  #transact<T>(steps: readonly T[], apply: (step: T) => Effect): Effect[] {
    this.check();
    const { store } = this.#opened;
    const { txnid } = this.#state();
    return store.transactionSync(() => {
      // Also the one sign that LMDB could not begin: then the number is 0.
      if (store.getWriteTxnId() !== txnid + 1) {
        throw new Error('LMDB does not go on from the state of the file');
      }
      return steps.map(apply);
    });
  }

  /** What the file says now; it must be small enough for LMDB. */
  #state(): Meta {
    const length = readSync(this.#opened.file.fd, this.#header, 0, this.#headerBytes, 0);
    const meta = readMeta(this.#header.subarray(0, length));
    this.#headerBytes = 2 * meta.pageSize;
    if ((meta.lastPage + 1) * meta.pageSize > MAP_BYTES) throw new Error('it is too large');
    return meta;
  }

  #apply({ ip, stamp }: Change): Effect {
    const key = encode(ip);
    const { store } = this.#opened;
    const bytes = store.getBinary(key);
    const value = bytes && decode(bytes);
    if (value !== undefined && stampOf(value) === null) return 'foreign';
    if (stamp === null) {
      if (value === undefined) return 'absent';
      store.removeSync(key);
      return 'removed';
    }
    const text = stampText(stamp);
    if (value !== text) store.putSync(key, encode(text));
    return value === undefined ? 'added' : 'renewed';
  }

  #remove({ key, value }: Row): Effect {
    const { store } = this.#opened;
    // Also one that `postmap -N` has made.
    for (const bytes of [encode(key), Buffer.from(key)]) {
      const found = store.getBinary(bytes);
      if (found === undefined || decode(found) !== value) continue;
      store.removeSync(bytes);
      return 'removed';
    }
    return 'absent';
  }
}

async function closeFile({ file, store }: Opened): Promise<void> {
  await store.close();
  await file.close();
}
