/**
 * Whether the daemon would take its configuration: patterns and lists.  What stands in main.cf is another check's.
 */

import { Failure } from '../base/errors.ts';
import { classifierFor, registryFor, requireMynetworks } from '../daemon/rules.ts';
import type { RunSettings } from '../daemon/settings.ts';
import { check } from './check.ts';
import { failed, ok, type Verdict } from './finding.ts';

export interface ConfigurationFacts {
  readonly problems: readonly Failure[];
  /** What the daemon would warn of. */
  readonly warnings: readonly string[];
}

export const configurationCheck = check(
  'configuration',
  ({ settings }) => gather(settings),
  judgeConfiguration,
);

async function gather(settings: RunSettings): Promise<ConfigurationFacts> {
  const { mynetworks } = settings;
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  // Postfix is asked when it is its own list that counts, and that is looked at by itself.
  const given = mynetworks.value === null ? { ...mynetworks, value: 'none' } : mynetworks;
  const steps: readonly (() => unknown)[] = [
    () => requireMynetworks(settings),
    () => registryFor(settings, warn),
    () => classifierFor({ ...settings, mynetworks: given }, warn),
  ];
  const problems = await Promise.all(steps.map(problemOf));
  return { problems: problems.filter(problem => problem !== null), warnings };
}

async function problemOf(step: () => unknown): Promise<Failure | null> {
  try {
    await step();
    return null;
  } catch (problem) {
    if (problem instanceof Failure) return problem;
    throw problem;
  }
}

export function judgeConfiguration({ problems, warnings }: ConfigurationFacts): Verdict[] {
  if (problems.length > 0) return problems.map(problem => failed(problem));
  const remarks = warnings.length === 0 ? '' : `, with the remark: ${warnings.join('; ')}`;
  return [ok(`the daemon takes its configuration and patterns${remarks}`)];
}
