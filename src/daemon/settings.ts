/**
 * What the settings of several options come to, for what works as the daemon does: the rules, the maps, the fleet.
 *
 * Each is made by the room whose grammar or sense it is; a setting that stands for itself is here under its own name.
 */
import { resolve } from 'node:path';
import type { Given } from '../base/given.ts';
import { type Listening, parseListening } from '../control/listening.ts';
import { type FleetSettings, fleetOf } from '../fleet/engine.ts';
import { type Grace, graceOf } from '../grant/grace.ts';
import { type Policy, policyOf } from '../grant/policy.ts';
import { parseSize } from '../history/size.ts';
import { type Zone, zoneOf } from '../line/zone.ts';
import { formatMapSpec, isAskedWhole, isForPostfix } from '../map/map-types.ts';
import { allOf, type Maps, mapsOf } from '../map/spec.ts';
import { USUAL_FILE } from '../options/config.ts';
import { type RuleOptions, ruleOptionsOf, type Settings, settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { type PatternsDirectory, patternsIn } from '../recogniser/load.ts';

type Overwrite<T, U> = Omit<T, keyof U> & U;

interface MadeRules {
  readonly patterns: PatternsDirectory;
  /** How long a grant lasts after the last login. */
  readonly grace: Grace;
  /** The value is null when Postfix is to be asked. */
  readonly mynetworks: Given<string | null>;
  readonly policy: Policy;
}

/** Whose rows would let in others than who has logged in. */
export interface Bars {
  /** Whether Postfix looks up whole addresses only: it was told so, or all maps are of types that are asked for nothing else. */
  readonly wholeAddresses: boolean;
  /** Whether this machine's own addresses and its default gateways are refused. */
  readonly refuseOwn: boolean;
  /** The map, when it is none of Postfix's, which then is not asked for mynetworks; else null. */
  readonly otherMap: string | null;
}

/** What decides about a line: everything that a reload reads again. */
export type RuleSettings = Overwrite<RuleOptions, MadeRules & Bars>;

/** @param maps those that are written */
export function barsOf(
  options: { readonly wholeAddresses: boolean; readonly allowOwnAddresses: boolean },
  maps: Maps,
): Bars {
  return {
    wholeAddresses: options.wholeAddresses || allOf(maps).every(isAskedWhole),
    refuseOwn: !options.allowOwnAddresses,
    otherMap: isForPostfix(maps.map) ? null : formatMapSpec(maps.map),
  };
}

/**
 * @param maps those that are written
 * @throws Failure DURATION, GRACE_FOR, USER_LIST, COUNT, CHOICE
 */
export const rulesOf = (values: Values, maps: Maps): RuleSettings => {
  const options = ruleOptionsOf(values);
  return {
    ...options,
    patterns: patternsIn(options.patterns),
    grace: graceOf(options),
    mynetworks: options.mynetworks ?? { value: null, origin: 'mynetworks of main.cf' },
    policy: policyOf(options),
    ...barsOf(options, maps),
  };
};

/** Of the logs that are read. */
interface MadeZone {
  readonly watchlogZone: Zone;
}

export type ReplaySettings = Overwrite<Settings<'replay'>, RuleSettings & Maps & MadeZone>;

/** @throws Failure of any value that is wrong */
export function replaySettings(values: Values): ReplaySettings {
  const settings = settingsOf(values, 'replay');
  const maps = mapsOf(settings);
  const watchlogZone = zoneOf(settings.watchlogZone);
  return { ...settings, ...rulesOf(values, maps), ...maps, watchlogZone };
}

interface MadeOutlets {
  /** The file that names the maps, also by leaving them to the default; null when the command line names them. */
  readonly configuration: string | null;
  /** Where to serve the metrics; null for nowhere. */
  readonly metricsListen: Listening | null;
  /** Null for a host that is alone. */
  readonly fleet: FleetSettings | null;
  /** Bytes. */
  readonly historySize: number;
}

export type RunSettings = Overwrite<Settings<'run'>, RuleSettings & Maps & MadeOutlets & MadeZone>;

/** What a daemon keeps of them as long as it runs; what a reload takes is asked of the rules in force. */
export type StartSettings = Omit<RunSettings, keyof RuleSettings>;

/**
 * @param running the maps of a daemon that runs: it keeps them, and by them the rules, whatever is named now
 * @throws Failure of any value that is wrong
 */
export function runSettings(values: Values, running: Maps | null = null): RunSettings {
  const settings = settingsOf(values, 'run');
  const { metricsListen } = settings;
  const named = mapsOf(settings);
  const { map, mirrors } = running ?? named;
  return {
    ...settings,
    ...rulesOf(values, { map, mirrors }),
    map,
    mirrors,
    configuration: configurationOf(settings),
    watchlogZone: zoneOf(settings.watchlogZone),
    metricsListen: metricsListen && parseListening(metricsListen.value, metricsListen.origin),
    fleet: fleetOf(settings),
    historySize: parseSize(settings.historySize),
  };
}

/** Null when the maps are named on the command line. */
export const configurationOf = ({
  map,
  config,
}: Pick<Settings<'run'>, 'map' | 'config'>): string | null =>
  map.origin.startsWith('--') ? null : resolve(config ?? USUAL_FILE);
