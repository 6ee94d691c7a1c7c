/**
 * The files that a log has been rotated to, as logrotate(8), newsyslog(8) and cronolog name them.
 *
 * Promises: newest first; a file that is there both plain and compressed is listed once, plain.  What is opened
 * is the file that was listed, or nothing.
 * Known limits: files in another directory (logrotate's `olddir`) and those compressed otherwise than by gzip are
 * not found; one compressed by gzip is unpacked into a temporary file, which takes that space while it is read.
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { errnoOf } from '../base/errors.ts';
import type { OpenFile } from './follower.ts';
import {
  FINGERPRINT_BYTES,
  type FilePlace,
  type Fingerprint,
  type Identity,
  identityOf,
  isFingerprintOf,
  isSameFile,
  isSamePlace,
  readHead,
} from './place.ts';

export interface RotatedFile extends Identity {
  readonly path: string;
  readonly compressed: boolean;
  readonly size: number;
  /** When it was last written to, in milliseconds since 1970. */
  readonly modified: number;
  /** What distinguishes its name: `1`, `20260322`, `20260322-1774137600`. */
  readonly label: string;
}

/** The files that a log at this path has been rotated to; none when their directory cannot be read. */
export function rotatedFiles(path: string): RotatedFile[] {
  const files = [...new Set([path, realPathOf(path)])].flatMap(siblings);
  const unique = new Map(files.map(file => [file.path, file]));
  return [...unique.values()]
    .filter(({ path: name, compressed }) => !compressed || !unique.has(name.slice(0, -3)))
    .sort(newestFirst);
}

/**
 * Opens it for reading; unpacked, when it is compressed.
 *
 * @returns null when it is no longer there, or its name now stands for another file
 * @throws Error of open(2), of zlib for a damaged file, of writing the temporary file
 */
export async function openRotated(file: RotatedFile): Promise<OpenFile | null> {
  const { dev, ino, born, compressed } = file;
  const identity = { dev, ino, born };
  const fd = openListed(file);
  if (fd === null || !compressed) return fd === null ? null : { fd, identity, complete: false };
  try {
    return { fd: await unpack(fd), identity, complete: true };
  } finally {
    closeSync(fd);
  }
}

/** The number of the file in the list to which the place belongs, or -1. */
export function indexOfPlace(files: readonly RotatedFile[], place: FilePlace): number {
  const { fingerprint, position } = place;
  const itself = files.findIndex(
    file => isSamePlace(file, place) && hasFingerprint(file, fingerprint),
  );
  // Before the first whole line, too few bytes are known to tell a copy or a compressed file by.
  if (itself >= 0 || position === 0) return itself;
  return files.findIndex(
    file => (file.compressed || file.size >= position) && hasFingerprint(file, fingerprint),
  );
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Missing at the moment: its place in the tree is all that is known of it.
    return path;
  }
}

function siblings(path: string): RotatedFile[] {
  const directory = dirname(path);
  return namesIn(directory).flatMap(name => {
    const label = labelOf(name, basename(path));
    const file = label === null ? null : fileAt(join(directory, name), label);
    return file === null ? [] : [file];
  });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Gone, or closed to us: following the log itself goes on, and says so if it cannot.
    return [];
  }
}

/** Of `mail.log.1`, `mail.log-20260322` and `mail-20260322.log` (logrotate's `extension`), also with `.gz`. */
function labelOf(name: string, base: string): string | null {
  const plain = name.endsWith('.gz') ? name.slice(0, -3) : name;
  const extension = extname(base);
  const rest = plain.startsWith(base)
    ? plain.slice(base.length)
    : within(plain, base.slice(0, base.length - extension.length), extension);
  return /^[.-]\d[\d.:T_-]*$/.test(rest) ? rest.slice(1) : null;
}

function within(name: string, start: string, end: string): string {
  const fits = name.startsWith(start) && name.endsWith(end);
  return fits ? name.slice(start.length, name.length - end.length) : '';
}

function fileAt(path: string, label: string): RotatedFile | null {
  try {
    const status = statSync(path, { bigint: true });
    return {
      ...identityOf(status),
      path,
      label,
      compressed: path.endsWith('.gz'),
      size: Number(status.size),
      modified: Number(status.mtimeNs) / 1e6,
    };
  } catch {
    // Rotated on or removed since the directory was read.
    return null;
  }
}

/** Numbers count up from the newest, dates down from it; other names say nothing, so their last change does. */
function newestFirst(a: RotatedFile, b: RotatedFile): number {
  if (isNumber(a) && isNumber(b)) return Number(a.label) - Number(b.label);
  if (isDate(a) && isDate(b) && a.label !== b.label) return a.label < b.label ? 1 : -1;
  return b.modified - a.modified;
}

const isNumber = ({ label }: RotatedFile): boolean => /^\d{1,5}$/.test(label);
/** With the year first, which other formats of a date (logrotate's `dateformat`) may not have. */
const isDate = ({ label }: RotatedFile): boolean => /^20\d\d[-.]?[01]\d/.test(label);

function openListed(file: RotatedFile): number | null {
  let fd: number;
  try {
    fd = openSync(file.path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
  if (isSameFile(identityOf(fstatSync(fd, { bigint: true })), file)) return fd;
  closeSync(fd);
  return null;
}

/** A file without a name, which is gone when it is closed, by whatever way. */
async function unpack(packed: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-'));
  const path = join(directory, 'log');
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  rmdirSync(directory);
  try {
    await pipeline(
      createReadStream('', { fd: packed, start: 0, autoClose: false }),
      createGunzip(),
      createWriteStream('', { fd, start: 0, autoClose: false }),
    );
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function hasFingerprint(file: RotatedFile, fingerprint: Fingerprint): boolean {
  let fd: number | null = null;
  try {
    fd = openListed(file);
    return fd !== null && isFingerprintOf(fingerprint, headOf(fd, file.compressed));
  } catch {
    // Closed to us or damaged: whatever it holds, it cannot be read.
    return false;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** Enough of a gzip file for FINGERPRINT_BYTES of what it holds, whatever its own head says. */
const PACKED_HEAD = 8 * 1024;

function headOf(fd: number, compressed: boolean): Buffer {
  if (!compressed) return readHead(fd, FINGERPRINT_BYTES);
  return gunzipSync(readHead(fd, PACKED_HEAD), { finishFlush: constants.Z_SYNC_FLUSH });
}
