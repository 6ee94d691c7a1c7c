/**
 * The constant database format of `cdb:` maps, read and made: pure functions of bytes.
 *
 * `postmap` cannot list such a file ("sequence operation is not supported", 3.7), nor change one; the format is small
 * and has not changed since 1996.
 *
 * Promises: any bytes at all end in records or in `Damage`.
 * Source of the layout: cdb(5) of tinycdb 0.78, which Postfix uses: 256 pairs of place and length of a hash table,
 * the records (length of key and of value, key, value), the tables (hash and place of a record), all little-endian.
 */
import { Damage, ensure } from './lmdb-meta.ts';

export interface CdbRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

const TABLES = 256;
/** A pair of 32-bit numbers: of a table, of a record's lengths, of a slot. */
const PAIR = 8;
const HEADER = TABLES * PAIR;

function hashOf(key: Buffer): number {
  let hash = 5381;
  for (const byte of key) hash = (Math.imul(hash, 33) ^ byte) >>> 0;
  return hash;
}

/**
 * The records in the order of the file; of several with one key, readers find the first.
 *
 * @throws Damage
 */
export function readCdb(file: Buffer): CdbRecord[] {
  ensure(file.length >= HEADER, 'it is too short');
  // The first table begins where the records end.
  const end = file.readUInt32LE(0);
  ensure(end >= HEADER && end <= file.length, 'its first table lies outside of it');
  const records: CdbRecord[] = [];
  for (let at = HEADER; at < end; ) {
    ensure(at + PAIR <= end, 'a record has no lengths');
    const key = at + PAIR;
    const value = key + file.readUInt32LE(at);
    const next = value + file.readUInt32LE(at + 4);
    if (next > end) throw new Damage(`the record at ${at} reaches out of it`);
    records.push({ key: file.subarray(key, value), value: file.subarray(value, next) });
    at = next;
  }
  return records;
}

/** A file with these records. */
export function makeCdb(records: readonly CdbRecord[]): Buffer {
  const tables = Array.from({ length: TABLES }, (): [hash: number, place: number][] => []);
  const parts: Buffer[] = [];
  let at = HEADER;
  for (const { key, value } of records) {
    const hash = hashOf(key);
    tables[hash % TABLES]?.push([hash, at]);
    parts.push(pair(key.length, value.length), key, value);
    at += PAIR + key.length + value.length;
  }
  const header = tables.map(entries => {
    const place = at;
    const table = makeTable(entries);
    parts.push(table);
    at += table.length;
    return pair(place, table.length / PAIR);
  });
  return Buffer.concat([...header, ...parts]);
}

/** Twice as many slots as entries; a place of 0 marks an empty one. */
function makeTable(entries: readonly (readonly [hash: number, place: number])[]): Buffer {
  const slots = 2 * entries.length;
  const table = Buffer.alloc(slots * PAIR);
  for (const [hash, place] of entries) {
    let slot = (hash >>> 8) % slots;
    while (table.readUInt32LE(slot * PAIR + 4) !== 0) slot = (slot + 1) % slots;
    table.writeUInt32LE(hash, slot * PAIR);
    table.writeUInt32LE(place, slot * PAIR + 4);
  }
  return table;
}

function pair(one: number, other: number): Buffer {
  const bytes = Buffer.alloc(PAIR);
  bytes.writeUInt32LE(one, 0);
  bytes.writeUInt32LE(other, 4);
  return bytes;
}
