/**
 * Why a client that has a row in the map may not relay, and what to write instead.
 */
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { error, type Verdict } from './finding.ts';
import { behindProxy } from './map-naming.ts';
import { type Group, mapSteps } from './restriction-group.ts';
import { type IsMap, refusal } from './restriction-walk.ts';

const WHERE =
  'name it in smtpd_relay_restrictions after permit_sasl_authenticated and before reject_unauth_destination';

/** What to do, as a command where one can be given. */
export type Cure = (group: Group, words: string) => string;

/** No service lets a granted client relay. */
export function refusedVerdict(
  groups: readonly Group[],
  isMap: IsMap,
  map: MapSpec,
  cure: Cure,
): Verdict {
  const named = groups.filter(({ lists }) => mapSteps(lists, isMap).length > 0);
  const [group] = named;
  if (group === undefined) return unnamedVerdict(groups, map, cure);
  return blockedVerdict(group, isMap, map, cure);
}

/** The map is named, and a client is refused all the same. */
export function blockedVerdict(group: Group, isMap: IsMap, map: MapSpec, cure: Cure): Verdict {
  const { label, lists } = group;
  const name = formatMapSpec(map);
  const ending = refusal(lists, 'granted', isMap);
  if (ending === null) throw new TypeError('a client that nobody refuses is not blocked');
  const refusing = `"${ending.step.text}" in ${ending.list}`;
  const inThatList = lists.filter(list => list.name === ending.list);
  if (mapSteps(inThatList, isMap).length > 0)
    return error(
      `${label}: ${refusing} refuses its addresses before ${name} is asked`,
      cure(group, `put check_client_access ${name} before ${ending.step.text}`),
    );
  return error(
    `${label}: ${name} is named, but ${refusing}, where it is not, refuses its addresses`,
    cure(
      group,
      `every list must permit; put check_client_access ${name} before ${ending.step.text} there as well`,
    ),
  );
}

/** The map is named nowhere: perhaps something like it is. */
function unnamedVerdict(groups: readonly Group[], map: MapSpec, cure: Cure): Verdict {
  const [first] = groups;
  if (first === undefined) throw new TypeError('no service names the map, and there is none');
  const name = formatMapSpec(map);
  const where = groups.map(({ label }) => label).join(', ');
  const tables = groups.flatMap(({ lists }) =>
    lists.flatMap(({ steps }) =>
      steps.flatMap(step =>
        step.kind === 'access' ? [{ ...step, bare: behindProxy(step.table) }] : [],
      ),
    ),
  );
  const asked = tables.find(({ bare }) => bare === name);
  if (asked !== undefined)
    return error(
      `${where} asks ${name} for the ${asked.asked}, and not for the client's address`,
      cure(first, `write it as check_client_access ${name}`),
    );
  const retyped = tables.find(({ bare }) => pathOf(bare) === map.path);
  if (retyped !== undefined)
    return error(
      `${where} names ${retyped.table}, but the map is ${name}`,
      cure(first, `write check_client_access ${name}`),
    );
  const suffixed = tables.find(({ bare }) => bare === `${name}.${map.type}`);
  if (suffixed !== undefined)
    return error(
      `${where} names ${suffixed.table}, and Postfix adds .${map.type} itself`,
      cure(first, `write check_client_access ${name}`),
    );
  const others = tables.filter(({ asked: what }) => what === 'client').map(({ table }) => table);
  const instead =
    others.length === 0 ? '' : ` (after check_client_access it names ${others.join(', ')})`;
  return error(
    `${where} does not name ${name}${instead}`,
    cure(first, `${WHERE}, as check_client_access ${name}`),
  );
}

const pathOf = (table: string): string => table.slice(table.indexOf(':') + 1);
