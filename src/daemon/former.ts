/**
 * Ends, at a start and in a purge, what maps keep open that the configuration has named before and names no more.
 *
 * Leaves to others: how (map/former-maps.ts).  A map that was named on the command line is a trial's, and a dry run
 * owns none: neither is noted.
 */
import { FormerMaps, fileFor } from '../map/former-maps.ts';
import type { MapSpec } from '../map/map.ts';
import { stateDirectory } from '../state/state-directory.ts';
import type { RunSettings } from './settings.ts';

/**
 * @param options.isStart as `FormerMaps` has it
 * @returns those whose rows stay
 */
export async function endFormerMaps(
  {
    map,
    mirrors,
    nowrite,
    configuration,
  }: Pick<RunSettings, 'map' | 'mirrors' | 'nowrite' | 'configuration'>,
  warn: (text: string) => void,
  options: { readonly isStart?: boolean } = {},
): Promise<readonly MapSpec[]> {
  const directory = nowrite || configuration === null ? null : stateDirectory(process.env);
  if (directory === null || configuration === null) return [];
  const file = fileFor(directory, configuration);
  return new FormerMaps(file, [map, ...mirrors], warn, options).end();
}
