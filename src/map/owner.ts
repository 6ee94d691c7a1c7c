/**
 * Who may write a map: one daemon at a time.
 *
 * A file beside the map is locked for as long as the owner lives.  It also notes what the next owner
 * must know: since commits reach the disk later, a power failure can tear a map (lmdb-map.ts), so
 * after a new boot a map is trusted only if its owner had stopped properly.
 *
 * Promises: a second owner is refused and told the pid of the first; nothing but the end of the
 * process, also by kill -9, is needed to give a map up; the note is on the disk before `claim` returns,
 * hence before the first commit.  The file is never removed: the lock is on it, not on its name.  It can be read
 * by its account only, so that nobody else can hold a lock on it; a lock that is no owner's is told as such.
 * Leaves to others: calling `release` with `clean` only when the map is durable.
 * Known limits: programs other than popbsmtp, such as `postmap`, are not kept out; an owner in another pid namespace
 * counts as none that runs.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, Failure, failure, reasonOf } from '../base/errors.ts';
import { beside } from '../state/beside.ts';
import { isRunning, makePrivate, PRIVATE, syncName } from '../state/new-file.ts';
import { type Lock, tryLock } from './lock.ts';
import { type Locks, locksOn, whoHolds } from './lock-holder.ts';
import type { MapSpec } from './map.ts';

/** Differs after each boot (proc_sys_kernel(5), random(4)). */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** The boot of a map that no boot vouches for. */
const NO_BOOT = '0';

const NOTE =
  /^pid (?<pid>\d+)\nboot (?<boot>[0-9a-f-]+)\nclean (?<clean>yes|no)\n(?<unmet>unmet\n)?$/;

/** What the file holds. */
interface Note {
  readonly pid: number;
  readonly boot: string;
  /** Whether the owner stopped with everything on the disk. */
  readonly clean: boolean;
  /** Whether nobody has yet looked at the rows that were in the map before its first owner. */
  readonly unmet: boolean;
}

export interface Owner {
  /** True for a map that had no owner before, until `meet`: its rows may be another program's (first-contact.ts). */
  readonly isFirst: boolean;
  /**
   * Notes that the rows that were there before have been looked at.
   *
   * @throws Failure MAP_IO
   */
  meet(): Promise<void>;
  /** False when a power failure may have torn the map: then it must be made anew. */
  readonly trusted: boolean;
  /**
   * Says that the map was made anew and may be trusted from now on.
   *
   * @throws Failure MAP_IO
   */
  trust(): Promise<void>;
  /**
   * Gives the map up.
   *
   * @param how `clean` if all that was committed is on the disk
   * @throws Failure MAP_IO if that could not be noted; the map is given up all the same
   */
  release(how: { readonly clean: boolean }): Promise<void>;
}

/** Maps of two types may have one path, and are two files; but the hash: of Postfix and that of sendmail are one. */
const notePath = ({ type, path }: MapSpec): string =>
  beside({ path: type === 'lmdb' ? path : `${path}.${type.replace(/^.*:/, '')}` }, 'owner');

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;

const ioFailure = (path: string, error: unknown): Failure =>
  error instanceof Failure ? error : failure('MAP_IO', { path, reason: reasonOf(error) }, error);

function parse(text: string): Note | null {
  const { pid, boot, clean, unmet } = NOTE.exec(text)?.groups ?? {};
  if (pid === undefined || boot === undefined) return null;
  return { pid: Number(pid), boot, clean: clean === 'yes', unmet: unmet !== undefined };
}

async function read(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(256), position: 0 });
  return buffer.toString('latin1', 0, bytesRead);
}

async function write(file: FileHandle, { pid, boot, clean, unmet }: Note): Promise<void> {
  const text = `pid ${pid}\nboot ${boot}\nclean ${clean ? 'yes' : 'no'}\n${unmet ? 'unmet\n' : ''}`;
  const { bytesWritten } = await file.write(text, 0);
  await file.truncate(bytesWritten);
  await file.sync();
}

/** @returns null if the file is not there */
async function openExisting(path: string): Promise<FileHandle | null> {
  try {
    const file = await open(path, O_RDWR | O_NOFOLLOW);
    await makePrivate(file);
    return file;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw failure('MAP_PERMISSION', { path, reason: reasonOf(error) }, error);
  }
}

/** @returns null if another process made the file at the same moment */
async function create(path: string): Promise<FileHandle | null> {
  try {
    const file = await open(path, O_RDWR | O_CREAT | O_EXCL, PRIVATE);
    await syncName(path);
    return file;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return null;
    const directory = dirname(path);
    throw failure('MAP_DIRECTORY', { path, directory, reason: reasonOf(error) }, error);
  }
}

async function openNote(path: string): Promise<FileHandle> {
  for (;;) {
    const file = (await openExisting(path)) ?? (await create(path));
    if (file !== null) return file;
  }
}

/** What the last owner has left. */
interface Found {
  readonly boot: string;
  readonly trusted: boolean;
  readonly unmet: boolean;
}

/** Keeps the descriptors from the garbage collector, which would close them, and the locks with them. */
const held = new Set<FileHandle>();

class FileOwner implements Owner {
  readonly trusted: boolean;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #boot: string;
  #unmet: boolean;

  constructor(path: string, file: FileHandle, { boot, trusted, unmet }: Found) {
    this.#path = path;
    this.#file = file;
    this.#boot = boot;
    this.#unmet = unmet;
    this.trusted = trusted;
    held.add(file);
  }

  get isFirst(): boolean {
    return this.#unmet;
  }

  async meet(): Promise<void> {
    this.#unmet = false;
    await this.#note(false);
  }

  trust(): Promise<void> {
    return this.#note(false);
  }

  async release({ clean }: { readonly clean: boolean }): Promise<void> {
    try {
      if (clean) await this.#note(true);
    } finally {
      // The lock goes with the descriptor.
      await this.#file.close();
      held.delete(this.#file);
    }
  }

  async #note(clean: boolean): Promise<void> {
    try {
      await write(this.#file, { pid: process.pid, boot: this.#boot, clean, unmet: this.#unmet });
    } catch (error) {
      throw ioFailure(this.#path, error);
    }
  }
}

/** Whoever asks for the owner holds a lock for a moment, and so does an owner that has not noted its pid yet. */
const PATIENCE_MS = 1000;
const PAUSE_MS = 20;

/** Whether those who hold the lock are the owner that the note names: nobody else than it can have it exclusively. */
const isOwned = (note: Note | null, locks: Locks | null): boolean =>
  note !== null && isRunning(note.pid) && locks?.exclusive !== false;

/** @throws Failure MAP_OWNED; OWNER_LOCKED when whoever has the lock is no popbsmtp */
async function takeLock(spec: MapSpec, path: string, file: FileHandle): Promise<Lock> {
  const start = performance.now();
  for (;;) {
    const taken = await tryLock(file.fd, 'exclusive');
    if (taken !== null) return taken;
    const note = parse(await read(file));
    const locks = locksOn(await file.stat({ bigint: true }));
    if (note !== null && isOwned(note, locks)) {
      throw failure('MAP_OWNED', { path: spec.path, pid: note.pid });
    }
    if (performance.now() - start > PATIENCE_MS) {
      throw failure('OWNER_LOCKED', { path, holder: whoHolds(locks), pid: note?.pid ?? 'none' });
    }
    await sleep(PAUSE_MS);
  }
}

/** Takes the lock, reads what the last owner left, and notes the new one. */
async function take(spec: MapSpec, path: string, file: FileHandle): Promise<Owner> {
  await takeLock(spec, path, file);
  const text = await read(file);
  const last = parse(text);
  const boot = (await readFile(BOOT_ID, 'latin1')).trim();
  const trusted = last === null ? text === '' : last.clean || last.boot === boot;
  const unmet = last === null ? text === '' : last.unmet;
  // Until it was made anew, an untrusted map must not pass for one of this boot.
  await write(file, { pid: process.pid, boot: trusted ? boot : NO_BOOT, clean: false, unmet });
  return new FileOwner(path, file, { boot, trusted, unmet });
}

/**
 * Makes this process the owner of a map.
 *
 * @throws Failure MAP_OWNED with the pid of the present owner; OWNER_LOCKED; MAP_DIRECTORY; MAP_PERMISSION if
 *   the file is another account's; MAP_IO
 */
export async function claim(spec: MapSpec): Promise<Owner> {
  const path = notePath(spec);
  const file = await openNote(path);
  try {
    return await take(spec, path, file);
  } catch (error) {
    await file.close();
    throw ioFailure(path, error);
  }
}

/**
 * The pid of the daemon that has a map; null when none has, `hidden` when this account may not know.
 *
 * Leaves no trace.  It asks by taking a shared lock for a moment.
 *
 * @returns `unknown` when there is an owner that has not noted its pid yet
 * @throws Failure MAP_PERMISSION when it cannot be asked
 */
export async function ownerOf(spec: MapSpec): Promise<number | 'unknown' | 'hidden' | null> {
  const path = notePath(spec);
  try {
    const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      if ((await tryLock(file.fd, 'shared')) !== null) return null;
      return parse(await read(file))?.pid ?? 'unknown';
    } finally {
      // The lock goes with the descriptor.
      await file.close();
    }
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return null;
    if (errno === 'EACCES') return 'hidden';
    if (error instanceof Failure) throw error;
    throw failure('MAP_PERMISSION', { path, reason: reasonOf(error) }, error);
  }
}
