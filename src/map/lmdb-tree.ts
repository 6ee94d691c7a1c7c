/**
 * The entries of an LMDB file of data format 1, read without LMDB.
 *
 * LMDB itself wants write access even to read, for its lock file, and stops the program at a damaged
 * page.  This walks the B+tree of the main database and checks everything on the way: page numbers,
 * kinds, bounds, depth, the order of keys, and the counts in the meta page.
 *
 * Promises: any bytes at all end in entries or in `Damage`; no page is looked at twice, so the walk
 * always ends.  Leaves to others: reading the file under its lock (lmdb-file.ts).
 * Known limits: no named and no sorted-duplicate databases, which Postfix does not use; the list of
 * free pages is not looked at, since no entry depends on it.
 * Source of the layout: liblmdb 0.9.29, mdb.c (MDB_page, MDB_node).
 */
import {
  Damage,
  ensure,
  type Meta,
  NO_PAGE,
  PAGE_HEADER,
  readMeta,
  u16,
  u32,
  u64,
  viewOf,
} from './lmdb-meta.ts';

/** CURSOR_STACK: LMDB does not go deeper. */
const MAX_DEPTH = 32;

const NODE_HEADER = 8;
/** Instead of a node, whose key would come before all others. */
const NO_NODE = -1;

const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
/** F_BIGDATA: the node holds the number of an overflow page instead of the value. */
const BIG = 0x01;

/** Where the key and the value of an entry are in the image: their first bytes, and what is behind their last. */
export type Visit = (key: number, keyEnd: number, value: number, valueEnd: number) => void;

/**
 * Visits all entries in the order of their keys.
 *
 * @param image the whole file as of one moment
 * @throws Damage, also after some entries were visited
 */
export function walk(image: Buffer, visit: Visit): void {
  new Walk(image, readMeta(image), visit).run();
}

class Walk {
  readonly #image: Buffer;
  readonly #view: DataView;
  readonly #meta: Meta;
  readonly #visit: Visit;
  readonly #seen: Uint8Array;
  /** The nodes with the last entry's key, and with the least that the next may have by the branches above it. */
  #previous = NO_NODE;
  #least = NO_NODE;
  #branchPages = 0;
  #leafPages = 0;
  #overflowPages = 0;
  #entries = 0;

  constructor(image: Buffer, meta: Meta, visit: Visit) {
    this.#image = image;
    this.#view = viewOf(image);
    this.#meta = meta;
    this.#visit = visit;
    this.#seen = new Uint8Array(Math.floor(image.length / meta.pageSize));
  }

  run(): void {
    const { flags, depth, root, ...noted } = this.#meta.main;
    ensure(flags === 0, `its main database has flags ${flags}`);
    ensure(depth <= MAX_DEPTH, `its tree is ${depth} deep`);
    ensure((root === NO_PAGE) === (depth === 0), 'its tree has either no root or no depth');
    if (root !== NO_PAGE) this.#page(root, depth);
    ensure(this.#branchPages === noted.branchPages, 'it counts its branch pages wrongly');
    ensure(this.#leafPages === noted.leafPages, 'it counts its leaf pages wrongly');
    ensure(this.#overflowPages === noted.overflowPages, 'it counts its overflow pages wrongly');
    ensure(this.#entries === noted.entries, 'it counts its entries wrongly');
  }

  /** @param height 1 for a leaf */
  #page(number: number, height: number): void {
    const at = this.#claim(number, 1, height > 1 ? BRANCH : LEAF);
    const nodes = this.#nodes(number, at);
    if (height > 1) this.#branch(number, nodes, height);
    else this.#leaf(number, nodes);
  }

  #branch(number: number, nodes: readonly number[], height: number): void {
    this.#branchPages++;
    // LMDB stops the program at a branch with one child (mdb_page_search_root).
    ensure(nodes.length >= 2, `page ${number} has too few children`);
    for (const [index, at] of nodes.entries()) {
      // The first key of a branch means nothing; the others part the keys of the children.
      if (index > 0) {
        if (this.#compare(this.#previous, at) >= 0) throw outOfOrder(number);
        this.#least = at;
      }
      const child = u32(this.#view, at) + u16(this.#view, at + 4) * 2 ** 32;
      this.#page(child, height - 1);
    }
  }

  #leaf(number: number, nodes: readonly number[]): void {
    this.#leafPages++;
    ensure(nodes.length > 0, `page ${number} is empty`);
    const end = (number + 1) * this.#meta.pageSize;
    for (const at of nodes) {
      if (this.#compare(this.#previous, at) >= 0 || this.#compare(this.#least, at) > 0) {
        throw outOfOrder(number);
      }
      this.#previous = at;
      this.#entries++;
      this.#entry(at, end);
    }
  }

  /** Compares the keys of two nodes, byte by byte; a key that begins with another comes behind it. */
  #compare(one: number, other: number): number {
    if (one === NO_NODE) return -1;
    const image = this.#image;
    const length = Math.min(this.#keyLength(one), this.#keyLength(other));
    for (let at = NODE_HEADER; at < NODE_HEADER + length; at++) {
      const difference = (image[one + at] ?? 0) - (image[other + at] ?? 0);
      if (difference !== 0) return difference;
    }
    return this.#keyLength(one) - this.#keyLength(other);
  }

  #keyLength(node: number): number {
    return u16(this.#view, node + 6);
  }

  /** Checks that pages are there, of that kind, and not looked at before. */
  #claim(number: number, count: number, kind: number): number {
    const end = number + count;
    ensure(
      number >= 2 && end - 1 <= this.#meta.lastPage && end <= this.#seen.length,
      `page ${number} lies outside of it`,
    );
    ensure(!this.#seen.subarray(number, end).includes(1), `page ${number} is in use twice`);
    this.#seen.fill(1, number, end);
    const at = number * this.#meta.pageSize;
    ensure(u64(this.#view, at) === number, `page ${number} has another number`);
    ensure(u16(this.#view, at + 10) === kind, `page ${number} is of the wrong kind`);
    return at;
  }

  /** Where the nodes of a branch or leaf are; their headers and keys lie inside the page. */
  #nodes(number: number, page: number): number[] {
    const { pageSize } = this.#meta;
    const lower = u16(this.#view, page + 12);
    const upper = u16(this.#view, page + 14);
    ensure(
      lower >= PAGE_HEADER && lower % 2 === 0 && lower <= upper && upper <= pageSize,
      `page ${number} has wrong bounds`,
    );
    const nodes: number[] = [];
    for (let slot = PAGE_HEADER; slot < lower; slot += 2) {
      const offset = u16(this.#view, page + slot);
      if (offset < upper || offset % 2 !== 0 || offset + NODE_HEADER > pageSize) {
        throw new Damage(`page ${number} has a node outside of it`);
      }
      const node = page + offset;
      if (offset + NODE_HEADER + this.#keyLength(node) > pageSize) {
        throw new Damage(`page ${number} has a key that reaches out of it`);
      }
      nodes.push(node);
    }
    return nodes;
  }

  /** @param end where the leaf ends */
  #entry(node: number, end: number): void {
    const flags = u16(this.#view, node + 4);
    ensure(flags === 0 || flags === BIG, 'it has an entry that is not a plain one');
    const size = u32(this.#view, node);
    const key = node + NODE_HEADER;
    const data = key + this.#keyLength(node);
    ensure(data + (flags === BIG ? 8 : size) <= end, 'it has a value that reaches out of its page');
    const value = flags === BIG ? this.#overflow(u64(this.#view, data), size) : data;
    this.#visit(key, data, value, value + size);
  }

  /** Where a value on overflow pages starts. */
  #overflow(number: number, size: number): number {
    const count = Math.ceil((PAGE_HEADER + size) / this.#meta.pageSize);
    const at = this.#claim(number, count, OVERFLOW);
    ensure(u32(this.#view, at + 12) === count, `page ${number} has another length`);
    this.#overflowPages += count;
    return at + PAGE_HEADER;
  }
}

const outOfOrder = (number: number): Damage => new Damage(`page ${number} is out of order`);
