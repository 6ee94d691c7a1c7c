/**
 * The configuration file: TOML whose keys are the names of the options (`_` may stand for `-`).
 *
 * Promises: an unknown key, or a value of the wrong type, is an error that names file, line and key; no part
 * of a file is used when another part is wrong.  Nothing in it is executed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { Failure, failure, reasonOf } from '../base/errors.ts';
import type { Given } from '../base/given.ts';
import type { Value } from './entry.ts';
import { nearest } from './nearest.ts';
import { isOptionName, OPTION_NAMES, type OptionName, specOf } from './options.ts';
import { fileOrigin } from './origin.ts';
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
  const { values, failures } = readAll(parseToml(text, file), text, file);
  const [first] = failures;
  if (first !== undefined) throw first;
  return values;
}

/** What a file says, as far as it can be read, and everything that cannot. */
export interface CheckedConfig {
  readonly values: Values;
  readonly failures: readonly Failure[];
}

/** @throws Failure CONFIG_UNREADABLE */
export function checkConfig(file: string): CheckedConfig {
  const text = readText(file);
  try {
    return readAll(parseToml(text, file), text, file);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { values: new Values(new Map()), failures: [error] };
  }
}

function readAll(content: Record<string, unknown>, text: string, file: string): CheckedConfig {
  const given = new Map<OptionName, Given<Value>>();
  const failures: Failure[] = [];
  for (const [key, raw] of Object.entries(content)) {
    const line = lineOf(text, key);
    const name = nameOf(key);
    const value = name === null ? null : normalise(name, raw);
    if (name === null) failures.push(unknownKey(key, file, line));
    else if (value === null)
      failures.push(
        failure('CONFIG_VALUE', { file, line, key, problem: TAKES[specOf(name).kind] }),
      );
    else given.set(name, { value, origin: fileOrigin({ file, line, key }) });
  }
  return { values: new Values(given), failures };
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

function nameOf(key: string): OptionName | null {
  const name = key.replaceAll('_', '-');
  return isOptionName(name) && specOf(name).inFile ? name : null;
}

function unknownKey(key: string, file: string, line: number): Failure {
  const near = nearest(
    key.replaceAll('_', '-'),
    OPTION_NAMES.filter(option => specOf(option).inFile),
  );
  const hint =
    near === null ? 'popbsmtp.toml(5) has all keys' : `the nearest known key is "${near}"`;
  return failure('CONFIG_KEY', { file, line, key, hint });
}

/** The line on which a key stands (or the table of that name); the first when it cannot be told. */
function lineOf(text: string, key: string): number {
  const index = text.split('\n').findIndex(line => {
    const bare = line.replace(/^\s*\[*\s*["']?/, '');
    return bare.startsWith(key) && !/^[\w-]/.test(bare.slice(key.length));
  });
  return Math.max(index, 0) + 1;
}
