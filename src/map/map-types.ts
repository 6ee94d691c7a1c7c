/**
 * The types of maps, and how a map is named: `type:path`, as main.cf does.
 *
 * A new type is one file that implements `LookupMap` and one line in the table here.
 */
import { existsSync } from 'node:fs';
import { failure } from '../errors.ts';
import { lmdbPath, readLmdbFile } from './lmdb-file.ts';
import { LmdbMap } from './lmdb-map.ts';
import type { LookupMap, MapOptions, MapSpec, Row } from './map.ts';

interface MapType {
  open(spec: MapSpec, options: MapOptions): Promise<LookupMap>;
  /** Reads the rows as any account may, and leaves no trace. */
  read(spec: MapSpec): Promise<Row[]>;
  /** The file that holds it. */
  path(spec: MapSpec): string;
}

const TYPES: ReadonlyMap<string, MapType> = new Map([
  ['lmdb', { open: LmdbMap.open, read: readLmdbFile, path: lmdbPath }],
]);

/** An absolute path that names a file; a control character would break lines of main.cf and logs. */
const SPEC = /^(?<type>[A-Za-z][\w-]*):(?<path>\/\P{Cc}*(?<!\/))$/u;

function typeOf(spec: MapSpec): MapType {
  const found = TYPES.get(spec.type);
  if (found !== undefined) return found;
  const supported = [...TYPES.keys()].join(', ');
  throw failure('MAP_TYPE', { spec: formatMapSpec(spec), type: spec.type, supported });
}

/**
 * Reads `type:path`.
 *
 * @param where where the text comes from, for the error: an option, or a key of a file
 * @throws Failure MAP_SPEC, or MAP_TYPE for a type that is not supported
 */
export function parseMapSpec(text: string, where: string): MapSpec {
  const { type, path } = SPEC.exec(text)?.groups ?? {};
  if (type === undefined || path === undefined) {
    throw failure('MAP_SPEC', { where, value: text });
  }
  const spec = { type, path };
  typeOf(spec);
  return spec;
}

/** `type:path`, as main.cf has it. */
export const formatMapSpec = ({ type, path }: MapSpec): string => `${type}:${path}`;

/**
 * Opens a map for writing, and makes an empty one if there is none.
 *
 * @throws Failure as the type's own `open` does
 */
export const openMap = (spec: MapSpec, options: MapOptions = {}): Promise<LookupMap> =>
  typeOf(spec).open(spec, options);

/**
 * The rows of a map, without owning it and without a trace.
 *
 * @throws Failure MAP_MISSING, MAP_UNREADABLE, MAP_FORMAT
 */
export const readRows = (spec: MapSpec): Promise<Row[]> => typeOf(spec).read(spec);

/** The file that holds a map. */
export const mapPath = (spec: MapSpec): string => typeOf(spec).path(spec);

/** Whether there is a map of this name, whatever is in it. */
export const mapExists = (spec: MapSpec): boolean => existsSync(mapPath(spec));
