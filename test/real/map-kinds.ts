/** The types of maps that the tests with the real Postfix go through, and what each needs. */
import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import type { MapSpec, Row } from '../../src/map/map.ts';
import { formatMapSpec } from '../../src/map/map-types.ts';
import { askPostconf } from '../../src/postfix/command.ts';
import { findExecutable } from '../../src/postfix/executable.ts';
import { mustRun, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';

/** All types that we write; those that `postmap` writes as well come first. */
export const TYPES = ['lmdb', 'hash', 'btree', 'cdb', 'texthash', 'cidr'] as const;

export type Type = (typeof TYPES)[number];

/** As `requirePrograms`: a type that this Postfix lacks is skipped, but not in CI. */
export function requireType(type: Type): string | false {
  const missing = requirePrograms(['postmap', 'postconf']);
  if (missing !== false) return missing;
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

type Pairs = readonly Pick<Row, 'key' | 'value'>[];

/** Lines as `postmap` takes and prints them. */
export const lines = (rows: Pairs): string =>
  rows.map(({ key, value }) => `${key}\t${value}\n`).join('');

/** Whether the administrator writes the file itself. */
export const isText = ({ type }: MapSpec): boolean => type === 'texthash' || type === 'cidr';

/** Makes a map with just these rows, as an administrator does. */
export async function makeMap(spec: MapSpec, rows: Pairs): Promise<void> {
  // The map itself, or the source text beside it.
  await writeFile(spec.path, lines(rows));
  if (!isText(spec)) await mustRun('postmap', [formatMapSpec(spec)]);
}

/** Adds rows as an administrator does to a map that is in use; not for `cdb:`, where nothing can be added. */
export async function addRows(spec: MapSpec, rows: Pairs): Promise<void> {
  if (isText(spec)) await appendFile(spec.path, lines(rows));
  else await mustRun('postmap', ['-i', formatMapSpec(spec)], { input: lines(rows) });
}

/** What Postfix finds in a map for these keys. */
export async function found(spec: MapSpec, keys: readonly string[]): Promise<string> {
  const input = `${keys.join('\n')}\n`;
  const { code, stdout, stderr } = await runProgram('postmap', ['-q', '-', formatMapSpec(spec)], {
    input,
  });
  assert.ok(code === 0 || code === 1, stderr);
  assert.doesNotMatch(stderr, /fatal|error/);
  return stdout;
}
