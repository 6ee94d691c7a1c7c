/**
 * Whether Postfix takes `hash:` or `btree:` for another type of map, in another file than the one that popbsmtp writes.
 *
 * Postfix 3.11 and later can leave Berkeley DB behind: with non_bdb_migration_level above `disable`, it and `postmap` read
 * `hash:F` as $default_database_type:F, and `btree:F` as $default_cache_db_type:F (seen with 3.11.7: F.cdb and F.lmdb
 * instead of F.db).  What popbsmtp then takes out of F.db ends nothing: Postfix goes on with the rows of the other file.
 * Promises: such a map is refused, with what it is taken for; where postconf cannot be asked, nothing is.
 * Leaves to others: rows that Postfix reads in the other file (doctor/other-maps.ts).
 * Known limit: an smtpd that was started before the level was changed keeps to the old file until it ends.
 */
import { failure } from '../base/errors.ts';
import { runPostfixCommand } from '../postfix/command.ts';
import { parseParameters } from '../postfix/parameters.ts';
import type { MapSpec } from './map.ts';

const LEVEL = 'non_bdb_migration_level';

/** The parameter that names the type which is taken for one. */
const TARGETS: ReadonlyMap<string, string> = new Map([
  ['hash', 'default_database_type'],
  ['btree', 'default_cache_db_type'],
]);

/** What postconf has to be asked for; an older Postfix knows but one of them, and warns of the others. */
export const REDIRECTION_PARAMETERS: readonly string[] = [LEVEL, ...TARGETS.values()];

/** Postfix reads a main.cf of the last seconds again and again until it is older (src/util/dict.c). */
const TIMEOUT_MS = 15_000;

export interface Redirection {
  /** The value of non_bdb_migration_level. */
  readonly level: string;
  /** The type that the map is taken for. */
  readonly type: string;
}

/**
 * @param parameters of main.cf, or by default, with variables expanded
 * @returns null when Postfix reads the map under its own type
 */
export function redirectionOf(
  type: string,
  parameters: ReadonlyMap<string, string>,
): Redirection | null {
  const target = TARGETS.get(type);
  const level = parameters.get(LEVEL) ?? '';
  if (target === undefined || level === '' || level === 'disable') return null;
  return { level, type: parameters.get(target) || 'another type' };
}

/**
 * Asks postconf, for each kind of map that may be redirected.
 *
 * @throws Failure MAP_REDIRECTED
 */
export async function requireOwnFiles(specs: readonly MapSpec[]): Promise<void> {
  for (const spec of specs) {
    if (!TARGETS.has(spec.type)) continue;
    const found = redirectionOf(spec.type, await askParameters(spec.config ?? null));
    if (found !== null) {
      const { type, path } = spec;
      throw failure('MAP_REDIRECTED', { type, path, target: found.type, level: found.level });
    }
  }
}

async function askParameters(config: string | null): Promise<ReadonlyMap<string, string>> {
  const options = { config, timeoutMs: TIMEOUT_MS };
  const result = await runPostfixCommand('postconf', ['-x', ...REDIRECTION_PARAMETERS], options);
  return parseParameters(result.kind === 'ended' ? result.stdout : '');
}
