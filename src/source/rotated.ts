/**
 * The files that a log has been rotated to, as logrotate(8), newsyslog(8) and cronolog name them, and as svlogd(8), multilog(8) and
 * s6-log(8) do, whose log is called `current`.
 *
 * Promises: newest first; a file that is there both plain and compressed is listed once, plain.  What is opened
 * is the file that was listed, or nothing.
 * They are beside the log, or in the directories that are named (logrotate's `olddir`).
 * Known limit: those compressed otherwise than packing.ts knows are not found.
 */
import {
  type BigIntStats,
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { epoch } from '../base/clock.ts';
import { errnoOf } from '../base/errors.ts';
import { TAI64N } from '../line/stamp.ts';
import type { OpenFile } from './follower.ts';
import { headOf, type Packing, packingOf } from './packing.ts';
import {
  FINGERPRINT_BYTES,
  type FilePlace,
  type Fingerprint,
  type Identity,
  identityOf,
  isFingerprintOf,
  isSameFile,
  isSamePlace,
} from './place.ts';

export interface RotatedFile extends Identity {
  readonly path: string;
  /** How it is compressed; null when it is not. */
  readonly packing: Packing | null;
  readonly size: number;
  /** When it was last written to, in milliseconds since 1970. */
  readonly modified: number;
  /** What distinguishes its name: `1`, `20260322`, `20260322-1774137600`, `@400000006ab2f0a012345678.s`. */
  readonly label: string;
}

/**
 * The files that a log at this path has been rotated to; none of a directory that cannot be read.
 *
 * @param olddirs where they may be as well; a relative one as logrotate(8) takes it, from the directory of the log
 */
export function rotatedFiles(path: string, olddirs: readonly string[]): RotatedFile[] {
  const paths = [...new Set([path, realPathOf(path)])];
  const places = paths.flatMap(name =>
    ['.', ...olddirs].map(directory => join(resolve(dirname(name), directory), basename(name))),
  );
  const files = [...new Set(places)].flatMap(siblings);
  const unique = new Map(files.map(file => [file.path, file]));
  return [...unique.values()]
    .filter(({ path: name, packing }) => packing === null || !unique.has(plainName(name, packing)))
    .sort(newestFirst);
}

/**
 * Opens it for reading.
 *
 * @returns null when it is no longer there, or its name now stands for another file
 * @throws Error of open(2), of the unpacking of a file that is damaged from its first bytes on
 */
export function openRotated(file: RotatedFile): OpenFile | null {
  const opened = openListed(file);
  if (opened === null) return null;
  try {
    headOf(opened.fd, opened.packing, FINGERPRINT_BYTES);
  } catch (error) {
    closeSync(opened.fd);
    throw error;
  }
  return opened;
}

/** What is known of a file that has just been opened. */
export function openFileOf(fd: number, status: BigIntStats, packing: Packing | null): OpenFile {
  // The kernel's clock for files is a few milliseconds late.
  const modified = epoch(Math.ceil(Number(status.mtimeNs) / 1e9));
  return { fd, identity: identityOf(status), size: Number(status.size), modified, packing };
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
    file => (file.packing !== null || file.size >= position) && hasFingerprint(file, fingerprint),
  );
}

function realPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    // Missing at the moment: its place in the tree is all that is known of it.
    return path;
  }
}

/** Those in the directory of a path that are named after it. */
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

const plainName = (name: string, packing: Packing | null): string =>
  packing === null ? name : name.slice(0, -packing.suffix.length);

/** The log of a supervisor's logger, and a file that it has been rotated to: done with (s), or left behind by a crash (u). */
const CURRENT = 'current';
const LABELLED = new RegExp(`^${TAI64N}\\.[su]$`);

/** Of `mail.log.1`, `mail.log-20260322` and `mail-20260322.log` (logrotate's `extension`), also with the suffix of a packing. */
function labelOf(name: string, base: string): string | null {
  const plain = plainName(name, packingOf(name));
  if (base === CURRENT && LABELLED.test(plain)) return plain;
  const extension = extname(base);
  const rest = plain.startsWith(base)
    ? plain.slice(base.length)
    : within(plain, base.slice(0, base.length - extension.length), extension);
  return /^[.-]\d[\d.:T_-]*$/.test(rest) ? rest.slice(1) : null;
}

/**
 * The names of the logs that a file of this name may have been rotated from: those with which it is told by a number
 * behind a dot, or by a date.  Other numbers are too often parts of names (`mx-2.log` beside `mx.log`).
 */
export function basesOf(name: string): string[] {
  const plain = plainName(name, packingOf(name));
  if (LABELLED.test(plain)) return [CURRENT];
  const extension = extname(plain);
  const body = plain.slice(0, plain.length - extension.length);
  return [
    ...basesBefore(plain, /^\.\d{1,5}$/, ''),
    ...basesBefore(plain, DATED, ''),
    ...basesBefore(body, DATED, extension),
  ];
}

/** Behind a log's name: `-20260322`, `.2026-03-22`, `-22032026`, with or without a time. */
const DATED = /^[.-](?:\d{4}[.-]?\d\d|\d\d[.-]?\d\d[.-]?\d{4})[\d.:T_-]*$/;

function basesBefore(text: string, label: RegExp, extension: string): string[] {
  const ends = [...text.matchAll(/[.-](?=\d)/g)].map(({ index }) => index);
  return ends
    .filter(end => end > 0 && label.test(text.slice(end)))
    .map(end => text.slice(0, end) + extension);
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
      packing: packingOf(path),
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
  if (isNumber(a) && isNumber(b) && a.label !== b.label) return Number(a.label) - Number(b.label);
  const areDates = (isDate(a) && isDate(b)) || (isLabelled(a) && isLabelled(b));
  if (areDates && a.label !== b.label) return a.label < b.label ? 1 : -1;
  return b.modified - a.modified;
}

const isLabelled = ({ label }: RotatedFile): boolean => LABELLED.test(label);
const isNumber = ({ label }: RotatedFile): boolean => /^\d{1,5}$/.test(label);
/** With the year first, which other formats of a date (logrotate's `dateformat`) may not have. */
const isDate = ({ label }: RotatedFile): boolean => /^20\d\d[-.]?[01]\d/.test(label);

function openListed(file: RotatedFile): OpenFile | null {
  let fd: number;
  try {
    fd = openSync(file.path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
  const opened = openFileOf(fd, fstatSync(fd, { bigint: true }), file.packing);
  if (isSameFile(opened.identity, file)) return opened;
  closeSync(fd);
  return null;
}

function hasFingerprint(file: RotatedFile, fingerprint: Fingerprint): boolean {
  let opened: OpenFile | null = null;
  try {
    opened = openListed(file);
    if (opened === null) return false;
    return isFingerprintOf(fingerprint, headOf(opened.fd, opened.packing, FINGERPRINT_BYTES));
  } catch {
    // Closed to us or damaged: whatever it holds, it cannot be read.
    return false;
  } finally {
    if (opened !== null) closeSync(opened.fd);
  }
}
