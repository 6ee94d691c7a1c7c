/**
 * Builds what decides about a line, from the settings: at start, and again at every reload.
 */

import { Failure, failure } from '../base/errors.ts';
import { type Classifier, loadClassifier } from '../classifier/classifier.ts';
import type { DecisionRules } from '../grant/decider.ts';
import type { StampReader } from '../line/stamp.ts';
import { type Dovecot, loadPatterns } from '../recogniser/load.ts';
import type { LogMemory } from '../recogniser/log-memory.ts';
import { isTag } from '../recogniser/pattern.ts';
import { type Observer, Recogniser } from '../recogniser/recogniser.ts';
import type { Registry } from '../recogniser/registry.ts';
import { askDovecot } from './doveconf.ts';
import type { Bars, RuleSettings } from './settings.ts';

/** Who may relay anyway, and who never may. */
export type Networks = Pick<RuleSettings, 'mynetworks' | 'postfixConfig' | 'exclude'> & Bars;

/** What decides, and the patterns that say what there is to decide about. */
export interface LoadedRules extends DecisionRules {
  readonly registry: Registry;
}

/**
 * @param warn told what does not stop the daemon
 * @throws Failure of patterns, of a list of networks, of postconf or postmap; nothing has been changed then
 */
export async function loadRules(
  settings: RuleSettings,
  warn: (text: string) => void,
): Promise<LoadedRules> {
  const [registry, rules] = await Promise.all([
    registryFor(settings, warn),
    decisionRulesFor(settings, warn),
  ]);
  return { registry, ...rules };
}

/**
 * The patterns, with Dovecot's elements as they are given, or else as the Dovecot of this host has them, and its tag: what cannot be
 * used of what that says is only told.
 *
 * @throws Failure of patterns, DOVECOT_ELEMENTS, TRUSTED_RELAY
 */
export async function registryFor(
  settings: Pick<RuleSettings, 'patterns' | 'dovecotElements' | 'trustedRelays'>,
  warn: (text: string) => void,
): Promise<Registry> {
  const { patterns, dovecotElements, trustedRelays } = settings;
  const asked = await askDovecot();
  const instance = asked.instance === null ? null : tagOf(asked.instance, warn);
  const load = (elements: Dovecot['elements']): Promise<Registry> =>
    loadPatterns(patterns, { elements, instance }, trustedRelays);
  if (dovecotElements !== null) return load(dovecotElements);
  if (asked.elements === null) return load(null);
  try {
    const origin = 'login_log_format_elements of doveconf';
    return await load({ value: [asked.elements], origin });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'DOVECOT_ELEMENTS') throw error;
    warn(error.line);
    return load(null);
  }
}

function tagOf(instance: string, warn: (text: string) => void): string | null {
  if (isTag(instance)) return instance;
  warn(failure('DOVECOT_INSTANCE', { name: instance }).line);
  return null;
}

/** @throws Failure of a list of networks, of postconf or postmap */
export async function decisionRulesFor(
  settings: RuleSettings,
  warn: (text: string) => void,
): Promise<DecisionRules> {
  const { grace, policy } = settings;
  return { classifier: await classifierFor(settings, warn), grace, policy };
}

/** @throws Failure MYNETWORKS_MISSING where they are not given, and Postfix is none to ask */
export function requireMynetworks({ mynetworks, otherMap }: Networks): void {
  if (mynetworks.value === null && otherMap !== null)
    throw failure('MYNETWORKS_MISSING', { map: otherMap });
}

/** @throws Failure MYNETWORKS_MISSING, of a list of networks, of postconf or postmap */
export async function classifierFor(
  networks: Networks,
  warn: (text: string) => void,
): Promise<Classifier> {
  requireMynetworks(networks);
  const { mynetworks, postfixConfig, exclude, wholeAddresses, refuseOwn } = networks;
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
 * @param stamps read those of the log
 * @param memory what the recogniser before this one kept in mind of the same log
 * @param observer watches over the patterns
 */
export const recogniserFor = (
  { registry }: LoadedRules,
  stamps: StampReader,
  memory: LogMemory,
  observer?: Observer,
): Recogniser => new Recogniser(registry, stamps, memory, observer);
