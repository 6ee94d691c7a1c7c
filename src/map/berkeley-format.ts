/**
 * `hash:` and `btree:` maps, which only Postfix's own `postmap` writes: a copy of the file is changed, row by row.
 *
 * Promises: the text from which an administrator makes such a map (`postmap hash:/path` reads `/path`) is never looked
 * at; at most one process at a time, two for most commits: one asks for the rows, one adds and renews, one removes.
 * Leaves to others: that nobody sees the copy until it is whole (replaced-map.ts).
 * Source: postmap(1) of 3.7.
 */
import { copyFile, writeFile } from 'node:fs/promises';
import type { Change } from '../grant/change.ts';
import type { MapSpec, Row } from './map.ts';
import { mapPath } from './map-types.ts';
import { plan } from './plan.ts';
import { postmap } from './postmap.ts';
import type { Changed, Format } from './replaced-map.ts';
import { removals, stampOf } from './row.ts';

/** Keys and values, as `postmap -s` and `-q` print them. */
const ROW = /^([^\t\n]*)\t(.*)$/gm;

const lines = (texts: Iterable<string>): string => Array.from(texts, text => `${text}\n`).join('');

async function read(spec: MapSpec): Promise<Row[]> {
  const printed = await postmap({ map: spec, named: spec, what: 'read', options: ['-s'] });
  return Array.from(printed.matchAll(ROW), ([, key = '', value = '']): Row => {
    return { key, value, stamp: stampOf(value) };
  });
}

async function change(spec: MapSpec, fresh: MapSpec, changes: readonly Change[]): Promise<Changed> {
  await copyFile(mapPath(spec), mapPath(fresh));
  const run = (what: 'read' | 'write', options: readonly string[], keys: Iterable<string>) =>
    postmap({ map: fresh, named: spec, what, options, input: lines(keys) });
  const printed = await run('read', ['-q', '-'], new Set(changes.map(({ ip }) => ip)));
  const values = new Map(
    Array.from(printed.matchAll(ROW), ([, key = '', value = '']): [string, string] => [key, value]),
  );
  const { effects, writes } = plan(changes, ip => values.get(ip));
  const gone: string[] = [];
  const put: string[] = [];
  for (const [ip, value] of writes) {
    if (value === null) gone.push(ip);
    else put.push(`${ip}\t${value}`);
  }
  // Without -r, a row that is there would stay as it is.
  if (put.length > 0) await run('write', ['-r', '-i'], put);
  if (gone.length > 0) await run('write', ['-d', '-'], gone);
  return { effects, changed: writes.size > 0 };
}

async function remove(spec: MapSpec, fresh: MapSpec, rows: readonly Row[]): Promise<Changed> {
  const effects = removals(await read(spec), rows);
  const gone = rows.filter((_, index) => effects[index] === 'removed').map(({ key }) => key);
  if (gone.length === 0) return { effects, changed: false };
  await copyFile(mapPath(spec), mapPath(fresh));
  const options = ['-d', '-'];
  await postmap({ map: fresh, named: spec, what: 'write', options, input: lines(gone) });
  return { effects, changed: true };
}

export const BERKELEY: Format = {
  name: 'Berkeley DB file',
  read,
  make: async (spec, fresh) => {
    await writeFile(fresh.path, '');
    await postmap({ map: fresh, named: spec, what: 'make', options: [] });
  },
  change,
  remove,
};
