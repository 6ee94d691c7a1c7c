// @ts-check
/**
 * Proves the addon that the installed `lmdb` package loads: writes the file that the argument names,
 * which is not there yet, and looks at what was written.  It runs as a child of lmdb-addon.mjs, since
 * a broken addon may take its process down.
 *
 * Promises: status 0 if it writes LMDB data format 1 and no lock file, else one line on standard error.
 */
import { existsSync, readFileSync } from 'node:fs';
import { endianness } from 'node:os';

/** LMDB's MDB_meta, and in it mm_magic and mm_version, follows a page header of 16 bytes (mdb.c). */
const MAGIC_AT = 16;
const VERSION_AT = 20;
const MAGIC = 0xbeefc0de;

const path = process.argv[2] ?? '';

/** @returns {Promise<string | null>} what is wrong with what it writes */
async function fault() {
  const { open } = await import('lmdb');
  const database = open({ path, noSync: true, encoding: 'binary', keyEncoding: 'binary' });
  database.putSync(Buffer.from('key'), Buffer.from('value'));
  const header = readFileSync(path);
  const word = (/** @type {number} */ at) =>
    endianness() === 'LE' ? header.readUInt32LE(at) : header.readUInt32BE(at);
  if (word(MAGIC_AT) !== MAGIC) return 'it does not write LMDB data format 1';
  const version = word(VERSION_AT);
  if (version !== 1) return `it writes LMDB data format ${version} instead of 1`;
  return existsSync(`${path}-lock`) ? "it uses LMDB's own lock file" : null;
}

const found = await fault();
if (found !== null) {
  process.stderr.write(`${found}\n`);
  process.exitCode = 1;
}
