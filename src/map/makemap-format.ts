/**
 * `makemap:hash:` maps, for sendmail: the whole file is made anew by sendmail's own `makemap`, from what the same program reads in the old one.
 *
 * Promises: records of the administrator's stay; the text that he makes such a map from is never looked at.
 * A sendmail that has the file open looks at the time of that file before each question, and opens it anew if that is later (map.c, db_map_lookup;
 * seen with 8.17.1): so sessions that go on learn of a change as well.
 * Leaves to others: what the records are (makemap-records.ts); that nobody sees the new file until it is whole (replaced-map.ts).
 * Why not in place: makemap empties the file first, so that one that was killed has left no rows, or a file that cannot be opened, in 18 of 20 runs;
 * it can only add otherwise (`-o`), and `editmap` takes one key for each run.  What a whole new file costs: a sendmail that opens the map at the
 * moment of the change gives up ("file changed after open"), for the whole of a session; so its configuration names it twice, popbsmtp-mta(7).
 */
import { dumpMap, writeMap } from './makemap.ts';
import { type Entry, entriesOf, type MakemapRecord, PLAIN, recordsOf } from './makemap-records.ts';
import type { MapSpec, Row } from './map.ts';
import { revise } from './plan.ts';
import type { Format } from './replaced-map.ts';
import { among, removals } from './row.ts';

const read = async (spec: MapSpec): Promise<Entry[]> =>
  entriesOf(await dumpMap(spec, spec), spec.form ?? PLAIN);

const rowsOf = (entries: readonly Entry[]): Row[] =>
  entries.map(({ row }) => row).filter(row => row !== null);

const recordsIn = (entries: readonly Entry[]): MakemapRecord[] =>
  entries.flatMap(({ records }) => records);

export const MAKEMAP: Format = {
  name: 'map of sendmail',
  isKeptOpen: true,
  read: async spec => rowsOf(await read(spec)),
  make: (spec, fresh) => writeMap(fresh, spec, []),
  change: async (spec, fresh, changes) => {
    const entries = await read(spec);
    const { effects, grants } = revise(rowsOf(entries), changes);
    if (grants === null) return { effects, changed: false };
    const form = spec.form ?? PLAIN;
    const kept = entries.filter(({ isOurs }) => !isOurs);
    const ours = Array.from(grants, ([key, value]) => recordsOf(key, value, form)).flat();
    await writeMap(fresh, spec, [...recordsIn(kept), ...ours]);
    return { effects, changed: true };
  },
  remove: async (spec, fresh, rows) => {
    const entries = await read(spec);
    const effects = removals(rowsOf(entries), rows);
    if (!effects.includes('removed')) return { effects, changed: false };
    const goes = among(rows);
    const kept = entries.filter(({ row }) => row !== null && !goes(row));
    await writeMap(fresh, spec, recordsIn(kept));
    return { effects, changed: true };
  },
};
