/**
 * The start of an LMDB file of data format 1: its two meta pages.
 *
 * LMDB keeps two and writes them in turn, so that the older one stays whole while the newer is
 * written; a transaction is made by writing one.
 *
 * Promises: any bytes at all end in a `Meta` or in `Damage`.
 * Known limits: files of 64-bit machines of this byte order.
 * Source of the layout: liblmdb 0.9.29, mdb.c (MDB_meta, MDB_db, MDB_page).
 */
import { endianness } from 'node:os';

const LITTLE = endianness() === 'LE';

const MAGIC = 0xbeef_c0de;
const FORMAT = 1;
const META_FLAG = 0x08;
const META_BYTES = 152;
/** MAX_PAGESIZE. */
const MAX_PAGE = 32_768;

/** The size of what stands before the content of every page. */
export const PAGE_HEADER = 16;

/** P_INVALID, the root of an empty tree: all 64 bits set, as near as a double comes to it. */
export const NO_PAGE = 2 ** 64;

/** What is wrong with a file; the message fits after "it is no sound LMDB file". */
export class Damage extends Error {}

export function ensure(sound: boolean, damage: string): asserts sound {
  if (!sound) throw new Damage(damage);
}

/** What the newer meta page says. */
export interface Meta {
  /** In bytes. */
  readonly pageSize: number;
  /** The number of the last page in use. */
  readonly lastPage: number;
  /** The number of the transaction that wrote this. */
  readonly txnid: number;
  readonly main: Tree;
}

/** A B+tree as the meta page notes it. */
export interface Tree {
  readonly flags: number;
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  readonly root: number;
}

export const viewOf = (bytes: Buffer): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const u16 = (view: DataView, at: number): number => view.getUint16(at, LITTLE);
export const u32 = (view: DataView, at: number): number => view.getUint32(at, LITTLE);
export const u64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, LITTLE));

function readTree(view: DataView, at: number): Tree {
  return {
    flags: u16(view, at + 4),
    depth: u16(view, at + 6),
    branchPages: u64(view, at + 8),
    leafPages: u64(view, at + PAGE_HEADER),
    overflowPages: u64(view, at + 24),
    entries: u64(view, at + 32),
    root: u64(view, at + 40),
  };
}

function readMetaPage(view: DataView, at: number): Meta {
  ensure(view.byteLength >= at + META_BYTES, 'it is too short');
  const magic = u32(view, at + PAGE_HEADER);
  ensure((u16(view, at + 10) & META_FLAG) !== 0 && magic === MAGIC, 'it has no such header');
  const format = u32(view, at + 20);
  ensure(format === FORMAT, `it has data format ${format}`);
  const pageSize = u32(view, at + 40);
  ensure(
    pageSize >= 256 && pageSize <= MAX_PAGE && Number.isInteger(Math.log2(pageSize)),
    `its page size is ${pageSize}`,
  );
  const txnid = u64(view, at + 144);
  ensure(Number.isSafeInteger(txnid), 'its transaction number is out of bounds');
  return { pageSize, lastPage: u64(view, at + 136), txnid, main: readTree(view, at + 88) };
}

/**
 * Reads both meta pages and returns the newer one.  As LMDB does, it takes neither if one is unsound.
 *
 * @param bytes the file, or at least its first two pages
 * @throws Damage
 */
export function readMeta(bytes: Buffer): Meta {
  const view = viewOf(bytes);
  const first = readMetaPage(view, 0);
  const second = readMetaPage(view, first.pageSize);
  ensure(first.pageSize === second.pageSize, 'its meta pages differ in page size');
  return first.txnid < second.txnid ? second : first;
}
