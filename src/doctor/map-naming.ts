/**
 * How a table in a restriction names the map, and so what of an address Postfix looks up in it: all of it, or its beginnings too.
 *
 * access(5) cuts an address at its last delimiter again and again, but for tables of patterns.  Which of both a `pipemap:` is
 * its first table decides (Postfix 3.7 src/util/dict_pipe.c), so a map behind an expression that hands on any text is
 * asked for whole addresses only (seen with smtpd 3.7.11).
 * Known limit: an expression in a file of its own, or of another wording, is not understood, and counts as `parts`.
 */
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, isAskedWhole } from '../map/map-types.ts';
import { words } from '../postfix/words.ts';

export type Lookup = 'whole' | 'parts';

/** The table behind `proxy:`, which is the same one, asked through proxymap(8). */
export const behindProxy = (table: string): string => table.replace(/^(?:proxy:)+/, '');

const PIPEMAP = /^pipemap:\{(.*)\}$/s;

/** `regexp:{{/^(.*)$/ $1}}`, also with other blanks and braces around the number, `+`, or `pcre:` (regexp_table(5)). */
const HANDS_ON = /^(?:regexp|pcre):\{\s*\{\s*\/\^\(\.[*+]\)\$\/\s+\$(?:1|\{1\}|\(1\))\s*\}\s*\}$/;

/** Null when it is not the map. */
export function lookupOf(table: string, map: MapSpec): Lookup | null {
  const name = formatMapSpec(map);
  const bare = behindProxy(table);
  if (bare === name) return isAskedWhole(map) ? 'whole' : 'parts';
  const [first, ...others] = words(PIPEMAP.exec(bare)?.[1] ?? '').map(behindProxy);
  if (first === name) return isAskedWhole(map) ? 'whole' : 'parts';
  if (first === undefined || !others.includes(name)) return null;
  return HANDS_ON.test(first) ? 'whole' : 'parts';
}

/** What main.cf has to say so that a map is asked for whole addresses only: a line, with its parameter and value, and what names the table. */
export function wrapped(
  map: MapSpec,
): Readonly<Record<'line' | 'parameter' | 'value' | 'name', string>> {
  const parameter = 'pbsmap';
  const value = `pipemap:{regexp:{{/^(.*)$$/ $$1}}, ${formatMapSpec(map)}}`;
  return { line: `${parameter} = ${value}`, parameter, value, name: `$${parameter}` };
}
