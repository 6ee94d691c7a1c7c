/**
 * `texthash:` and `cidr:` maps: a text file with a row on each line, which Postfix reads without `postmap`.
 *
 * Promises: lines of the administrator's (comments, patterns, rows that go on over several lines) keep their bytes and
 * their order, and ours stand behind them: of the patterns of a `cidr:` map the first that matches decides, so that
 * what the administrator refuses stays refused.
 * Known limits: smtpd reads such a map when it starts and never again; a row of the administrator's for one address is
 * seen if it is written as Postfix looks it up, not when it is spelt in another way, or is the network /32 of it.
 * Source of the format: postmap(1), cidr_table(5); of the waiting, src/util/dict_thash.c of 3.7.
 */
import { readFile, utimes, writeFile } from 'node:fs/promises';
import type { Row } from './map.ts';
import { mapPath } from './map-types.ts';
import { revise } from './plan.ts';
import type { Format } from './replaced-map.ts';
import { among, grantOf, removals, stampOf } from './row.ts';

/** Any byte is a character: the administrator's text comes out as it went in. */
const BYTES = 'latin1';

/**
 * Postfix takes a `texthash:` file that has changed within the last second or two for one that is still being written,
 * and reads it again and again until it rests.  Ours is whole from the first, so it gets an older time.
 */
const AGE_SECONDS = 10;

/** A line of the file, with the row that begins in it. */
interface Line {
  readonly text: string;
  readonly row: Row | null;
}

const isRow = (line: string): boolean => /^[^\s#]/.test(line);
const isContinuation = (line: string): boolean => /^\s+[^\s#]/.test(line);

/** The row that begins in a line.  We write none that goes on in the next ones, so such a row is not ours. */
function rowAt(lines: readonly string[], start: number): Row {
  const first = lines[start] ?? '';
  let text = first;
  for (let index = start + 1; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (isRow(line)) break;
    if (isContinuation(line)) text += line;
  }
  const row = rowOf(text);
  return text === first ? row : { ...row, stamp: null };
}

function rowOf(text: string): Row {
  const [, key = '', value = ''] = /^("(?:\\.|[^"\\])*"|\S+)\s*(.*?)\s*$/s.exec(text) ?? [];
  const plain = key.startsWith('"') ? key.slice(1, -1) : key;
  const utf8 = (bytes: string): string => Buffer.from(bytes, BYTES).toString();
  return { key: utf8(plain.toLowerCase()), value: utf8(value), stamp: stampOf(value) };
}

function linesOf(text: string): Line[] {
  const lines = text.split('\n');
  return lines.map((line, index) => ({
    text: line,
    row: isRow(line) ? rowAt(lines, index) : null,
  }));
}

const rowsOf = (lines: readonly Line[]): Row[] =>
  lines.map(({ row }) => row).filter(row => row !== null);

/** The lines that are not ours, with an end at the last one. */
function foreignText(lines: readonly Line[]): string {
  const kept = lines.filter(({ row }) => row === null || grantOf(row) === null);
  const text = kept.map(line => line.text).join('\n');
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** The lines without those of these rows, and without those in which they go on. */
function textWithout(lines: readonly Line[], rows: readonly Row[]): string {
  const goes = among(rows);
  let isGone = false;
  const kept = lines.filter(({ text, row }) => {
    if (row !== null) isGone = goes(row);
    return !(isGone && (row !== null || isContinuation(text)));
  });
  return kept.map(({ text }) => text).join('\n');
}

async function age(path: string): Promise<void> {
  const past = Date.now() / 1000 - AGE_SECONDS;
  await utimes(path, past, past);
}

export const TEXT: Format = {
  name: 'text file',
  emptyIsMap: true,
  read: async spec => rowsOf(linesOf(await readFile(mapPath(spec), BYTES))),
  make: (_, fresh) => writeFile(mapPath(fresh), ''),
  change: async (spec, fresh, changes) => {
    const lines = linesOf(await readFile(mapPath(spec), BYTES));
    const { effects, grants } = revise(rowsOf(lines), changes);
    if (grants === null) return { effects, changed: false };
    const ours = Array.from(grants, ([key, value]) => `${key}\t${value}\n`).join('');
    const path = mapPath(fresh);
    await writeFile(path, foreignText(lines) + ours, BYTES);
    await age(path);
    return { effects, changed: true };
  },
  remove: async (spec, fresh, rows) => {
    const lines = linesOf(await readFile(mapPath(spec), BYTES));
    const effects = removals(rowsOf(lines), rows);
    if (!effects.includes('removed')) return { effects, changed: false };
    const path = mapPath(fresh);
    await writeFile(path, textWithout(lines, rows), BYTES);
    await age(path);
    return { effects, changed: true };
  },
};
