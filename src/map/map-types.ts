/**
 * The types of maps, and how a map is named: `type:path`, as main.cf does.
 *
 * A new type is one file that implements `LookupMap`, or a `Format` for `ReplacedMap`, and one line in the table here.
 * Left out: `lmdb:` through `postmap`, which would only be slower than in place; `dbm:` and `sdbm:`, which no
 * Postfix on Linux that we know offers; types that are no file of one's own to write (`proxy:`, `inline:`, `ldap:`).
 */
import { existsSync } from 'node:fs';
import { failure } from '../base/errors.ts';
import { BERKELEY } from './berkeley-format.ts';
import { CDB } from './cdb-format.ts';
import { lmdbPath, readLmdbFile } from './lmdb-file.ts';
import { LmdbMap } from './lmdb-map.ts';
import type { LookupMap, MapOptions, MapSpec, Row } from './map.ts';
import { offeredTypes, requireOffered } from './offered-types.ts';
import { type Format, fileOf, ReplacedMap, readReplaced } from './replaced-map.ts';
import { TEXT } from './text-format.ts';

interface MapType {
  open(spec: MapSpec, options: MapOptions): Promise<LookupMap>;
  /** Reads the rows as any account may, and leaves no trace. */
  read(spec: MapSpec): Promise<Row[]>;
  /** The file that holds it. */
  path(spec: MapSpec): string;
  /** What to tell who gives it to Postfix. */
  readonly caution?: string;
  /** Whether it is written in place, or else replaced by a new file as a whole. */
  readonly inPlace: boolean;
}

const replaced = (format: Format): MapType => ({
  open: (spec, options) => ReplacedMap.open(spec, format, options),
  read: spec => readReplaced(spec, format),
  path: spec => fileOf(spec, format),
  inPlace: false,
});

/** @param format of a type that Postfix must offer, or else would defer all mail */
const compiled = (format: Format): MapType => ({
  ...replaced(format),
  open: async (spec, options) => {
    requireOffered(spec, SUPPORTED);
    return ReplacedMap.open(spec, format, options);
  },
});

const text: MapType = {
  ...replaced(TEXT),
  caution:
    'smtpd reads a map of this type only when it starts, and so sees neither a grant nor its end in time: name the map ' +
    'that Postfix uses first, and this one, for other programs, behind it',
};

const TYPES: ReadonlyMap<string, MapType> = new Map([
  ['lmdb', { open: LmdbMap.open, read: readLmdbFile, path: lmdbPath, inPlace: true }],
  ['hash', compiled(BERKELEY)],
  ['btree', compiled(BERKELEY)],
  ['cdb', compiled(CDB)],
  ['texthash', text],
  ['cidr', text],
]);

const SUPPORTED = [...TYPES.keys()];

/** An absolute path that names a file; a control character would break lines of main.cf and logs. */
const SPEC = /^(?<type>[A-Za-z][\w-]*):(?<path>\/\P{Cc}*(?<!\/))$/u;

function typeOf(spec: MapSpec): MapType {
  const found = TYPES.get(spec.type);
  if (found !== undefined) return found;
  const offered = offeredTypes(spec.config);
  const supported = SUPPORTED.filter(type => offered?.includes(type) ?? true).join(', ');
  throw failure('MAP_TYPE', { spec: formatMapSpec(spec), type: spec.type, supported });
}

/**
 * Reads `type:path`.
 *
 * @param where where the text comes from, for the error: an option, or a key of a file
 * @param config the directory of main.cf, or null for Postfix's default
 * @throws Failure MAP_SPEC, or MAP_TYPE for a type that is not supported
 */
export function parseMapSpec(text: string, where: string, config: string | null = null): MapSpec {
  const { type, path } = SPEC.exec(text)?.groups ?? {};
  if (type === undefined || path === undefined) {
    throw failure('MAP_SPEC', { where, value: text });
  }
  const spec = { type, path, ...(config !== null && { config }) };
  typeOf(spec);
  return spec;
}

/** `type:path`, as main.cf has it. */
export const formatMapSpec = ({ type, path }: MapSpec): string => `${type}:${path}`;

/**
 * Opens a map for writing, and makes an empty one if there is none.
 *
 * @throws Failure as the type's own `open` does; MAP_TYPE_MISSING
 */
export const openMap = (spec: MapSpec, options: MapOptions = {}): Promise<LookupMap> =>
  typeOf(spec).open(spec, options);

/**
 * The rows of a map, without owning it and without a trace.
 *
 * @throws Failure MAP_MISSING, MAP_UNREADABLE, MAP_FORMAT; of `hash:` and `btree:` POSTMAP_MISSING, MAP_POSTMAP
 */
export const readRows = (spec: MapSpec): Promise<Row[]> => typeOf(spec).read(spec);

/** The file that holds a map. */
export const mapPath = (spec: MapSpec): string => typeOf(spec).path(spec);

/** Whether there is a map of this name, whatever is in it. */
export const mapExists = (spec: MapSpec): boolean => existsSync(mapPath(spec));

/**
 * Whether it is written in place: then a power failure may tear it, so that it is not to be read afterwards, and a row
 * of somebody else's is only a row, and no other file.
 */
export const isInPlace = (spec: MapSpec): boolean => typeOf(spec).inPlace;

/** What to tell who gives a map of this type to Postfix; null for nothing. */
export const cautionOf = (spec: MapSpec): string | null => typeOf(spec).caution ?? null;
