/**
 * Rows of the maps that are not popbsmtp's and let clients relay: nothing ends them, which is told at each start.
 *
 * Leaves to others: a mirror that is not there yet, or cannot be read, which is told by whoever keeps it equal to the first.
 */
import { unlessFailed } from '../base/attempt.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { formatMapSpec, readRows } from '../map/map-types.ts';
import { exampleKeys, isEndless } from '../map/row.ts';

/** @param rows those of the first map @param mirrors which are read here */
export async function warnOfEndlessRows(
  rows: readonly Row[],
  mirrors: readonly MapSpec[],
  warn: (text: string) => void,
): Promise<void> {
  warnOf(rows, 'the map', warn);
  for (const spec of mirrors) {
    const all = await unlessFailed(() => readRows(spec), []);
    warnOf(all.filter(isEndless), formatMapSpec(spec), warn);
  }
}

function warnOf(endless: readonly Row[], name: string, warn: (text: string) => void): void {
  if (endless.length === 0) return;
  warn(
    `rows of ${name} that are not popbsmtp's let clients relay, and nothing ends that: ${endless.length} ` +
      `(${exampleKeys(endless)}); "popbsmtp list" shows them, "popbsmtp purge --foreign" ends them`,
  );
}
