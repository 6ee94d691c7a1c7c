/**
 * The restriction lists in force for each smtpd service: those to which master.cf gives none of their own are one group.
 */

import type { MapSpec } from '../map/map.ts';
import { words } from '../postfix/words.ts';
import { lookupOf } from './map-naming.ts';
import { isSmtpd, type PostfixState, parametersOf, type Service } from './postfix-state.ts';
import { type Classes, LISTS, parseRestrictions, type Step } from './restriction-list.ts';
import { type IsMap, type List, namesMap, REFUSING } from './restriction-walk.ts';

/** Services with the same values, and the lists that they lead to. */
export interface Group {
  /** For people. */
  readonly label: string;
  readonly services: readonly Service[];
  readonly lists: readonly List[];
}

const RELEVANT: ReadonlySet<string> = new Set([
  ...LISTS.map(({ name }) => name),
  'smtpd_restriction_classes',
]);

type Values = ReadonlyMap<string, string>;

export function groupsOf(state: PostfixState): Group[] {
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
  return {
    label: name === 'main.cf' ? name : `master.cf for ${name}`,
    services,
    lists: listsOf(valuesFor(services, state)),
  };
}

const valuesFor = ([service]: readonly Service[], state: PostfixState): Values =>
  service === undefined ? state.parameters : parametersOf(state, service);

/** The same services with other values for some lists. */
export const reread = (group: Group, state: PostfixState, changed: Values): Group => ({
  ...group,
  lists: listsOf(new Map([...valuesFor(group.services, state), ...changed])),
});

function listsOf(values: Values): List[] {
  const classes: Classes = new Map(
    words(values.get('smtpd_restriction_classes') ?? '').map(each => [
      each,
      values.get(each) ?? '',
    ]),
  );
  return LISTS.map(({ name, bare }) => ({
    name,
    steps: parseRestrictions(values.get(name) ?? '', bare, classes),
  }));
}

export const mapTest =
  (map: MapSpec): IsMap =>
  table =>
    lookupOf(table, map) !== null;

/** Where the map is asked. */
interface Place {
  readonly list: List;
  readonly step: Step;
}

export const mapSteps = (lists: readonly List[], isMap: IsMap): Place[] =>
  lists.flatMap(list =>
    list.steps.flatMap((step): Place[] => (namesMap(step, isMap) ? [{ list, step }] : [])),
  );

export const isForRelaying = ({ name }: List): boolean =>
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

export const isAlive = ({ lists }: Group): boolean => lists.some(isClosing);
