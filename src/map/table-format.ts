/**
 * `table:` maps: a list of addresses, one on each line, for programs that take such a list and nothing else.
 *
 * The time of a row stands on a comment line of its own before the address, `# popbsmtp 1795817958`: so the file alone says what is granted
 * until when, to a daemon that is started again and to `popbsmtp purge`, and cannot come apart from its times as from a second file.
 * On a line of its own, since not all readers take a comment behind a value: smtpd of OpenSMTPD does (table(5)), ACL files of HAProxy do not.
 * The first line that we write is `# @list`: a file with no address in it is else no list for smtpd of OpenSMTPD, which does not start with it (seen with
 * 6.8.0p2); others take it for a comment.
 * Promises: lines of the administrator's, also addresses without such a line before them, keep their bytes and their order, and ours stand behind them.
 * Known limit: an address of the administrator's that is spelt in another way than ours is not seen to be the same.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { canonicalIp } from '../base/address.ts';
import type { MapSpec } from './map.ts';
import { mapPath } from './map-types.ts';
import { revise } from './plan.ts';
import type { Format } from './replaced-map.ts';
import { among, removals } from './row.ts';
import {
  BYTES,
  type Entry,
  entriesOf,
  foreignIn,
  type LineReader,
  rowsIn,
  stamped,
  textOf,
} from './stamped-lines.ts';

/** A line of the file that says what it is; see above. */
const MARK = '# @list\n';

const LINES: LineReader = {
  ours: line => (canonicalIp(line) === line ? line : null),
  // The line is the value, which so is no number where the key is an address.
  foreign: line => {
    const [, key] = /^\s*([^\s#]+)/.exec(line) ?? [];
    if (key === undefined) return null;
    const utf8 = (bytes: string): string => Buffer.from(bytes, BYTES).toString();
    return { key: utf8(key.toLowerCase()), value: utf8(line.trim()), stamp: null };
  },
};

const read = async (spec: MapSpec): Promise<Entry[]> =>
  entriesOf(await readFile(mapPath(spec), BYTES), LINES);

/** With the mark in front of all, unless it is somewhere. */
const marked = (text: string): string => (/^# @list$/m.test(text) ? text : MARK + text);

export const TABLE: Format = {
  name: 'list of addresses',
  emptyIsMap: true,
  read: async spec => rowsIn(await read(spec)),
  make: (_, fresh) => writeFile(mapPath(fresh), MARK),
  change: async (spec, fresh, changes) => {
    const entries = await read(spec);
    const { effects, grants } = revise(rowsIn(entries), changes);
    if (grants === null) return { effects, changed: false };
    const ours = Array.from(grants, ([key, value]) => stamped(value, key)).join('');
    await writeFile(mapPath(fresh), marked(textOf(foreignIn(entries)) + ours), BYTES);
    return { effects, changed: true };
  },
  remove: async (spec, fresh, rows) => {
    const entries = await read(spec);
    const effects = removals(rowsIn(entries), rows);
    if (!effects.includes('removed')) return { effects, changed: false };
    const goes = among(rows);
    const kept = entries.filter(({ row }) => row === null || !goes(row));
    await writeFile(mapPath(fresh), marked(textOf(kept)), BYTES);
    return { effects, changed: true };
  },
};
