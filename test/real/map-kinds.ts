/** The types of maps that the tests with real readers go through, and what each needs. */
import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import type { MapSpec, Row } from '../../src/map/map.ts';
import { formatMapSpec } from '../../src/map/map-types.ts';
import { askPostconf } from '../../src/postfix/command.ts';
import { findExecutable } from '../../src/postfix/executable.ts';
import { mustRun, type Result, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';

/** All types that Postfix reads; those that `postmap` writes as well come first. */
export const TYPES = ['lmdb', 'hash', 'btree', 'cdb', 'texthash', 'cidr'] as const;

/** And those that need no other program than there is on any machine; `tcprules:`, `nft:` and `makemap:` have tests of their own. */
export const ALL_TYPES = [...TYPES, 'table'] as const;

export type Type = (typeof ALL_TYPES)[number];

/** As `requirePrograms`: a type that this Postfix lacks is skipped, but not in CI. */
export function requireType(type: Type): string | false {
  const missing = requirePrograms(type === 'table' ? ['awk'] : ['postmap', 'postconf']);
  if (missing !== false || type === 'table') return missing;
  if (askPostconf(['-m'], null)?.split('\n').includes(type) === true) return false;
  const reason = `this Postfix has no maps of type ${type}`;
  if (process.env['CI'] === 'true') throw new Error(`cannot test here: ${reason}`);
  return reason;
}

/** The types of other programs than Postfix that can be written here, as an administrator would have them. */
export const otherTypes = (): readonly string[] => [
  'table',
  ...(findExecutable('makemap', ['/usr/sbin']) === null ? [] : ['makemap:hash']),
];

type Pair = Pick<Row, 'key' | 'value'>;
type Pairs = readonly Pair[];

/** Lines as `postmap` takes and prints them, and `found` too. */
export const lines = (rows: Pairs): string =>
  rows.map(({ key, value }) => `${key}\t${value}\n`).join('');

/** A row of an administrator's: a list of addresses has nothing but the address. */
export const foreignRow = (type: Type, key: string): Pair => ({
  key,
  value: type === 'table' ? key : 'OK',
});

/** The text that a row is. */
const textOf = ({ type }: MapSpec, rows: Pairs): string =>
  type !== 'table'
    ? lines(rows)
    : rows
        .map(({ key, value }) => `${key === value ? '' : `# popbsmtp ${value}\n`}${key}\n`)
        .join('');

/** Whether the administrator writes the file itself. */
export const isText = ({ type }: Pick<MapSpec, 'type'>): boolean =>
  type === 'texthash' || type === 'cidr' || type === 'table';

/** Makes a map with just these rows, as an administrator does. */
export async function makeMap(spec: MapSpec, rows: Pairs): Promise<void> {
  // The map itself, or the source text beside it.
  await writeFile(spec.path, textOf(spec, rows));
  if (!isText(spec)) await mustRun('postmap', [formatMapSpec(spec)]);
}

/** Adds rows as an administrator does to a map that is in use; not for `cdb:`, where nothing can be added. */
export async function addRows(spec: MapSpec, rows: Pairs): Promise<void> {
  if (isText(spec)) await appendFile(spec.path, textOf(spec, rows));
  else await mustRun('postmap', ['-i', formatMapSpec(spec)], { input: lines(rows) });
}

/** A reader of lists: the value of an address is the time before it, or itself where there is none. */
const LIST_READER = `
NR == FNR { if (/^# popbsmtp /) time = $3; else { if (!/^#/) value[$0] = time ? time : $0; time = "" } next }
$0 in value { print $0 "\t" value[$0] }`;

/** Asks for keys, as Postfix does, or a program that reads a list. */
export function ask(spec: MapSpec, keys: readonly string[]): Promise<Result> {
  const input = `${keys.join('\n')}\n`;
  return spec.type === 'table'
    ? runProgram('awk', [LIST_READER, spec.path, '-'], { input })
    : runProgram('postmap', ['-q', '-', formatMapSpec(spec)], { input });
}

/** What is found in a map for these keys. */
export async function found(spec: MapSpec, keys: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await ask(spec, keys);
  assert.ok(code === 0 || code === 1, stderr);
  assert.doesNotMatch(stderr, /fatal|error/);
  return stdout;
}
