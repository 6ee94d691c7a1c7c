/**
 * Where a source stands in its log, and how much of it is still to be read.
 *
 * Known limit: while an older file is still being read after a rotation, neither is known, and nor is it for the journal.
 */
import { statSync } from 'node:fs';
import type { SourceStatus } from '../control/status.ts';
import { identityOf, isSameFile } from '../source/place.ts';
import type { SourceHandle } from './sources.ts';

export function positionOf({
  name,
  place,
}: SourceHandle): Pick<SourceStatus, 'name' | 'position' | 'lag'> {
  const found = place();
  if (found === null || typeof found === 'string') return { name, position: null, lag: null };
  const stats = statOf(name);
  if (stats === null || !isSameFile(identityOf(stats), found)) {
    return { name, position: null, lag: null };
  }
  return { name, position: found.position, lag: Math.max(0, Number(stats.size) - found.position) };
}

function statOf(path: string): ReturnType<typeof statOfFile> | null {
  try {
    return statOfFile(path);
  } catch {
    // A log that cannot be looked at just now is told as such by its source.
    return null;
  }
}

const statOfFile = (path: string) => statSync(path, { bigint: true });
