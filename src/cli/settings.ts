/**
 * What was typed and configured, made ready to use: no optional field, every value parsed.
 */

import { failure } from '../errors.ts';
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, mapPath, parseMapSpec } from '../map/map-types.ts';
import type { PatternsDirectory, ReplaySettings, RuleSettings, RunSettings } from '../settings.ts';
import { readConfig } from './config.ts';
import { parseDuration } from './duration.ts';
import type { Given, Values } from './values.ts';

/** Where this machine's own patterns are, unless told otherwise. */
const USUAL_PATTERNS = '/etc/popbsmtp/patterns.d';

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

/** @throws Failure MAP_SPEC, MAP_TYPE, MAP_TWICE */
export function mapsOf(values: Values): Maps {
  const { value, origin } = values.entries('map');
  const config = values.text('postfix-config')?.value ?? null;
  const [map, ...mirrors] = value.map(text => parseMapSpec(text, origin, config));
  if (map === undefined) throw failure('MAP_SPEC', { where: origin, value: '' });
  requireDistinct([map, ...mirrors], origin);
  return { map, mirrors };
}

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

/** @throws as `mapsOf` does */
export const mapOf = (values: Values): MapSpec => mapsOf(values).map;

/**
 * In seconds.
 *
 * @throws Failure DURATION
 */
export function graceOf(values: Values): number {
  const { value, origin } = values.required('grace');
  return parseDuration(value, origin);
}

/** @throws Failure DURATION */
export function rulesOf(values: Values): RuleSettings {
  const mynetworks = values.text('mynetworks');
  return {
    patterns: patternsOf(values),
    grace: graceOf(values),
    mynetworks: mynetworks ?? { value: null, origin: 'mynetworks of main.cf' },
    postfixConfig: values.text('postfix-config')?.value ?? null,
    exclude: values.required('exclude'),
  };
}

/** @throws Failure JOURNAL_TRUST */
function journalTrustOf({ value, origin }: Given<string>): RunSettings['journalTrust'] {
  if (value === 'declared' || value === 'any') return value;
  throw failure('JOURNAL_TRUST', { where: origin, value });
}

/** @throws Failure COUNT */
function parseCount({ value, origin }: Given<string>): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw failure('COUNT', { where: origin, value });
  return Number(value);
}

/** @throws Failure DURATION */
function sessionLimitOf(values: Values): number | null {
  const { value, origin } = values.required('session-limit');
  return value === 'none' ? null : parseDuration(value, origin);
}

const commonOf = (
  values: Values,
): RuleSettings &
  Pick<RunSettings, keyof Maps | 'debug' | 'logto' | 'nowrite' | 'sessionLimit' | 'maxGrants'> => ({
  ...rulesOf(values),
  ...mapsOf(values),
  debug: values.flag('debug'),
  logto: values.text('logto')?.value ?? null,
  nowrite: values.flag('nowrite'),
  maxGrants: parseCount(values.required('max-grants')),
  sessionLimit: sessionLimitOf(values),
});

/** @throws Failure of any value that is wrong */
export function runSettings(values: Values): RunSettings {
  return {
    ...commonOf(values),
    watchlog: values.list('watchlog'),
    journalTrust: journalTrustOf(values.required('journal-trust')),
    daemon: values.text('daemon')?.value ?? null,
    reprocess: values.flag('reprocess'),
  };
}

/** @throws Failure of any value that is wrong */
export function replaySettings(values: Values): ReplaySettings {
  return { ...commonOf(values), json: values.flag('json') };
}
