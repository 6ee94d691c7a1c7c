/**
 * Where a source stands in its log, and how much of it is still to be read.
 *
 * Known limit: while an older file is still being read after a rotation, neither is known, and nor is it for the journal.
 */
import { statSync } from 'node:fs';
import type { SourceStatus } from '../control/status.ts';
import { identityOf, isSameFile, type Place } from '../source/place.ts';
import type { SourceHandle } from './sources.ts';

export function positionOf({
  name,
  places,
}: SourceHandle): Pick<SourceStatus, 'name' | 'position' | 'lag'> {
  const stands = [...places()].flatMap(([path, place]) => standIn(path, place) ?? []);
  // Of several files, what is left of all of them is worth a number.
  const lag = stands.length === 0 ? null : stands.reduce((sum, stand) => sum + stand.lag, 0);
  return { name, position: places().has(name) ? (stands[0]?.position ?? null) : null, lag };
}

interface Stand {
  readonly position: number;
  readonly lag: number;
}

function standIn(path: string, place: Place | string | null): Stand | null {
  if (place === null || typeof place === 'string') return null;
  const stats = statOf(path);
  if (stats === null || !isSameFile(identityOf(stats), place)) return null;
  const { position } = place;
  return { position, lag: Math.max(0, Number(stats.size) - position) };
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
