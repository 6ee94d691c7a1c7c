/**
 * Settings as lines of a configuration file, with where each comes from, and as JSON.
 *
 * Promises: the text is TOML that a daemon can be started with; what is not set stands there as a comment.
 */
import type { OptionName } from '../options/options.ts';
import { specOf } from '../options/options.ts';
import { originOf } from '../options/origin.ts';
import type { Values } from '../options/values.ts';
import { shown } from './shown.ts';

/** Where the origins begin, unless a line is longer. */
const COLUMN = 44;
/** A path is as long as it is. */
const MOST_OF_ORIGIN = 4096;

export const configText = (values: Values, names: readonly OptionName[]): string =>
  names.map(name => `${textLine(values, name)}\n`).join('');

function textLine(values: Values, name: OptionName): string {
  const given = values.given(name);
  if (given === null && specOf(name).kind === 'flag')
    return withOrigin(`${name} = false`, 'default');
  if (given === null) return withOrigin(`# ${name} =`, fallbackOf(name));
  const from = originOf(given.origin);
  const line = `${name} = ${tomlOf(given.value)}`;
  if (from.from === 'default') return withOrigin(line, 'default');
  return withOrigin(line, from.from === 'flag' ? given.origin : `${from.file}:${from.line}`);
}

const withOrigin = (line: string, origin: string): string =>
  `${line.padEnd(COLUMN)}  # ${shown(origin, MOST_OF_ORIGIN)}`;

/** What happens where nothing is given, and there is no value for it. */
const fallbackOf = (name: OptionName): string => `default: ${specOf(name).otherwise ?? 'none'}`;

/** A text of JSON is one of TOML (toml.io, "String": basic strings), once DEL is escaped as well. */
const tomlOf = (value: boolean | string | readonly string[]): string =>
  typeof value === 'object'
    ? `[${value.map(tomlOf).join(', ')}]`
    : JSON.stringify(value).replaceAll('\x7f', '\\u007f');

/** JSON Lines. */
export const configJson = (values: Values, names: readonly OptionName[]): string =>
  names.map(name => `${JSON.stringify(objectOf(values, name))}\n`).join('');

function objectOf(values: Values, name: OptionName): object {
  const given = values.given(name);
  const origin = given === null ? { from: 'default' } : originOf(given.origin);
  const { from, file = null, line = null } = { file: null, line: null, ...origin };
  const value = given?.value ?? (specOf(name).kind === 'flag' ? false : null);
  return { setting: name, value, from, file, line };
}
