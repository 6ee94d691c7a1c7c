/**
 * `cdb:` maps: the whole file is made anew, without `postmap` (cdb.ts).
 *
 * Promises: records of the administrator's keep their bytes and their order; ours stand behind them.
 * Known limit: keys and values are written as `postmap` does for this type, without a NUL at the end; a table made
 * with `postmap -N` has rows that all count as the administrator's.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { type CdbRecord, makeCdb, readCdb } from './cdb.ts';
import type { Row } from './map.ts';
import { mapPath } from './map-types.ts';
import { revise } from './plan.ts';
import type { Format } from './replaced-map.ts';
import { among, grantOf, removals, stampOf } from './row.ts';

function rowOf({ key, value }: CdbRecord): Row {
  const text = value.toString();
  return { key: key.toString(), value: text, stamp: stampOf(text) };
}

const recordOf = (key: string, value: string): CdbRecord => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
});

export const CDB: Format = {
  name: 'cdb file',
  read: async spec => readCdb(await readFile(mapPath(spec))).map(rowOf),
  make: (_, fresh) => writeFile(mapPath(fresh), makeCdb([])),
  change: async (spec, fresh, changes) => {
    const records = readCdb(await readFile(mapPath(spec)));
    const { effects, grants } = revise(records.map(rowOf), changes);
    if (grants === null) return { effects, changed: false };
    const kept = records.filter(record => grantOf(rowOf(record)) === null);
    const ours = Array.from(grants, ([key, value]) => recordOf(key, value));
    await writeFile(mapPath(fresh), makeCdb([...kept, ...ours]));
    return { effects, changed: true };
  },
  remove: async (spec, fresh, rows) => {
    const records = readCdb(await readFile(mapPath(spec)));
    const effects = removals(records.map(rowOf), rows);
    const isGone = among(rows);
    const kept = records.filter(record => !isGone(rowOf(record)));
    if (kept.length === records.length) return { effects, changed: false };
    await writeFile(mapPath(fresh), makeCdb(kept));
    return { effects, changed: true };
  },
};
