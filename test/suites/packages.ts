/**
 * The Debian packages that the tests need, as .ci/packages lists them.
 *
 * Leaves to others: which of them a suite has (root.ts asks its apt).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One of which is enough, the best first. */
export type Alternatives = readonly [string, ...string[]];

export interface Packages {
  /** Which stand beside each other. */
  readonly install: readonly Alternatives[];
  /** Sets that conflict with the others: fetched only, and installed in an overlay by the test. */
  readonly fetch: readonly (readonly Alternatives[])[];
}

function alternativesOf(word: string): Alternatives {
  const [first = '', ...others] = word.split('|');
  return [first, ...others];
}

/** @throws Error with the line that is none of `install`, `suites` and `fetch` */
export function parsePackages(text: string): Packages {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  const parsed = lines.map(line => {
    const [how = '', ...words] = line.split(' ');
    if ((how !== 'install' && how !== 'suites' && how !== 'fetch') || words.length === 0)
      throw new Error(`.ci/packages: none of "install …", "suites …", "fetch …": ${line}`);
    return { how, set: words.map(alternativesOf) };
  });
  const sets = (wanted: string) => parsed.flatMap(({ how, set }) => (how === wanted ? [set] : []));
  return { install: [...sets('install'), ...sets('suites')].flat(), fetch: sets('fetch') };
}

/** @param repository the directory that has package.json */
export const readPackages = (repository: string): Packages =>
  parsePackages(readFileSync(join(repository, '.ci/packages'), 'utf8'));
