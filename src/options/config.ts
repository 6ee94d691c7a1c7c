/**
 * The configuration file: TOML whose keys are the names of the options (`_` may stand for `-`).
 *
 * Promises: an unknown key, or a value of the wrong type, is an error that names file, line and key; no part
 * of a file is used when another part is wrong.  Nothing in it is executed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { failure, reasonOf } from '../base/errors.ts';
import type { Given } from '../base/given.ts';
import type { Value } from './entry.ts';
import { nearest } from './nearest.ts';
import { isOptionName, OPTION_NAMES, type OptionName, specOf } from './options.ts';
import { normalise, TAKES, Values } from './values.ts';

export const USUAL_FILE = '/etc/popbsmtp/popbsmtp.toml';

/** Adds what the configuration file says to what the command line left open. @throws as `readConfig` does */
export function withConfig(values: Values): Values {
  const file = values.given('config')?.value;
  return values.or(readConfig(typeof file === 'string' ? file : null));
}

/**
 * @param file what `--config` names, or null for the usual file if there is one
 * @throws Failure CONFIG_UNREADABLE, CONFIG_SYNTAX, CONFIG_KEY, CONFIG_VALUE
 */
export function readConfig(file: string | null): Values {
  if (file === null && !existsSync(USUAL_FILE)) return new Values(new Map());
  const path = file ?? USUAL_FILE;
  return parseConfig(readText(path), path);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw failure('CONFIG_UNREADABLE', { file: path, reason: reasonOf(error) }, error);
  }
}

/** @throws Failure CONFIG_SYNTAX, CONFIG_KEY, CONFIG_VALUE */
export function parseConfig(text: string, file: string): Values {
  const given = new Map<OptionName, Given<Value>>();
  for (const [key, raw] of Object.entries(parseToml(text, file))) {
    const line = lineOf(text, key);
    const name = nameOf(key, file, line);
    const value = normalise(name, raw);
    if (value === null) {
      throw failure('CONFIG_VALUE', { file, line, key, problem: TAKES[specOf(name).kind] });
    }
    given.set(name, { value, origin: `${file}: ${key}` });
  }
  return new Values(given);
}

function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [problem = ''] = error.message.split('\n');
    throw failure('CONFIG_SYNTAX', { file, line: error.line, problem }, error);
  }
}

function nameOf(key: string, file: string, line: number): OptionName {
  const name = key.replaceAll('_', '-');
  if (isOptionName(name) && specOf(name).inFile) return name;
  const known = OPTION_NAMES.filter(option => specOf(option).inFile);
  throw failure('CONFIG_KEY', { file, line, key, nearest: nearest(name, known) });
}

/** The line on which a key stands (or the table of that name); the first when it cannot be told. */
function lineOf(text: string, key: string): number {
  const lines = text.split('\n');
  const index = lines.findIndex(line => line.replace(/^\s*\[?\s*["']?/, '').startsWith(key));
  return Math.max(index, 0) + 1;
}
