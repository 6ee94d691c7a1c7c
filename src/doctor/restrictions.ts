/**
 * Whether main.cf and master.cf let a granted client relay through this very map, and nobody else.
 *
 * restriction-walk.ts says what is taken into account.
 */

import type { MapSpec } from '../map/map.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { commandLine, type Edit, reloadOf } from '../postfix/edit.ts';
import { check } from './check.ts';
import { error, ok, type Verdict, warning } from './finding.ts';
import { judgeMissing, type MissingTable, missingTables } from './missing-tables.ts';
import { isLocal, type PostfixState, type Service } from './postfix-state.ts';
import { blockedVerdict, type Cure, refusedVerdict } from './refused-grant.ts';
import { placingCure, wholeCure } from './restriction-cure.ts';
import {
  type Group,
  groupsOf,
  isAlive,
  isForRelaying,
  mapSteps,
  mapTest,
} from './restriction-group.ts';
import type { Step } from './restriction-list.ts';
import { type Ending, endingIn, type IsMap, type List, refusal } from './restriction-walk.ts';
import { lookupVerdicts } from './whole-addresses.ts';

const OTHERS_READ = 0o004;

export interface RestrictionFacts {
  /** Null when Postfix cannot be asked, which another check tells. */
  readonly state: PostfixState | null;
  readonly map: MapSpec;
  /** The directory of main.cf; null for Postfix's default. */
  readonly config: string | null;
  /** Whether the daemon may give a row to any address. */
  readonly wholeAddresses: boolean;
  /** The permission bits of its file; null when there is none. */
  readonly mode: number | null;
  readonly missing: readonly MissingTable[];
}

export const restrictionsCheck = check(
  'restrictions',
  async ({ settings, postfix, map }) => {
    const answer = await postfix();
    const mode = (await map()).file?.mode ?? null;
    const state = answer.kind === 'known' ? answer.state : null;
    return {
      state,
      map: settings.map,
      config: settings.postfixConfig,
      mode,
      wholeAddresses: settings.wholeAddresses,
      missing: state === null ? [] : missingTables(state, settings.map),
    };
  },
  judgeRestrictions,
);

export function judgeRestrictions({
  state,
  map,
  config,
  mode,
  wholeAddresses,
  missing,
}: RestrictionFacts): Verdict[] {
  if (state === null) return [];
  const groups = groupsOf(state);
  if (groups.length === 0)
    return [error('master.cf has no smtpd service', 'add one: Postfix takes no mail otherwise')];
  const isMap = mapTest(map);
  const [alive, dead] = [groups.filter(isAlive), groups.filter(group => !isAlive(group))];
  const serving = alive.filter(({ lists }) => serves(lists, isMap));
  const tell = (edits: readonly Edit[] | null, words: string): string =>
    edits === null ? words : `${words}: ${commandLine(edits, config)}`;
  const cure: Cure = (group, words) => tell(placingCure(group, state, map), words);
  return [
    ...dead.map(deadVerdict),
    ...judgeMissing(missing, reloadOf(config)),
    ...alive.flatMap(group => openVerdict(group, isMap) ?? []),
    ...lookupVerdicts(alive, map, wholeAddresses, (groups, words) =>
      tell(wholeCure(groups, state, map), words),
    ),
    ...(serving.length > 0 ? servingVerdicts(serving, alive, isMap, map, mode, cure) : []),
    ...(serving.length === 0 && alive.length > 0 ? [refusedVerdict(alive, isMap, map, cure)] : []),
  ];
}

function servingVerdicts(
  serving: readonly Group[],
  alive: readonly Group[],
  isMap: IsMap,
  map: MapSpec,
  mode: number | null,
  cure: Cure,
): Verdict[] {
  const places = serving.map(placeOf(isMap)).join('; ');
  return [
    ok(`${formatMapSpec(map)} lets its addresses relay: ${places}`),
    ...alive
      .filter(group => !serving.includes(group))
      .map(group => leftOutVerdict(group, isMap, map, cure)),
    ...remarks(serving, isMap, mode, cure),
  ];
}

/** Whether the map is what lets a client relay there. */
const serves = (lists: readonly List[], isMap: IsMap): boolean =>
  refusal(lists, 'granted', isMap) === null && mapSteps(lists, isMap).length > 0;

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

/** The step that permits strangers in the lists where they are usually refused. */
function permitOf(lists: readonly List[], isMap: IsMap): Extract<Ending, { step: Step }> | null {
  for (const list of lists.filter(isForRelaying)) {
    const ending = endingIn(list, 'stranger', isMap);
    if (ending.kind === 'permitted') return ending;
  }
  return null;
}

/** The map helps elsewhere, but not here: usual for ports that are for SMTP AUTH or for a filter. */
function leftOutVerdict(group: Group, isMap: IsMap, map: MapSpec, cure: Cure): Verdict {
  const what = `${group.label}: restrictions of its own, with which the map lets nobody relay`;
  if (group.services.every(isLocal)) return ok(what);
  if (!group.services.some(isPublicPort))
    return ok(`${what}: a client that sends there needs SMTP AUTH`);
  if (mapSteps(group.lists, isMap).length > 0) return blockedVerdict(group, isMap, map, cure);
  return warning(
    what,
    cure(
      group,
      `if mail clients use that port, add check_client_access ${formatMapSpec(map)} to its -o options`,
    ),
  );
}

/** Port 25, where clients without SMTP AUTH are. */
const isPublicPort = ({ name }: Service): boolean =>
  /^(?:.*:)?(?:smtp|25)\/inet$|\/pass$/.test(name);

/** @param mode of the map's file */
function remarks(
  groups: readonly Group[],
  isMap: IsMap,
  mode: number | null,
  cure: Cure,
): Verdict[] {
  const places = groups.flatMap(group =>
    mapSteps(group.lists, isMap).map(({ step }) => ({ group, step })),
  );
  const warned = places.find(({ step }) => step.onlyWarns);
  const proxied = places.find(
    ({ step }) => step.kind === 'access' && step.table.startsWith('proxy:'),
  );
  const verdicts: Verdict[] = [];
  if (warned !== undefined)
    verdicts.push(
      warning(
        'warn_if_reject stands before the map, where it does nothing',
        cure(warned.group, 'take it away, which is for trying out what refuses'),
      ),
    );
  if (proxied === undefined) return verdicts;
  if (mode !== null && (mode & OTHERS_READ) === 0)
    verdicts.push(
      error(
        "the map is asked through proxy:, which works as Postfix's account, and that may not read it: Postfix defers mail",
        cure(
          proxied.group,
          'set map-mode = "0644" and restart the daemon, or name it without proxy, since smtpd opens it as root',
        ),
      ),
    );
  else
    verdicts.push(
      warning(
        'the map is asked through proxy:, so each answer takes a way through another process',
        cure(
          proxied.group,
          'name it without proxy, since smtpd opens it before it enters its chroot',
        ),
      ),
    );
  return verdicts;
}
