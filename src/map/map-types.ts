/**
 * The types of maps: what each is called, where its file is, and who reads and writes it.
 *
 * A new type is one file that implements `LookupMap`, or a `Format` for `ReplacedMap`, and one row in the table here, from
 * which the completions of shells have its word as well.
 * Promises: what writes a type is loaded when a map of it is opened, and not before.
 * Left out: `lmdb:` through `postmap`, which would only be slower than in place; `dbm:` and `sdbm:`, which no
 * Postfix on Linux that we know offers; types that are no file of one's own to write (`proxy:`, `inline:`, `ldap:`).
 */
import { existsSync } from 'node:fs';
import type { LookupMap, MapOptions, MapSpec, Row } from './map.ts';
import { formatNftName } from './nft-name.ts';
import type { Format } from './replaced-map.ts';
import type { Ruling } from './ruled-map.ts';

interface MapType {
  /** What Postfix appends to the path of the map (src/util/dict_lmdb.h, dict_db.h, dict_cdb.h). */
  readonly suffix: string;
  /** Whether it is written in place, or else replaced by a new file as a whole. */
  readonly inPlace: boolean;
  /** What to tell who gives it to Postfix. */
  readonly caution?: string;
  open(spec: MapSpec, options: MapOptions): Promise<LookupMap>;
  /** Reads the rows as any account may, and leaves no trace. */
  read(spec: MapSpec): Promise<Row[]>;
  /** Whether whole addresses of clients are looked up only, as in a table of patterns, or their beginnings as well, access(5). */
  readonly askedWhole?: true;
  /** Whether it is for programs other than Postfix, which has no such type. */
  readonly ofOthers?: true;
  /** Whether a command can make its changes known. */
  readonly announced?: true;
  /** Whether its rows say again what rules of the administrator's say. */
  readonly hasRules?: true;
  /** Whether it may be there, where it is no file. */
  mayExist?(spec: MapSpec): Promise<boolean>;
}

const replaced = (suffix: string, format: () => Promise<Format>): MapType => ({
  suffix,
  inPlace: false,
  open: async (spec, options) =>
    (await import('./replaced-map.ts')).ReplacedMap.open(spec, await format(), options),
  read: async spec => (await import('./replaced-map.ts')).readReplaced(spec, await format()),
});

/** A type that Postfix must offer, or else would defer all mail. */
function compiled(suffix: string, format: () => Promise<Format>): MapType {
  const type = replaced(suffix, format);
  return {
    ...type,
    open: async (spec, options) => {
      (await import('./offered-types.ts')).requireOffered(spec, MAP_TYPES);
      return type.open(spec, options);
    },
  };
}

/** A type that newer Postfixes take for another one, with another file. */
function berkeley(): MapType {
  const type = compiled('.db', async () => (await import('./berkeley-format.ts')).BERKELEY);
  const requireOwn = async (spec: MapSpec): Promise<void> =>
    (await import('./redirection.ts')).requireOwnFiles([spec]);
  return {
    ...type,
    open: async (spec, options) => {
      await requireOwn(spec);
      return type.open(spec, options);
    },
    read: async spec => {
      await requireOwn(spec);
      return type.read(spec);
    },
  };
}

const text: MapType = {
  ...replaced('', async () => (await import('./text-format.ts')).TEXT),
  caution:
    'smtpd reads a map of this type only when it starts, and so sees neither a grant nor its end in time: name the map ' +
    'that Postfix uses first, and this one, for other programs, behind it',
};

/** A list for other programs, which may have to be told of its changes. */
function table(): MapType {
  const type = replaced('', async () => (await import('./table-format.ts')).TABLE);
  return {
    ...type,
    askedWhole: true,
    ofOthers: true,
    announced: true,
    open: async (spec, options) => {
      const map = await type.open(spec, options);
      if (spec.command === undefined) return map;
      return (await import('./announced-map.ts')).AnnouncedMap.open(map, spec.command, options);
    },
  };
}

/** Rows that say again what the administrator's own rules say. */
function ruled<Rules>(ruling: () => Promise<Ruling<Rules>>): MapType {
  return {
    ...replaced('', async () => (await ruling()).format(() => null)),
    askedWhole: true,
    ofOthers: true,
    hasRules: true,
    open: async (spec, options) =>
      (await import('./ruled-map.ts')).RuledMap.open(spec, await ruling(), options),
  };
}

/** Rules that Courier has to be told of. */
function smtpaccess(): MapType {
  const load = () => import('./smtpaccess-format.ts');
  const type = ruled(async () => (await load()).SMTPACCESS);
  return {
    ...type,
    announced: true,
    open: async (spec, options) => {
      const { MAKESMTPACCESS, SMTPACCESS_DIRECTORY } = await load();
      const map = await type.open({ rules: SMTPACCESS_DIRECTORY, ...spec }, options);
      const command = spec.command ?? MAKESMTPACCESS;
      return (await import('./announced-map.ts')).AnnouncedMap.open(map, command, options);
    },
  };
}

const sendmail: MapType = {
  ...replaced('.db', async () => (await import('./makemap-format.ts')).MAKEMAP),
  askedWhole: true,
  ofOthers: true,
};

const TYPES: ReadonlyMap<string, MapType> = new Map([
  [
    'lmdb',
    {
      suffix: '.lmdb',
      inPlace: true,
      open: async (spec, options) => (await import('./lmdb-map.ts')).LmdbMap.open(spec, options),
      read: async spec => (await import('./lmdb-file.ts')).readLmdbFile(spec),
    },
  ],
  ['hash', berkeley()],
  ['btree', berkeley()],
  ['cdb', compiled('.cdb', async () => (await import('./cdb-format.ts')).CDB)],
  ['texthash', text],
  ['cidr', { ...text, askedWhole: true }],
  ['table', table()],
  [
    'nft',
    {
      suffix: '',
      inPlace: false,
      askedWhole: true,
      ofOthers: true,
      open: async spec => (await import('./nft-map.ts')).NftMap.open(spec),
      read: async spec => (await import('./nft-map.ts')).readNft(spec),
      mayExist: async ({ nft }) =>
        nft !== undefined && (await import('./nft-program.ts')).mayHaveTable(nft),
    },
  ],
  ['smtpaccess', smtpaccess()],
  ['tcprules', ruled(async () => (await import('./tcprules-format.ts')).TCPRULES)],
  ['makemap:hash', sendmail],
]);

/** Their names, as main.cf has them, and those that are none of Postfix's. */
export const MAP_TYPES: readonly string[] = [...TYPES.keys()];

/** What the name of a map begins with: `lmdb:` and so on. */
export const MAP_WORDS: readonly string[] = MAP_TYPES.map(type => `${type}:`);

function typeOf({ type }: MapSpec): MapType {
  const found = TYPES.get(type);
  // Whatever a user names was looked at when it was read (spec.ts).
  if (found === undefined) throw new TypeError(`maps of type "${type}" are not supported`);
  return found;
}

/** `type:path`, as main.cf has it. */
export const formatMapSpec = ({ type, path, nft }: MapSpec): string =>
  `${type}:${nft === undefined ? path : formatNftName(nft)}`;

/**
 * Opens a map for writing, and makes an empty one if there is none.
 *
 * @throws Failure as the type's own `open` does; MAP_TYPE_MISSING, MAP_REDIRECTED
 */
export const openMap = (spec: MapSpec, options: MapOptions = {}): Promise<LookupMap> =>
  typeOf(spec).open(spec, options);

/**
 * The rows of a map, without owning it and without a trace.
 *
 * @throws Failure MAP_MISSING, MAP_UNREADABLE, MAP_NOT_FILE, MAP_EMPTY, MAP_FORMAT; of `hash:` and `btree:` POSTMAP_MISSING, MAP_POSTMAP,
 *   MAP_REDIRECTED; of `makemap:hash:` MAKEMAP_MISSING, MAP_MAKEMAP
 */
export const readRows = (spec: MapSpec): Promise<Row[]> => typeOf(spec).read(spec);

/** The file that holds a map. */
export const mapPath = (spec: MapSpec): string => `${spec.path}${typeOf(spec).suffix}`;

/** Whether there is a map of this name, whatever is in it. */
export const mapExists = async (spec: MapSpec): Promise<boolean> =>
  typeOf(spec).mayExist?.(spec) ?? existsSync(mapPath(spec));

/**
 * Whether it is written in place: then a power failure may tear it, so that it is not to be read afterwards, and a row
 * of somebody else's is only a row, and no other file.
 */
export const isInPlace = (spec: MapSpec): boolean => typeOf(spec).inPlace;

/** Whether Postfix knows the type, so that it and main.cf can be asked about a map of it. */
export const isForPostfix = (spec: MapSpec): boolean => typeOf(spec).ofOthers !== true;

/** Whether its rows say again what rules of the administrator's say. */
export const hasRules = (spec: MapSpec): boolean => typeOf(spec).hasRules === true;

/** Whether a command can make its changes known. */
export const isAnnounced = (spec: MapSpec): boolean => typeOf(spec).announced === true;

/** Whether it can be said what its keys and values are. */
export const hasForm = (spec: MapSpec): boolean => typeOf(spec) === sendmail;

/** Whether smtpd asks it for whole addresses only (smtpd_check.c, check_addr_access: DICT_FLAG_FIXED); for what stands in main.cf by itself. */
export const isAskedWhole = (spec: MapSpec): boolean => typeOf(spec).askedWhole === true;

/** What to tell who gives a map of this type to Postfix; null for nothing. */
export const cautionOf = (spec: MapSpec): string | null => typeOf(spec).caution ?? null;
