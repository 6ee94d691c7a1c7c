/**
 * What the map and its directory are like, for any account that may look.
 */
import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, Failure } from '../base/errors.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { mapPath, readRows } from '../map/map-types.ts';

export interface FileState {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** The permission bits, with the sticky bit. */
  readonly mode: number;
}

export interface MapState {
  readonly spec: MapSpec;
  /** Null when there is none. */
  readonly file: FileState | null;
  /** The directory that it is in, and those above, up to the root. */
  readonly directories: readonly FileState[];
  readonly rows: readonly Row[] | Failure;
}

export async function mapState(spec: MapSpec): Promise<MapState> {
  const path = mapPath(spec);
  return {
    spec,
    file: stateOf(path, seen(path, lstatSync)),
    directories: [...above(path)].flatMap(
      directory => stateOf(directory, seen(directory, statSync)) ?? [],
    ),
    rows: await rowsOrFailure(spec),
  };
}

/** Null of what is not there, and of what stands behind a directory that this account may not enter. */
export function seen(path: string, look: typeof statSync | typeof lstatSync): Stats | null {
  try {
    return look(path, { throwIfNoEntry: false }) ?? null;
  } catch (problem) {
    if (errnoOf(problem) === 'EACCES') return null;
    throw problem;
  }
}

function* above(path: string): Generator<string> {
  const directory = dirname(path);
  yield directory;
  if (directory !== path && directory !== '/') yield* above(directory);
}

const stateOf = (path: string, stats: Stats | null): FileState | null =>
  stats === null ? null : { path, uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o1777 };

async function rowsOrFailure(spec: MapSpec): Promise<readonly Row[] | Failure> {
  try {
    return await readRows(spec);
  } catch (problem) {
    if (problem instanceof Failure) return problem;
    throw problem;
  }
}
