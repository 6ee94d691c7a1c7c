/**
 * What the settings of several options come to, for what works as the daemon does: the rules, the maps, the fleet.
 *
 * Each is made by the room whose grammar or sense it is; a setting that stands for itself is here under its own name.
 */
import type { Given } from '../base/given.ts';
import { type Listening, parseListening } from '../control/listening.ts';
import { type FleetSettings, fleetOf } from '../fleet/engine.ts';
import { type Grace, graceOf } from '../grant/grace.ts';
import { type Policy, policyOf } from '../grant/policy.ts';
import { type Maps, mapsOf } from '../map/spec.ts';
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

/** What decides about a line: everything that a reload reads again. */
export type RuleSettings = Overwrite<RuleOptions, MadeRules>;

/** @throws Failure DURATION, GRACE_FOR, USER_LIST, COUNT, CHOICE */
export const rulesOf = (values: Values): RuleSettings => {
  const options = ruleOptionsOf(values);
  return {
    ...options,
    patterns: patternsIn(options.patterns),
    grace: graceOf(options),
    mynetworks: options.mynetworks ?? { value: null, origin: 'mynetworks of main.cf' },
    policy: policyOf(options),
  };
};

export type ReplaySettings = Overwrite<Settings<'replay'>, RuleSettings & Maps>;

/** @throws Failure of any value that is wrong */
export function replaySettings(values: Values): ReplaySettings {
  const settings = settingsOf(values, 'replay');
  return { ...settings, ...rulesOf(values), ...mapsOf(settings) };
}

interface MadeOutlets {
  /** Where to serve the metrics; null for nowhere. */
  readonly metricsListen: Listening | null;
  /** Null for a host that is alone. */
  readonly fleet: FleetSettings | null;
}

export type RunSettings = Overwrite<Settings<'run'>, RuleSettings & Maps & MadeOutlets>;

/** @throws Failure of any value that is wrong */
export function runSettings(values: Values): RunSettings {
  const settings = settingsOf(values, 'run');
  const { metricsListen } = settings;
  return {
    ...settings,
    ...rulesOf(values),
    ...mapsOf(settings),
    metricsListen: metricsListen && parseListening(metricsListen.value, metricsListen.origin),
    fleet: fleetOf(settings),
  };
}
