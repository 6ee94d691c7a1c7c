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
import { readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { failure } from '../base/errors.ts';
import type { Change, Effect } from '../grant/change.ts';
import type { Grant } from '../grant/grant-table.ts';
import { lossOf } from '../state/file-identity.ts';
import type { LmdbContent } from './lmdb-content.ts';
import { readContent, readLmdbFile } from './lmdb-file.ts';
import { type Meta, readMeta } from './lmdb-meta.ts';
import { MAP_BYTES } from './lmdb-store.ts';
import { lock } from './lock.ts';
import type { LookupMap, MapOptions, MapSpec, Row } from './map.ts';
import { mapPath } from './map-types.ts';
import { closeFile, type Opened, openFile, writeFailure } from './opened-lmdb.ts';
import { decode, encode, stampOf, stampText } from './row.ts';

/** Changes in one transaction: in a map of a million rows, 500 hold the lock for 5 ms on average. */
const SLICE = 500;
/** Between two slices; a lock taken again at once would keep waiting those whom its release has woken. */
const PAUSE_MS = 1;

/** Both meta pages of any page size that LMDB knows. */
const HEADER_BYTES = 65_536;

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
    const how = lossOf(this.#path, this.#opened.identity);
    if (how !== null) throw failure('MAP_REPLACED', { path: this.#path, how });
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

  async eachGrant(
    take: (grant: Grant) => void,
    other?: (row: Row) => void,
    expected?: (count: number) => void,
  ): Promise<void> {
    await this.#turn;
    const { content } = this.#opened;
    this.#opened.content = null;
    const isCurrent = content !== null && (await this.#isStateOf(content));
    const current = isCurrent ? content : await readContent(this.spec);
    expected?.(current.size);
    current.each(take, other);
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

  /** Whether nothing has been written since, also by others. */
  async #isStateOf({ txnid, inode }: LmdbContent): Promise<boolean> {
    const { file, identity } = this.#opened;
    if (inode !== identity.ino) return false;
    const held = await lock(file.fd, 'shared');
    try {
      return this.#state().txnid === txnid;
    } catch {
      // What is wrong with it is told when it is read.
      return false;
    } finally {
      held.release();
    }
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
