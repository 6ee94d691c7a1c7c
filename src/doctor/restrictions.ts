/**
 * Whether main.cf and master.cf let a granted client relay through this very map, and nobody else.
 *
 * Each smtpd service is judged with the values in force for it; those to which master.cf gives none of their own are
 * judged as one.  restriction-walk.ts says what is taken into account.
 */

import { words } from '../classifier/words.ts';
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { check } from './check.ts';
import { error, ok, type Verdict, warning } from './finding.ts';
import {
  isLocal,
  isSmtpd,
  type PostfixState,
  parametersOf,
  type Service,
} from './postfix-state.ts';
import { type Classes, LISTS, parseRestrictions, type Step } from './restriction-list.ts';
import {
  type Ending,
  endingIn,
  type IsMap,
  type List,
  namesMap,
  REFUSING,
  refusal,
} from './restriction-walk.ts';

export interface RestrictionFacts {
  /** Null when Postfix cannot be asked, which another check tells. */
  readonly state: PostfixState | null;
  readonly map: MapSpec;
}

export const restrictionsCheck = check(
  'restrictions',
  async ({ settings, postfix }) => {
    const answer = await postfix();
    return { state: answer.kind === 'known' ? answer.state : null, map: settings.map };
  },
  judgeRestrictions,
);

/** Services with the same values, and the lists that they lead to. */
interface Group {
  /** For people. */
  readonly label: string;
  readonly services: readonly Service[];
  readonly lists: readonly List[];
}

const WHERE =
  'name it in smtpd_relay_restrictions after permit_sasl_authenticated and before reject_unauth_destination: ' +
  'check_client_access';

export function judgeRestrictions({ state, map }: RestrictionFacts): Verdict[] {
  if (state === null) return [];
  const groups = groupsOf(state);
  if (groups.length === 0)
    return [error('master.cf has no smtpd service', 'add one: Postfix takes no mail otherwise')];
  const isMap = mapTest(map);
  const [alive, dead] = [groups.filter(isAlive), groups.filter(group => !isAlive(group))];
  const serving = alive.filter(({ lists }) => serves(lists, isMap));
  return [
    ...dead.map(deadVerdict),
    ...alive.flatMap(group => openVerdict(group, isMap) ?? []),
    ...(serving.length > 0 ? servingVerdicts(serving, alive, isMap, map) : []),
    ...(serving.length === 0 && alive.length > 0 ? [refusedVerdict(alive, isMap, map)] : []),
  ];
}

function servingVerdicts(
  serving: readonly Group[],
  alive: readonly Group[],
  isMap: IsMap,
  map: MapSpec,
): Verdict[] {
  const places = serving.map(placeOf(isMap)).join('; ');
  return [
    ok(`${formatMapSpec(map)} lets its addresses relay: ${places}`),
    ...alive
      .filter(group => !serving.includes(group))
      .map(group => leftOutVerdict(group, isMap, map)),
    ...remarks(serving, isMap),
  ];
}

const RELEVANT: ReadonlySet<string> = new Set([
  ...LISTS.map(({ name }) => name),
  'smtpd_restriction_classes',
]);

function groupsOf(state: PostfixState): Group[] {
  const classNames = words(state.parameters.get('smtpd_restriction_classes') ?? '');
  const isOwn = ({ parameters }: Service): boolean =>
    [...parameters.keys()].some(name => RELEVANT.has(name) || classNames.includes(name));
  const services = state.services.filter(isSmtpd);
  const common = services.filter(service => !isOwn(service));
  const [first] = common;
  const groups = services.filter(isOwn).map(service => groupOf(state, service.name, [service]));
  return first === undefined ? groups : [groupOf(state, 'main.cf', common), ...groups];
}

function groupOf(state: PostfixState, name: string, services: readonly Service[]): Group {
  const [service] = services;
  const values = service === undefined ? state.parameters : parametersOf(state, service);
  const classes: Classes = new Map(
    words(values.get('smtpd_restriction_classes') ?? '').map(each => [
      each,
      values.get(each) ?? '',
    ]),
  );
  return {
    label: name === 'main.cf' ? name : `master.cf for ${name}`,
    services,
    lists: LISTS.map(({ name: list, bare }) => ({
      name: list,
      steps: parseRestrictions(values.get(list) ?? '', bare, classes),
    })),
  };
}

/** `proxy:lmdb:/path` is the same table, asked through proxymap(8). */
function mapTest(map: MapSpec): IsMap {
  const name = formatMapSpec(map);
  return table => table.replace(/^(?:proxy:)+/, '') === name;
}

/** Whether the map is what lets a client relay there. */
const serves = (lists: readonly List[], isMap: IsMap): boolean =>
  refusal(lists, 'granted', isMap) === null && mapSteps(lists, isMap).length > 0;

interface Place {
  readonly list: List;
  readonly step: Step;
}

const mapSteps = (lists: readonly List[], isMap: IsMap): Place[] =>
  lists.flatMap(list =>
    list.steps.flatMap((step): Place[] => (namesMap(step, isMap) ? [{ list, step }] : [])),
  );

const placeOf =
  (isMap: IsMap) =>
  ({ label, lists }: Group): string => {
    const names = new Set(mapSteps(lists, isMap).map(({ list }) => list.name));
    return `${[...names].join(' and ')} (${label})`;
  };

/** Strangers may relay. */
function openVerdict({ label, services, lists }: Group, isMap: IsMap): Verdict | null {
  if (refusal(lists, 'stranger', isMap) !== null) return null;
  const why = permitOf(lists, isMap);
  const what =
    why === null
      ? `${label}: nothing in its restrictions refuses strangers who want to relay`
      : `${label}: "${why.step.text}" in ${why.list} lets everybody relay`;
  const hint =
    'let smtpd_relay_restrictions end in reject_unauth_destination, with nothing before it that permits everybody';
  return services.every(isLocal)
    ? warning(`${what} who can connect there`, hint)
    : error(what, hint);
}

/** smtpd ends before it has said a word. */
function deadVerdict({ label, lists }: Group): Verdict {
  const steps = lists.filter(isForRelaying).flatMap(list => list.steps);
  const why = steps.some(step => step.text === 'permit')
    ? '; what stands behind permit does not count'
    : steps.some(step => step.onlyWarns)
      ? '; what stands behind warn_if_reject does not count'
      : '';
  return error(
    `${label}: smtpd answers nobody, since neither of its lists for relaying refuses strangers${why}`,
    'let smtpd_relay_restrictions end in reject_unauth_destination',
  );
}

const isForRelaying = ({ name }: List): boolean =>
  name === 'smtpd_relay_restrictions' || name === 'smtpd_recipient_restrictions';

/**
 * Whether a list has one of the restrictions without which smtpd ends at once; it looks for nothing behind `permit`
 * or `warn_if_reject` (Postfix 3.7 src/smtpd/smtpd_check.c, has_required; seen).
 */
function isClosing(list: List): boolean {
  if (!isForRelaying(list)) return false;
  const counted = list.steps.filter(
    step =>
      step.kind === 'restriction' &&
      !step.onlyWarns &&
      (step.name === 'permit' || REFUSING.has(step.name)),
  );
  const [first] = counted;
  return first !== undefined && first.text !== 'permit';
}

const isAlive = ({ lists }: Group): boolean => lists.some(isClosing);

/** The step that permits strangers in the lists where they are usually refused. */
function permitOf(lists: readonly List[], isMap: IsMap): Extract<Ending, { step: Step }> | null {
  for (const list of lists.filter(isForRelaying)) {
    const ending = endingIn(list, 'stranger', isMap);
    if (ending.kind === 'permitted') return ending;
  }
  return null;
}

/** No service lets a granted client relay. */
function refusedVerdict(groups: readonly Group[], isMap: IsMap, map: MapSpec): Verdict {
  const named = groups.filter(({ lists }) => mapSteps(lists, isMap).length > 0);
  const [group] = named;
  if (group === undefined) return unnamedVerdict(groups, map);
  return blockedVerdict(group, isMap, map);
}

/** The map is named, and a client is refused all the same. */
function blockedVerdict({ label, lists }: Group, isMap: IsMap, map: MapSpec): Verdict {
  const name = formatMapSpec(map);
  const ending = refusal(lists, 'granted', isMap);
  if (ending === null) throw new TypeError('a client that nobody refuses is not blocked');
  const refusing = `"${ending.step.text}" in ${ending.list}`;
  const inThatList = lists.filter(list => list.name === ending.list);
  if (mapSteps(inThatList, isMap).length > 0)
    return error(
      `${label}: ${refusing} refuses its addresses before ${name} is asked`,
      `put check_client_access ${name} before ${ending.step.text}`,
    );
  return error(
    `${label}: ${name} is named, but ${refusing}, where it is not, refuses its addresses`,
    `every list must permit: put check_client_access ${name} before ${ending.step.text} there as well`,
  );
}

/** The map is named nowhere: perhaps something like it is. */
function unnamedVerdict(groups: readonly Group[], map: MapSpec): Verdict {
  const name = formatMapSpec(map);
  const tables = groups.flatMap(({ lists }) =>
    lists.flatMap(({ steps }) =>
      steps.flatMap(step =>
        step.kind === 'access' ? [{ ...step, bare: bareTable(step.table) }] : [],
      ),
    ),
  );
  const asked = tables.find(({ bare }) => bare === name);
  if (asked !== undefined)
    return error(
      `main.cf asks ${name} for the ${asked.asked}, and not for the client's address`,
      `write it as check_client_access ${name}`,
    );
  const retyped = tables.find(({ bare }) => pathOf(bare) === map.path);
  if (retyped !== undefined)
    return error(
      `main.cf names ${retyped.table}, but the map is ${name}`,
      `write check_client_access ${name}, then "postfix reload"`,
    );
  const suffixed = tables.find(({ bare }) => bare === `${name}.${map.type}`);
  if (suffixed !== undefined)
    return error(
      `main.cf names ${suffixed.table}, and Postfix adds .${map.type} itself`,
      `write check_client_access ${name}`,
    );
  const others = tables.filter(({ asked: what }) => what === 'client').map(({ table }) => table);
  const instead =
    others.length === 0 ? '' : ` (after check_client_access it names ${others.join(', ')})`;
  return error(`main.cf does not name ${name}${instead}`, `${WHERE} ${name}`);
}

const bareTable = (table: string): string => table.replace(/^(?:proxy:)+/, '');
const pathOf = (table: string): string => table.slice(table.indexOf(':') + 1);

/** The map helps elsewhere, but not here: usual for ports that are for SMTP AUTH or for a filter. */
function leftOutVerdict(group: Group, isMap: IsMap, map: MapSpec): Verdict {
  const what = `${group.label}: restrictions of its own, with which the map lets nobody relay`;
  if (!group.services.some(isPublicPort)) return ok(what);
  if (mapSteps(group.lists, isMap).length > 0) return blockedVerdict(group, isMap, map);
  return warning(
    what,
    `add check_client_access ${formatMapSpec(map)} to its -o options, if mail clients use that port`,
  );
}

/** Port 25, where clients without SMTP AUTH are. */
const isPublicPort = ({ name }: Service): boolean =>
  /^(?:.*:)?(?:smtp|25)\/inet$|\/pass$/.test(name);

function remarks(groups: readonly Group[], isMap: IsMap): Verdict[] {
  const places = groups.flatMap(({ lists }) => mapSteps(lists, isMap)).map(({ step }) => step);
  const verdicts: Verdict[] = [];
  if (places.some(step => step.onlyWarns))
    verdicts.push(
      warning(
        'warn_if_reject stands before the map, where it does nothing',
        'take it away: it is for trying out what refuses',
      ),
    );
  if (places.some(step => step.kind === 'access' && step.table.startsWith('proxy:')))
    verdicts.push(
      warning(
        'the map is asked through proxy:, so each answer takes a way through another process',
        'name it without proxy: smtpd opens it before it enters its chroot',
      ),
    );
  return verdicts;
}
