/**
 * A map whose file is never changed: each commit makes a new one beside it and renames that over it.
 *
 * Why not in place, with `postmap -i` and `-d`: `-d` brings what it removed to the file after it has let go of the
 * lock, and a reader that has a `hash:` or `btree:` file open keeps pages of it in memory (Postfix 3.7, Berkeley DB
 * 5.3).  With two readers and one writer, readers missed rows that were there, or died of "error reading", within
 * seconds.  A reader of a renamed file has all of the old table or all of the new one; and smtpd restarts before its
 * next client either way (dict_changed_name, src/util/dict.c).
 *
 * Promises: the file is whole at any moment, also after a power failure, since a new one is on the disk before it gets
 * the name; all changes of a commit appear at once; rows that others write meanwhile are kept: if the file has changed
 * since it was read, the new one is made again.
 * Leaves to others: what the file looks like (a `Format`); that no other daemon writes (owner.ts).
 * Known limits: a whole file is written for each commit, and has another identity: after a crash just behind one, the
 * logs are read again from where the grace period begins; what an administrator's `postmap -i` writes to a file that is
 * replaced in that very moment goes with it; a link in place of the file is replaced by a file.
 */

import { constants, lstatSync, statSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, Failure, failure, reasonOf } from '../base/errors.ts';
import type { Change, Effect } from '../grant/change.ts';
import type { Grant } from '../grant/grant-table.ts';
import { clearScratch, placeIfMissing, syncName, withScratch } from '../state/new-file.ts';
import { Damage } from './lmdb-meta.ts';
import type { LookupMap, MapOptions, MapSpec, Row } from './map.ts';
import { modeOf, setMode } from './map-mode.ts';
import { mapPath } from './map-types.ts';
import { byKey, sortOut } from './row.ts';

/** What the file of a type looks like, and how a changed one is made. */
export interface Format {
  /** For an error: it is no sound … */
  readonly name: string;
  /** Whether a file of length 0 is a map without rows; of other formats it is none, and is filled. */
  readonly emptyIsMap?: true;
  /** Whether readers keep a file open, and see by its own time alone that there is another one: the old file gets a later time, then. */
  readonly isKeptOpen?: true;
  /**
   * The rows of a map, in any order.
   *
   * @throws Failure; Damage; a system error
   */
  read(spec: MapSpec): Promise<Row[]>;
  /**
   * Makes an empty map.
   *
   * @param spec what it is to become, for an error
   * @param fresh its name, without the suffix; nothing of that name exists
   * @throws as `read` does
   */
  make(spec: MapSpec, fresh: MapSpec): Promise<void>;
  /**
   * Makes a changed copy of a map.
   *
   * @param fresh as for `make`
   * @returns the effects, and whether there is a copy: not when it would be the same
   * @throws as `read` does
   */
  change(spec: MapSpec, fresh: MapSpec, changes: readonly Change[]): Promise<Changed>;
  /**
   * Makes a copy without these rows, whosever they are; see `LookupMap.remove`.
   *
   * @param fresh as for `make`
   * @throws as `read` does
   */
  remove(spec: MapSpec, fresh: MapSpec, rows: readonly Row[]): Promise<Changed>;
}

export interface Changed {
  readonly effects: Effect[];
  readonly changed: boolean;
}

/** Makes a changed copy under this name. */
type Make = (fresh: MapSpec) => Promise<Changed>;

/** How often a commit starts over when others keep writing the file. */
const ATTEMPTS = 5;

/** Which file it is, and which state of it; null without one. */
function look(
  path: string,
): { readonly file: string; readonly state: string; readonly size: bigint } | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return null;
  const { dev, ino, birthtimeNs, size, mtimeNs, ctimeNs } = stats;
  // An inode number alone is given to the next file as soon as this one is gone.
  const file = `${dev}:${ino}:${birthtimeNs}`;
  return { file, state: `${file}:${size}:${mtimeNs}:${ctimeNs}`, size };
}

/** The failure that an error while writing comes to. */
function writeFailure(path: string, format: Format, error: unknown): Failure {
  const known = knownFailure(path, format, error);
  if (known !== null) return known;
  const refused = ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '');
  return failure(refused ? 'MAP_PERMISSION' : 'MAP_IO', { path, reason: reasonOf(error) }, error);
}

function knownFailure(path: string, { name }: Format, error: unknown): Failure | null {
  if (error instanceof Failure) return error;
  if (!(error instanceof Damage)) return null;
  return failure('MAP_FORMAT', { path, format: name, found: error.message }, error);
}

/**
 * The rows of a map, in the order of their keys; read again where reading fails while the file is being replaced: programs look whether what they have
 * opened is still there (makemap of sendmail 8.17.1: "File changed after open").
 *
 * @throws Failure MAP_MISSING, MAP_UNREADABLE, MAP_NOT_FILE, MAP_EMPTY, MAP_FORMAT, MAP_POSTMAP, POSTMAP_MISSING
 */
export async function readReplaced(spec: MapSpec, format: Format): Promise<Row[]> {
  const path = mapPath(spec);
  for (let attempt = 1; ; attempt++) {
    const before = stateOf(path);
    try {
      return await readOnce(path, spec, format);
    } catch (error) {
      if (attempt === ATTEMPTS || stateOf(path) === before) throw error;
    }
  }
}

/** Null also for a file that cannot be looked at, of which the reading tells why. */
function stateOf(path: string): string | null {
  try {
    return look(path)?.state ?? null;
  } catch {
    return null;
  }
}

async function readOnce(path: string, spec: MapSpec, format: Format): Promise<Row[]> {
  try {
    // Whether it is there, and may be read, in the system's words.
    const file = await open(path);
    const stats = await file.stat();
    await file.close();
    if (stats.isDirectory()) throw failure('MAP_NOT_FILE', { path });
    if (stats.size === 0 && format.emptyIsMap !== true) throw failure('MAP_EMPTY', { path });
    return (await format.read(spec)).sort(byKey);
  } catch (error) {
    const known = knownFailure(path, format, error);
    if (known !== null) throw known;
    if (errnoOf(error) === 'ENOENT') throw failure('MAP_MISSING', { path }, error);
    throw failure('MAP_UNREADABLE', { path, reason: reasonOf(error) }, error);
  }
}

/** Gives a file a time that is later by a second, since readers compare whole ones. */
async function makeLater(file: FileHandle): Promise<void> {
  const { atime, mtimeMs } = await file.stat();
  try {
    await file.utimes(atime, mtimeMs / 1000 + 1);
  } catch (error) {
    // Of another account, such as the administrator's, who has made the file himself: those who have it open go on with it.
    if (errnoOf(error) !== 'EPERM') throw error;
  }
}

export class ReplacedMap implements LookupMap {
  readonly spec: MapSpec;
  readonly #format: Format;
  readonly #path: string;
  #identity = '';
  /** Ends when the commits asked for so far have ended. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(spec: MapSpec, format: Format) {
    this.spec = spec;
    this.#format = format;
    this.#path = mapPath(spec);
  }

  /**
   * Opens a map, and makes an empty one if there is none, or one of length 0.
   *
   * @throws Failure MAP_DIRECTORY, MAP_PERMISSION, MAP_IO; as `readReplaced` does
   */
  static async open(
    spec: MapSpec,
    format: Format,
    { warn }: MapOptions = {},
  ): Promise<ReplacedMap> {
    const map = new ReplacedMap(spec, format);
    await map.#open(warn);
    return map;
  }

  get identity(): string {
    return this.#identity;
  }

  async rows(): Promise<Row[]> {
    await this.#turn;
    return readReplaced(this.spec, this.#format);
  }

  async eachGrant(take: (grant: Grant) => void, other?: (row: Row) => void): Promise<void> {
    sortOut(await this.rows(), take, other);
  }

  async commit(changes: readonly Change[]): Promise<Effect[]> {
    if (changes.length === 0) return [];
    return this.#write(fresh => this.#format.change(this.spec, fresh, changes));
  }

  async remove(rows: readonly Row[]): Promise<Effect[]> {
    if (rows.length === 0) return [];
    return this.#write(fresh => this.#format.remove(this.spec, fresh, rows));
  }

  /**
   * Makes the file anew where the format would have it otherwise by now, with the same grants.
   *
   * @throws as `commit` does
   */
  async refresh(): Promise<void> {
    await this.#write(fresh => this.#format.change(this.spec, fresh, []));
  }

  check(): void {
    const now = look(this.#path);
    if (now?.file === this.#identity) return;
    const how = now === null ? 'removed' : 'replaced';
    throw failure('MAP_REPLACED', { path: this.#path, how });
  }

  async reopen(): Promise<Row[]> {
    await this.#turn;
    return this.#open();
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#try(() => syncName(this.#path));
  }

  /** @returns the rows */
  async #open(warn?: MapOptions['warn']): Promise<Row[]> {
    // Also when there is a file: to see at once whether one can be made beside it.
    await this.#inScratch(async fresh => {
      await clearScratch(this.#path);
      if (statSync(this.#path, { throwIfNoEntry: false })?.isDirectory() === true)
        throw failure('MAP_NOT_FILE', { path: this.#path });
      const isEmpty = look(this.#path)?.size === 0n && this.#format.emptyIsMap !== true;
      if (look(this.#path) !== null && !isEmpty) return;
      await this.#format.make(this.spec, fresh);
      const made = await this.#finish(fresh);
      if (isEmpty) await rename(made, this.#path);
      else await placeIfMissing(made, this.#path);
      await syncName(this.#path);
    });
    // A link is no file of ours; the first commit puts one in its place.
    if (!lstatSync(this.#path).isSymbolicLink()) await this.#try(() => this.#setMode(warn));
    this.#identity = look(this.#path)?.file ?? '';
    return readReplaced(this.spec, this.#format);
  }

  #write(make: Make): Promise<Effect[]> {
    const done = this.#turn.then(() => this.#replaceAgain(make));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #replaceAgain(make: Make): Promise<Effect[]> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      this.check();
      const effects = await this.#inScratch(fresh => this.#replace(fresh, make));
      if (effects !== null) return effects;
    }
    throw failure('MAP_IO', { path: this.#path, reason: 'other programs keep changing it' });
  }

  /** @returns null if the file has changed meanwhile */
  async #replace(fresh: MapSpec, make: Make): Promise<Effect[] | null> {
    const before = look(this.#path)?.state;
    const hasChanged = (): boolean => look(this.#path)?.state !== before;
    try {
      const { effects, changed } = await make(fresh);
      if (!changed) return effects;
      const file = await this.#finish(fresh);
      if (hasChanged()) return null;
      const identity = look(file)?.file ?? '';
      await this.#put(file);
      this.#identity = identity;
      return effects;
    } catch (error) {
      // What was read while it was being written may make no sense.
      if (hasChanged()) return null;
      throw error;
    }
  }

  /** Puts a new file in the place of the old one. */
  async #put(file: string): Promise<void> {
    if (this.#format.isKeptOpen !== true) return rename(file, this.#path);
    const old = await open(this.#path);
    try {
      await rename(file, this.#path);
      await makeLater(old);
    } finally {
      await old.close();
    }
  }

  async #setMode(warn?: MapOptions['warn']): Promise<void> {
    const file = await open(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      await setMode(file, this.spec, warn);
    } finally {
      await file.close();
    }
  }

  /** Makes a new file what others need, and brings it to the disk. */
  async #finish(fresh: MapSpec): Promise<string> {
    const path = mapPath(fresh);
    const file = await open(path);
    try {
      // Whatever the umask.
      await file.chmod(modeOf(this.spec));
      await file.sync();
    } finally {
      await file.close();
    }
    return path;
  }

  /** @param use given the name of a map in a private directory */
  #inScratch<T>(use: (fresh: MapSpec) => Promise<T>): Promise<T> {
    return this.#try(() =>
      withScratch(this.#path, scratch => use({ ...this.spec, path: join(scratch, 'fresh') })),
    );
  }

  /** @throws Failure */
  async #try<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      throw writeFailure(this.#path, this.#format, error);
    }
  }
}
