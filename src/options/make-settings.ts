/**
 * What was typed and configured, made ready to use: no optional field, every value parsed.
 */

import { resolve } from 'node:path';
import { parseDuration } from '../base/duration.ts';
import { failure } from '../base/errors.ts';
import { type Listening, parseListening } from '../control/listener.ts';
import {
  type FleetSettings,
  formatEngine,
  parseEngine,
  parseHostName,
  parsePrefix,
} from '../fleet/engine.ts';
import { Grace, parseGraceFor } from '../grant/grace.ts';
import { HIGHEST_LIMIT } from '../grant/limits.ts';
import type { Policy } from '../grant/policy.ts';
import { parseUserList, type UserList } from '../grant/user-list.ts';
import type { MapSpec } from '../map/map.ts';
import { MAP_MODE } from '../map/map-mode.ts';
import { formatMapSpec, mapPath, parseMapSpec } from '../map/map-types.ts';
import type { PatternsDirectory } from '../recogniser/load.ts';
import { readConfig, USUAL_FILE } from './config.ts';
import { OPTIONS } from './options.ts';
import type { ReplaySettings, RuleSettings, RunSettings } from './settings.ts';
import type { Given, Values } from './values.ts';

/** Where this machine's own patterns are, unless told otherwise. */
const USUAL_PATTERNS = '/etc/popbsmtp/patterns.d';

/** Beyond what any memory holds. */
const MOST_GRANTS = 999_999_999;

/** Adds what the configuration file says to what the command line left open. */
export function withConfig(values: Values): Values {
  return values.or(readConfig(values.text('config')?.value ?? null));
}

export function patternsOf(values: Values): PatternsDirectory {
  const given = values.text('patterns');
  return { directory: given?.value ?? USUAL_PATTERNS, explicit: given !== null };
}

/** The maps that are named: the first, and those that are kept equal to it. */
export interface Maps {
  readonly map: MapSpec;
  readonly mirrors: readonly MapSpec[];
}

/** @throws Failure MAP_SPEC, MAP_TYPE, MAP_TWICE, CHOICE */
export function mapsOf(values: Values): Maps {
  const { value, origin } = values.entries('map');
  const config = values.text('postfix-config')?.value ?? null;
  const mode = modeOf(values);
  const [map, ...mirrors] = value.map(text => ({
    ...parseMapSpec(text, origin, config),
    ...(mode !== MAP_MODE && { mode }),
  }));
  if (map === undefined) throw failure('MAP_SPEC', { where: origin, value: '' });
  requireDistinct([map, ...mirrors], origin);
  return { map, mirrors };
}

/** @throws Failure CHOICE */
const modeOf = (values: Values): number =>
  Number.parseInt(choiceOf(values.required('map-mode'), OPTIONS['map-mode'].choices), 8);

/** @throws Failure MAP_TWICE */
function requireDistinct(specs: readonly MapSpec[], where: string): void {
  const names = new Map<string, string>();
  for (const spec of specs) {
    const path = mapPath(spec);
    const other = names.get(path);
    const name = formatMapSpec(spec);
    if (other !== undefined) throw failure('MAP_TWICE', { where, spec: name, other });
    names.set(path, name);
  }
}

/** All of them, the first one first. */
export const allOf = ({ map, mirrors }: Maps): readonly MapSpec[] => [map, ...mirrors];

/** @throws as `mapsOf` does */
export const mapOf = (values: Values): MapSpec => mapsOf(values).map;

/** @throws Failure DURATION, GRACE_FOR */
export function graceOf(values: Values): Grace {
  const { value, origin } = values.required('grace');
  const where = values.origin('grace-for') ?? '--grace-for';
  const networks = parseGraceFor(values.list('grace-for'), where, parseDuration);
  return new Grace(parseDuration(value, origin), networks);
}

/** @throws Failure DURATION, GRACE_FOR, USER_LIST, COUNT, CHOICE */
export function rulesOf(values: Values): RuleSettings {
  const mynetworks = values.text('mynetworks');
  return {
    patterns: patternsOf(values),
    grace: graceOf(values),
    mynetworks: mynetworks ?? { value: null, origin: 'mynetworks of main.cf' },
    postfixConfig: values.text('postfix-config')?.value ?? null,
    exclude: values.required('exclude'),
    policy: policyOf(values),
  };
}

/** @throws Failure USER_LIST, COUNT, CHOICE */
function policyOf(values: Values): Policy {
  return {
    requireTls: values.flag('require-tls'),
    allowUsers: usersOf(values, 'allow-users'),
    denyUsers: usersOf(values, 'deny-users'),
    limits: {
      usersPerAddress: limitOf(values.required('max-users-per-address')),
      addressesPerUser: limitOf(values.required('max-addresses-per-user')),
      action: choiceOf(values.required('limit-action'), OPTIONS['limit-action'].choices),
    },
  };
}

/** Null when there is no such list. @throws Failure USER_LIST */
function usersOf(values: Values, name: 'allow-users' | 'deny-users'): UserList | null {
  const origin = values.origin(name);
  return origin === null ? null : parseUserList(values.list(name), origin);
}

/** @throws Failure COUNT */
const limitOf = (given: Given<string>): number | null =>
  given.value === 'none' ? null : parseCount(given, HIGHEST_LIMIT);

/** @throws Failure CHOICE */
function choiceOf<T extends string>({ value, origin }: Given<string>, choices: readonly T[]): T {
  const choice = choices.find(one => one === value);
  if (choice !== undefined) return choice;
  throw failure('CHOICE', { where: origin, value, choices: choices.join(' or ') });
}

/** @throws Failure COUNT */
function parseCount({ value, origin }: Given<string>, most: number): number {
  const count = /^[1-9]\d{0,8}$/.test(value) ? Number(value) : 0;
  if (count < 1 || count > most) throw failure('COUNT', { where: origin, value, most });
  return count;
}

/** @throws Failure DURATION */
function sessionLimitOf(values: Values): number | null {
  const { value, origin } = values.required('session-limit');
  return value === 'none' ? null : parseDuration(value, origin);
}

/** @throws Failure METRICS_LISTEN */
const metricsListenOf = (given: Given<string> | null): Listening | null =>
  given && parseListening(given.value, given.origin);

/** Null without a fleet. @throws Failure FLEET_URL, FLEET_NAME, FLEET_TLS, CHOICE */
function fleetOf(values: Values): FleetSettings | null {
  const role = choiceOf(values.required('fleet-role'), OPTIONS['fleet-role'].choices);
  const url = values.text('fleet');
  const name = values.text('fleet-name');
  const prefix = values.required('fleet-prefix');
  if (url === null) return null;
  const engine = parseEngine(url.value, url.origin);
  const ca = values.text('fleet-ca');
  if (ca !== null && !engine.tls) {
    throw failure('FLEET_TLS', { where: ca.origin, engine: formatEngine(engine) });
  }
  return {
    engine,
    role,
    user: values.text('fleet-user')?.value ?? null,
    passwordFile: values.text('fleet-password-file')?.value ?? null,
    caFile: ca?.value ?? null,
    prefix: parsePrefix(prefix.value, prefix.origin),
    name: parseHostName(name?.value ?? null, name?.origin ?? '--fleet-name'),
  };
}

const commonOf = (values: Values): Omit<ReplaySettings, 'json'> => ({
  ...rulesOf(values),
  ...mapsOf(values),
  debug: values.flag('debug'),
  logto: values.text('logto')?.value ?? null,
  logFormat: choiceOf(values.required('log-format'), OPTIONS['log-format'].choices),
  logUsers: choiceOf(values.required('log-users'), OPTIONS['log-users'].choices),
  nowrite: values.flag('nowrite'),
  maxGrants: parseCount(values.required('max-grants'), MOST_GRANTS),
  sessionLimit: sessionLimitOf(values),
});

/** Null when the maps are named on the command line. */
function configurationOf(values: Values): string | null {
  const origin = values.origin('map');
  if (origin?.startsWith('--') === true) return null;
  return resolve(values.text('config')?.value ?? USUAL_FILE);
}

/** @throws Failure of any value that is wrong */
export function runSettings(values: Values): RunSettings {
  return {
    ...commonOf(values),
    configuration: configurationOf(values),
    watchlog: values.list('watchlog'),
    journalTrust: choiceOf(values.required('journal-trust'), OPTIONS['journal-trust'].choices),
    daemon: values.text('daemon')?.value ?? null,
    reprocess: values.flag('reprocess'),
    metricsFile: values.text('metrics-file')?.value ?? null,
    metricsListen: metricsListenOf(values.text('metrics-listen')),
    fleet: fleetOf(values),
  };
}

/** @throws Failure of any value that is wrong */
export function replaySettings(values: Values): ReplaySettings {
  return { ...commonOf(values), json: values.flag('json') };
}
