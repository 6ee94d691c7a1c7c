/**
 * What `postconf` has to be told so that the map is asked where it lets its clients relay, on this host.
 *
 * Promises: nothing but the map's place and name in a list is changed; a cure is given only when the lists that it leads to let a
 * client with a row relay, and strangers not, and when postconf takes it.
 * Known limits: a list with a variable that stands for several words, and one where a restriction class refuses, has none.
 */
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, isAskedWhole } from '../map/map-types.ts';
import { canBeTold, type Edit } from '../postfix/edit.ts';
import { words } from '../postfix/words.ts';
import { behindProxy, lookupOf, wrapped } from './map-naming.ts';
import type { PostfixState } from './postfix-state.ts';
import { type Group, isAlive, mapSteps, mapTest, reread } from './restriction-group.ts';
import { LISTS, parseRestrictions, type Step, takesArgument } from './restriction-list.ts';
import { endingIn, type List, REFUSING, refusal } from './restriction-walk.ts';

/** A word of a list. */
interface Word {
  /** With variables, as it stands in main.cf. */
  readonly written: string;
  readonly expanded: string;
}

/** A restriction with what stands before and behind it. */
interface Item {
  readonly words: readonly Word[];
  readonly step: Step | undefined;
}

/** Of a table for the map, in the two ways. */
type Naming = (found: Word | null) => Word;

/** Names the map as it is named already, but without `proxy:`. */
const plainly =
  (map: MapSpec): Naming =>
  found => {
    const table = found ?? sameWord(formatMapSpec(map));
    return { written: behindProxy(table.written), expanded: behindProxy(table.expanded) };
  };

const sameWord = (word: string): Word => ({ written: word, expanded: word });

/** What lets a client with a row relay at these services; null where no command can be given. */
export function placingCure(group: Group, state: PostfixState, map: MapSpec): Edit[] | null {
  const isMap = mapTest(map);
  const needs = (list: List): boolean =>
    endingIn(list, 'granted', isMap).kind === 'refused' ||
    mapSteps([list], isMap).some(
      ({ step }) => step.onlyWarns || (step.kind === 'access' && step.table.startsWith('proxy:')),
    );
  return cureOf(group, state, { map, needs, naming: plainly(map) });
}

/** What has Postfix look up whole addresses only at all these services; null where no command can be given. */
export function wholeCure(
  groups: readonly Group[],
  state: PostfixState,
  map: MapSpec,
): Edit[] | null {
  const { parameter, value, name } = wrapped(map);
  const known = state.written.get(parameter);
  if (known !== undefined && known !== value) return null;
  const edits = new Map<string, Edit>([[parameter, { file: 'main.cf', name: parameter, value }]]);
  for (const group of groups) {
    const cure = cureOf(group, state, {
      map,
      needs: list => mapSteps([list], table => lookupOf(table, map) === 'parts').length > 0,
      naming: () => ({ written: name, expanded: value.replaceAll('$$', '$') }),
    });
    if (cure === null) return null;
    for (const edit of cure) edits.set(edit.name, edit);
  }
  return [...edits.values()];
}

interface Plan {
  readonly map: MapSpec;
  /** Whether a list has to be changed. */
  readonly needs: (list: List) => boolean;
  readonly naming: Naming;
}

function cureOf(group: Group, state: PostfixState, { map, needs, naming }: Plan): Edit[] | null {
  const edits: Edit[] = [];
  const values = new Map<string, string>();
  for (const list of group.lists.filter(needs)) {
    const before = wordsOf(list.name, group, state);
    const after = before && moved(before, list, map, naming);
    if (after === null) return null;
    values.set(list.name, after.map(({ expanded }) => expanded).join(' '));
    edits.push(editOf(list.name, group, after));
  }
  const cured = reread(group, state, values);
  const isMap = mapTest(map);
  const isWell =
    edits.length > 0 &&
    edits.every(canBeTold) &&
    isAlive(cured) &&
    !cured.lists.some(needs) &&
    mapSteps(cured.lists, isMap).length > 0 &&
    refusal(cured.lists, 'granted', isMap) === null &&
    refusal(cured.lists, 'stranger', isMap) !== null;
  return isWell ? edits : null;
}

const ownerOf = (name: string, { services }: Group): string | null =>
  services.find(({ parameters }) => parameters.has(name))?.name ?? null;

/** Null where a variable stands for several words. */
function wordsOf(name: string, group: Group, { parameters, written }: PostfixState): Word[] | null {
  const [service] = group.services;
  const owner = ownerOf(name, group);
  const value = service?.parameters.get(name) ?? parameters.get(name) ?? '';
  const expanded = words(value);
  const original = words(written.get(owner === null ? name : `${owner}/${name}`) ?? value);
  if (original.length !== expanded.length) return null;
  return original.map((word, index) => ({ written: word, expanded: expanded[index] ?? '' }));
}

function editOf(name: string, group: Group, after: readonly Word[]): Edit {
  const owner = ownerOf(name, group);
  const value = itemsOf(after, '')
    .map(item => item.words.map(({ written }) => written).join(' '))
    .join(', ');
  return owner === null
    ? { file: 'main.cf', name, value }
    : { file: 'master.cf', name: `${owner}/${name}`, value };
}

/** @param bare what a table without a restriction before it is asked for */
function itemsOf(all: readonly Word[], bare: string): Item[] {
  const items: Item[] = [];
  let current: Word[] = [];
  const rest = all[Symbol.iterator]();
  for (const word of rest) {
    current.push(word);
    if (word.expanded.toLowerCase() === 'warn_if_reject') continue;
    if (takesArgument(word.expanded)) current.push(...[rest.next().value].filter(each => !!each));
    const text = current.map(({ expanded }) => expanded).join(' ');
    items.push({ words: current, step: parseRestrictions(text, bare, new Map())[0] });
    current = [];
  }
  return items;
}

/** The list with the map where it was, or before what refuses; null where nothing refuses. */
function moved(all: readonly Word[], list: List, map: MapSpec, naming: Naming): Word[] | null {
  const bare = LISTS.find(({ name }) => name === list.name)?.bare ?? '';
  const items = itemsOf(all, bare);
  const isOurs = ({ step }: Item): boolean => step?.kind === 'access' && means(step.table, map);
  const isRefusing = ({ step }: Item): boolean =>
    step?.kind === 'restriction' && !step.onlyWarns && REFUSING.has(step.name);
  const ours = items.find(isOurs);
  const others = items.filter(item => !isOurs(item));
  const refusing = others.findIndex(isRefusing);
  if (ours === undefined && refusing < 0) return null;
  const was = ours === undefined ? others.length : items.indexOf(ours);
  const at = Math.min(was, refusing < 0 ? others.length : refusing);
  const table = ours?.words.find(({ expanded }) => lookupOf(expanded, map) !== null) ?? null;
  const check = [sameWord('check_client_access'), naming(table)];
  return [
    ...others.slice(0, at).flatMap(item => item.words),
    ...check,
    ...others.slice(at).flatMap(item => item.words),
  ];
}

/** Whether a table is the map, or what somebody has written for it. */
export function means(table: string, map: MapSpec): boolean {
  if (lookupOf(table, map) !== null) return true;
  const bare = behindProxy(table);
  const path = bare.slice(bare.indexOf(':') + 1);
  return path === map.path || (!isAskedWhole(map) && path === `${map.path}.${map.type}`);
}
