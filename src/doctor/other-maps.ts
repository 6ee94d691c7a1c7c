/**
 * Whether main.cf or master.cf name a map with rows of ours that no daemon looks after: those rows relay for ever.
 *
 * So it is after the map was renamed in the configuration and not in main.cf, or when another popbsmtp was taken away.
 * Known limit: only tables in restriction lists, classes and mynetworks are looked at, of the types that popbsmtp writes.
 */

import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, MAP_TYPES, mapExists, readRows } from '../map/map-types.ts';
import { ownerOf } from '../map/owner.ts';
import { redirectionOf } from '../map/redirection.ts';
import { grantsIn } from '../map/row.ts';
import { parseMapSpec } from '../map/spec.ts';
import { check } from './check.ts';
import { error, ok, type Verdict } from './finding.ts';
import type { PostfixState } from './postfix-state.ts';

export interface OtherMap {
  /** As main.cf names it. */
  readonly name: string;
  /** The map that Postfix takes it for; the same in nearly all cases. */
  readonly map: string;
  /** Rows of ours. */
  readonly rows: number;
  readonly owner: Awaited<ReturnType<typeof ownerOf>>;
}

export const otherMapsCheck = check(
  'maps',
  async ({ settings, postfix }) => {
    const answer = await postfix();
    if (answer.kind !== 'known') return [];
    const { map, mirrors, postfixConfig } = settings;
    const own = new Set([map, ...mirrors].map(formatMapSpec));
    return otherMapsIn(answer.state, postfixConfig, own);
  },
  judgeOtherMaps,
);

/** @param own the maps that the daemon looks after */
export async function otherMapsIn(
  state: PostfixState,
  config: string | null,
  own: ReadonlySet<string>,
): Promise<OtherMap[]> {
  const others = tablesIn(state, config)
    .map(named => ({ named, taken: takenFor(named, state) }))
    .filter(({ taken }) => !own.has(formatMapSpec(taken)));
  return (await Promise.all(others.map(look))).filter(found => found !== null);
}

/** A table that popbsmtp could have written, also behind `proxy:` or inside another one such as `pipemap:{…}`. */
const TABLE = new RegExp(String.raw`(?<![\w-])(?:${MAP_TYPES.join('|')}):\/[^\s,{}]+`, 'g');

/** The tables that the lists of main.cf and master.cf name, each once. */
export function tablesIn(state: PostfixState, config: string | null): MapSpec[] {
  const values = [state.parameters, ...state.services.map(({ parameters }) => parameters)];
  const names = values.flatMap(parameters =>
    [...parameters.values()].flatMap(value => value.match(TABLE) ?? []),
  );
  return [...new Set(names)].flatMap(name => {
    try {
      return [parseMapSpec(name, 'main.cf', config)];
    } catch (problem) {
      // It is no map that we could have written.
      if (problem instanceof Failure) return [];
      throw problem;
    }
  });
}

/** The map whose file Postfix reads, when it reads a `hash:` map in a file of another type. */
export function takenFor(spec: MapSpec, { parameters }: PostfixState): MapSpec {
  const type = redirectionOf(spec.type, parameters)?.type;
  return type !== undefined && MAP_TYPES.includes(type) ? { ...spec, type } : spec;
}

/** Null for one that is not there, or may not be looked at. */
async function look({
  named,
  taken,
}: {
  readonly named: MapSpec;
  readonly taken: MapSpec;
}): Promise<OtherMap | null> {
  if (!(await mapExists(taken))) return null;
  try {
    const rows = [...grantsIn(await readRows(taken))].length;
    return {
      name: formatMapSpec(named),
      map: formatMapSpec(taken),
      rows,
      owner: await ownerOf(taken),
    };
  } catch (problem) {
    if (problem instanceof Failure) return null;
    throw problem;
  }
}

export function judgeOtherMaps(maps: readonly OtherMap[]): Verdict[] {
  return maps
    .filter(({ rows }) => rows > 0)
    .map(({ name, map, rows, owner }) =>
      owner === null
        ? error(
            `main.cf or master.cf names ${name}${asOther(name, map)}, which no daemon looks after: its ${quantity(rows, 'row')} relay for ever`,
            `end them: popbsmtp purge --all --map ${map}; and name the map of the daemon there`,
          )
        : ok(`${name}, with ${quantity(rows, 'row')}, is another daemon's`),
    );
}

const asOther = (name: string, map: string): string =>
  name === map ? '' : `, which Postfix takes for ${map} (non_bdb_migration_level)`;
