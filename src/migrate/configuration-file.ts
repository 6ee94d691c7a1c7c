/**
 * Adds settings to popbsmtp.toml, and takes none away.
 *
 * Promises: a key that is there stays as it is; the file is whole at any moment, and the daemon would take what is written; how it was
 * before is kept beside it (`.before-migrate`), the oldest of such copies; owner and mode stay.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { chown, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, Failure, failure, reasonOf } from '../base/errors.ts';
import { ownerOfDirectory } from '../map/privileges.ts';
import { parseConfig, readConfig } from '../options/config.ts';
import { isOptionName, specOf } from '../options/options.ts';
import { normalise } from '../options/values.ts';
import { replaceFileDurably } from '../state/replace-file.ts';
import type { Remark } from './former-settings.ts';
import { keepCopy } from './kept-copy.ts';

export interface Setting {
  readonly key: string;
  readonly value: string | boolean;
  /** Where it comes from. */
  readonly from: string;
}

/** What of them the file has not got yet, and what it says otherwise. @throws as `readConfig` does */
export function compareWithFile(
  path: string,
  wanted: readonly Setting[],
): { readonly missing: readonly Setting[]; readonly remarks: readonly Remark[] } {
  if (!existsSync(path)) return { missing: wanted, remarks: [] };
  const values = readConfig(path);
  const missing: Setting[] = [];
  const remarks: Remark[] = [];
  for (const setting of wanted) {
    const there = isOptionName(setting.key) ? values.given(setting.key) : null;
    if (there === null || !there.origin.startsWith(path)) missing.push(setting);
    else if (!isSame(setting, there.value))
      remarks.push({
        where: `${path}: ${setting.key}`,
        text: `is ${JSON.stringify(there.value)} and stays so; the Perl program had ${JSON.stringify(setting.value)} (${setting.from})`,
      });
  }
  return { missing, remarks };
}

/** As the option reads them: `30m` and `1800` are the same. */
function isSame({ key, value }: Setting, there: unknown): boolean {
  if (!isOptionName(key)) return false;
  const isList = typeof there === 'object';
  const read = (one: unknown): string =>
    JSON.stringify(
      specOf(key).read({ value: isList ? [one].flat().map(String) : asWritten(one), origin: '' }),
    );
  return read(value) === read(there);
}

/** Why the daemon would not take it; null when it would. */
export function refusalOf({ key, value }: Setting): string | null {
  if (!isOptionName(key)) return null;
  try {
    const normal = normalise(key, value);
    if (normal !== null) specOf(key).read({ value: normal, origin: key });
    return null;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.message;
  }
}

const asWritten = (value: unknown): string | boolean =>
  typeof value === 'boolean' ? value : String(value);

/** As the file has them. */
export const linesOf = (settings: readonly Setting[]): string[] =>
  settings.map(({ key, value }) => `${key} = ${JSON.stringify(value)}`);

const HEADING = '# From the Perl pop-before-smtp (popbsmtp migrate)';

/**
 * @returns the copy of how it was; null for a new file
 * @throws Failure CONFIG_UNWRITABLE; CONFIG_SYNTAX and the like when the whole would be none
 */
export async function addSettings(
  named: string,
  settings: readonly Setting[],
): Promise<string | null> {
  try {
    const isThere = existsSync(named);
    // What a link leads to is the file.
    const path = isThere ? realpathSync(named) : named;
    requireOwnDirectory(dirname(path));
    const before = isThere ? await readFile(path, 'utf8') : '';
    const gap = before === '' || before.endsWith('\n') ? '' : '\n';
    const text = `${before}${gap}${before === '' ? '' : '\n'}${HEADING}\n${linesOf(settings).join('\n')}\n`;
    parseConfig(text, named);
    if (!isThere) {
      await replaceFileDurably(path, text, 0o644);
      return null;
    }
    const { mode, uid, gid } = statSync(path);
    const copy = keepCopy(path);
    await replaceFileDurably(path, text, mode & 0o777);
    if (process.geteuid?.() === 0) await chown(path, uid, gid);
    return copy;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    throw failure('CONFIG_UNWRITABLE', { file: named, reason: reasonOf(error) }, error);
  }
}

/** Root writes nothing in the directory of another account, which could put a link there. @throws Failure CONFIG_UNWRITABLE */
function requireOwnDirectory(directory: string): void {
  const owner = process.geteuid?.() === 0 ? ownerOfDirectory(directory) : null;
  if (owner === null) return;
  const reason = `${directory} belongs to the account ${owner.uid}`;
  throw failure('CONFIG_UNWRITABLE', { file: directory, reason });
}
