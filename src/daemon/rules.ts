/**
 * Builds what decides about a line, from the settings: at start, and again at every reload.
 */

import type { EpochSeconds } from '../base/clock.ts';
import { type Classifier, loadClassifier } from '../classifier/classifier.ts';
import { StampReader } from '../line/stamp.ts';
import type { RuleSettings } from '../options/settings.ts';
import { loadPatterns } from '../recogniser/load.ts';
import type { LogMemory } from '../recogniser/log-memory.ts';
import { type Observer, Recogniser } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import type { Rules } from './pipeline.ts';

/** The rules for any log; only the year of its stamps is still open. */
export interface LoadedRules extends Pick<RuleSettings, 'grace' | 'policy'> {
  readonly registry: Registry;
  readonly classifier: Classifier;
}

/**
 * @param warn told what does not stop the daemon
 * @throws Failure of patterns, of a list of networks, of postconf or postmap; nothing has been changed then
 */
export async function loadRules(
  settings: RuleSettings,
  warn: (text: string) => void,
): Promise<LoadedRules> {
  const registry = await loadPatterns(settings.patterns);
  const { grace, policy } = settings;
  return { registry, classifier: await classifierFor(settings, warn), grace, policy };
}

/** @throws Failure of a list of networks, of postconf or postmap */
export function classifierFor(
  { mynetworks, postfixConfig, exclude, wholeAddresses, refuseOwn }: RuleSettings,
  warn: (text: string) => void,
): Promise<Classifier> {
  return loadClassifier({
    mynetworks: mynetworks.value,
    mynetworksOrigin: mynetworks.origin,
    postfixConfig,
    exclude: exclude.value,
    excludeOrigin: exclude.origin,
    wholeAddresses,
    refuseOwn,
    warn,
  });
}

/**
 * @param reference no line of the log is later than this, give or take a day (StampReader)
 * @param memory what the rules before these kept in mind of the same log
 * @param observer watches over the patterns
 */
export function rulesFor(
  { registry, classifier, grace, policy }: LoadedRules,
  reference: () => EpochSeconds,
  memory: LogMemory,
  observer?: Observer,
): Rules {
  const stamps = new StampReader(reference);
  const recogniser = new Recogniser(registry, stamps, memory, observer);
  return { recogniser, classifier, grace, policy };
}
