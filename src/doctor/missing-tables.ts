/**
 * Tables that smtpd's restriction lists name and that are not there, for which Postfix defers all mail (451 4.3.0, 4.3.5).
 *
 * Leaves to others: the map of the daemon, and what somebody has written for it (map.ts, refused-grant.ts).
 * Known limits: only tables of the types below that are named with their whole path, not behind another table; what may not be looked at
 * counts as there.
 */
import { existsSync, lstatSync } from 'node:fs';
import { errnoOf } from '../base/errors.ts';
import type { MapSpec } from '../map/map.ts';
import { redirectionOf } from '../map/redirection.ts';
import { error, type Verdict } from './finding.ts';
import { behindProxy } from './map-naming.ts';
import type { PostfixState } from './postfix-state.ts';
import { means } from './restriction-cure.ts';
import { groupsOf } from './restriction-group.ts';

export interface MissingTable {
  /** As the list has it, without `proxy:`. */
  readonly table: string;
  /** Where it is named. */
  readonly label: string;
  /** The file that is not there. */
  readonly file: string;
  /** The file that it is made of; null of a type that is read as it is. */
  readonly source: string | null;
  readonly isSourceThere: boolean;
}

/** What Postfix appends (src/util/dict_lmdb.h, dict_db.h, dict_cdb.h), and nothing to what it reads as it is. */
const SUFFIXES: ReadonlyMap<string, string> = new Map([
  ['lmdb', '.lmdb'],
  ['hash', '.db'],
  ['btree', '.db'],
  ['cdb', '.cdb'],
  ...['cidr', 'pcre', 'regexp', 'texthash'].map((type): [string, string] => [type, '']),
]);

/** @param map the daemon's */
export function missingTables(state: PostfixState, map: MapSpec): MissingTable[] {
  const found = groupsOf(state).flatMap(({ label, lists }) =>
    lists.flatMap(({ steps }) =>
      steps.flatMap(step => {
        if (step.kind !== 'access' || means(step.table, map)) return [];
        const missing = missingFile(behindProxy(step.table), state);
        return missing === null ? [] : [{ label, ...missing }];
      }),
    ),
  );
  return [...new Map(found.map(each => [each.table, each])).values()];
}

/** Null of what is there, or may be. */
function missingFile(
  table: string,
  { parameters }: PostfixState,
): Omit<MissingTable, 'label'> | null {
  const [, named = '', path = ''] = /^([a-z]+):(\/[^{}]*)$/.exec(table) ?? [];
  const suffix = SUFFIXES.get(redirectionOf(named, parameters)?.type ?? named);
  if (suffix === undefined || !isMissing(`${path}${suffix}`)) return null;
  const source = suffix === '' ? null : path;
  return { table, file: `${path}${suffix}`, source, isSourceThere: existsSync(path) };
}

function isMissing(path: string): boolean {
  try {
    lstatSync(path);
    return false;
  } catch (problem) {
    return errnoOf(problem) === 'ENOENT';
  }
}

/** @param reload the command that has Postfix look again */
export const judgeMissing = (missing: readonly MissingTable[], reload: string): Verdict[] =>
  missing.map(({ table, label, file, source, isSourceThere }) =>
    error(
      `${label} names ${table}, and there is no ${file}: Postfix defers all mail that comes there`,
      isSourceThere
        ? `make it: postmap ${table} && ${reload}`
        : `write ${source === null ? 'it' : `${source} and make it of that with postmap`}, or take its name out of the list, then "${reload}"`,
    ),
  );
