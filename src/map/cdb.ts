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
  const places = Array.from({ length: TABLES }, (): number[] => []);
  const hashes = Array.from({ length: TABLES }, (): number[] => []);
  const bytes = records.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  // A record has its lengths, and two slots of its table.
  const file = Buffer.alloc(HEADER + bytes + 3 * PAIR * records.length);
  let at = HEADER;
  for (const { key, value } of records) {
    const hash = hashOf(key);
    hashes[hash % TABLES]?.push(hash);
    places[hash % TABLES]?.push(at);
    writePair(file, at, key.length, value.length);
    key.copy(file, at + PAIR);
    value.copy(file, at + PAIR + key.length);
    at += PAIR + key.length + value.length;
  }
  for (const [number, own] of places.entries()) {
    const slots = 2 * own.length;
    writePair(file, number * PAIR, at, slots);
    const table = file.subarray(at, at + slots * PAIR);
    for (const [index, place] of own.entries()) {
      fillSlot(table, hashes[number]?.[index] ?? 0, place);
    }
    at += table.length;
  }
  return file;
}

/** Puts a record into the first free slot for its hash; a place of 0 marks one that is free. */
function fillSlot(table: Buffer, hash: number, place: number): void {
  const slots = table.length / PAIR;
  let slot = (hash >>> 8) % slots;
  while (table.readUInt32LE(slot * PAIR + 4) !== 0) slot = (slot + 1) % slots;
  writePair(table, slot * PAIR, hash, place);
}

function writePair(bytes: Buffer, at: number, one: number, other: number): void {
  bytes.writeUInt32LE(one, at);
  bytes.writeUInt32LE(other, at + 4);
}
