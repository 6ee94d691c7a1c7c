/**
 * Whether Postfix looks up what the daemon takes for granted: whole addresses only, or their beginnings as well.
 *
 * Where it looks up beginnings and the daemon gives every address a row, the row of `fd00::5` lets `fd00::5:1:2:3:4` relay.
 */
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, isAskedWhole } from '../map/map-types.ts';
import { error, ok, type Verdict, warning } from './finding.ts';
import { type Lookup, lookupOf, wrapped } from './map-naming.ts';
import { type Group, mapSteps } from './restriction-group.ts';

/** How each of these services asks the map: those of each way. */
function lookupsOf(groups: readonly Group[], map: MapSpec): ReadonlyMap<Lookup, Group[]> {
  const found = new Map<Lookup, Group[]>();
  for (const group of groups) {
    const lookups = mapSteps(group.lists, table => lookupOf(table, map) !== null).flatMap(
      ({ step }) => (step.kind === 'access' ? (lookupOf(step.table, map) ?? []) : []),
    );
    for (const lookup of new Set(lookups)) found.set(lookup, [...(found.get(lookup) ?? []), group]);
  }
  return found;
}

const labelsOf = (groups: readonly Group[]): string => groups.map(({ label }) => label).join(', ');

/**
 * @param wholeAddresses whether the daemon may give a row to any address
 * @param cure what to do, as a command where one can be given
 */
export function lookupVerdicts(
  groups: readonly Group[],
  map: MapSpec,
  wholeAddresses: boolean,
  cure: (groups: readonly Group[], words: string) => string,
): Verdict[] {
  if (isAskedWhole(map)) return [];
  const lookups = lookupsOf(groups, map);
  const [whole, parts] = [lookups.get('whole') ?? [], lookups.get('parts') ?? []];
  const name = formatMapSpec(map);
  if (parts.length > 0 && wholeAddresses) return [openingVerdict(parts, map, cure)];
  if (parts.length > 0 && whole.length > 0)
    return [
      ok(
        `${labelsOf(whole)} looks up whole addresses only in ${name}, ${labelsOf(parts)} does not`,
      ),
    ];
  if (whole.length === 0) return [];
  if (wholeAddresses)
    return [ok(`whole addresses only are looked up in ${name}: ${labelsOf(whole)}`)];
  return [
    warning(
      `${labelsOf(whole)} looks up whole addresses only in ${name}, but the daemon does not know: IPv6 clients such as fd00::5 get no grant`,
      'tell it: whole-addresses = true in popbsmtp.toml',
    ),
  ];
}

function openingVerdict(
  parts: readonly Group[],
  map: MapSpec,
  cure: Parameters<typeof lookupVerdicts>[3],
): Verdict {
  const { line, name } = wrapped(map);
  return error(
    `whole-addresses is set, but ${labelsOf(parts)} looks up the beginnings of addresses too: ` +
      'a row of fd00::5 lets fd00::5:1:2:3:4 relay, which is in another network',
    cure(
      parts,
      `take whole-addresses away, or put the line "${line}" into main.cf and write check_client_access ${name}`,
    ),
  );
}
