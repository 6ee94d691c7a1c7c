/**
 * Who holds a lock on a file: for telling the administrator whose program is in the way.
 *
 * /proc/locks names the process of a classic fcntl lock; of an open-file-description lock it says -1, and then the
 * descriptors of all processes are looked through (proc_locks(5), proc_pid_fdinfo(5); seen on Linux 6.18).
 * Promises: changes nothing, and never fails: what cannot be seen is left out.
 * Leaves to others: whether the lock is in anybody's way.
 * Known limits: an unprivileged account sees only its own descriptors; a file system whose /proc/locks shows another
 * device than stat(2) does (btrfs, overlayfs) is searched by inode number alone.
 */
import { type BigIntStats, readdirSync, readFileSync } from 'node:fs';

/** The fcntl locks on a file. */
export interface Locks {
  /** Whether one of them is exclusive, for which it takes a descriptor that may write. */
  readonly exclusive: boolean;
  /** Who holds them, as far as that can be seen: `pid 12 (postmap)`. */
  readonly holders: readonly string[];
}

/** `1: OFDLCK ADVISORY  READ -1 fe:00:2287231 0 EOF`; one that only waits has an arrow, and is no lock yet. */
const LOCK =
  /^(?:lock:\t)?\d+: (?:POSIX|OFDLCK) +\S+ +(?<kind>READ|WRITE) +(?<pid>-?\d+) (?<major>[0-9a-f]+):(?<minor>[0-9a-f]+):(?<inode>\d+) /gm;

interface Found {
  readonly exclusive: boolean;
  /** -1 for an open-file-description lock. */
  readonly pid: number;
  readonly isSameDevice: boolean;
}

type File = Pick<BigIntStats, 'dev' | 'ino'>;

/** As the kernel packs it for stat(2) (makedev(3)). */
function isDevice(dev: bigint, major: number, minor: number): boolean {
  const low = Number(dev & 0xffffffffn);
  return ((low >>> 8) & 0xfff) === major && ((low & 0xff) | ((low >>> 12) & 0xfff00)) === minor;
}

/** @param text of /proc/locks, or of a file in fdinfo */
export function locksIn(text: string, { dev, ino }: File): readonly Found[] {
  const found = Array.from(text.matchAll(LOCK), ({ groups = {} }) => groups)
    .filter(({ inode }) => inode === String(ino))
    .map(({ kind, pid, major = '', minor = '' }) => ({
      exclusive: kind === 'WRITE',
      pid: Number(pid),
      isSameDevice: isDevice(dev, Number.parseInt(major, 16), Number.parseInt(minor, 16)),
    }));
  const certain = found.filter(({ isSameDevice }) => isSameDevice);
  return certain.length > 0 ? certain : found;
}

/**
 * The locks on a file that this process does not hold itself.
 *
 * @returns null when the system does not tell (no /proc)
 */
export function locksOn(file: File): Locks | null {
  const text = textOf('/proc/locks');
  if (text === null) return null;
  const found = locksIn(text, file);
  const classic = found.map(({ pid }) => pid).filter(pid => pid > 0);
  const pids = found.some(({ pid }) => pid < 0) ? [...classic, ...byDescriptor(file)] : classic;
  return {
    exclusive: found.some(({ exclusive }) => exclusive),
    holders: [...new Set(pids)].filter(pid => pid !== process.pid).map(named),
  };
}

/** The holders in words, for an error. */
export const whoHolds = (locks: Locks | null): string =>
  locks === null || locks.holders.length === 0 ? 'another program' : locks.holders.join(', ');

/** The processes with a descriptor that has a lock on the file. */
function byDescriptor(file: File): number[] {
  const pids = namesIn('/proc').map(Number).filter(Number.isInteger);
  return pids.filter(pid =>
    namesIn(`/proc/${pid}/fdinfo`).some(fd => {
      const text = textOf(`/proc/${pid}/fdinfo/${fd}`);
      return text?.includes('\nlock:') === true && locksIn(text, file).length > 0;
    }),
  );
}

function named(pid: number): string {
  const name = textOf(`/proc/${pid}/comm`)?.trim();
  return name === undefined ? `pid ${pid}` : `pid ${pid} (${name})`;
}

/** Null when it has ended meanwhile, or is hidden from us. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
