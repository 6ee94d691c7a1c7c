/**
 * Ends, at a start, what maps keep open that the configuration has named before and names no more.
 *
 * Leaves to others: how (map/former-maps.ts).  A map that was named on the command line is a trial's, and a dry run
 * owns none: neither is noted.
 */
import { FormerMaps, fileFor } from '../map/former-maps.ts';
import { stateDirectory } from '../state/state-directory.ts';
import type { RunSettings } from './settings.ts';

export async function endFormerMaps(
  {
    map,
    mirrors,
    nowrite,
    configuration,
  }: Pick<RunSettings, 'map' | 'mirrors' | 'nowrite' | 'configuration'>,
  warn: (text: string) => void,
): Promise<void> {
  const directory = nowrite || configuration === null ? null : stateDirectory(process.env);
  if (directory === null || configuration === null) return;
  await new FormerMaps(fileFor(directory, configuration), [map, ...mirrors], warn).end();
}
