/**
 * Reads how maps are named: `type:path`, as main.cf does, the first of several and those that are kept equal to it.
 */
import { dirname, isAbsolute, join } from 'node:path';
import { failure } from '../base/errors.ts';
import type { Given } from '../base/given.ts';
import type { Command, MapSpec } from './map.ts';
import { MAP_MODE } from './map-mode.ts';
import { formatMapSpec, hasRules, isForPostfix, MAP_TYPES, mapPath } from './map-types.ts';
import { parseNftName } from './nft-name.ts';
import { offeredTypes } from './offered-types.ts';

/** An absolute path that names a file; a control character would break lines of main.cf and logs. */
const SPEC = /^(?<type>[A-Za-z][\w-]*):(?<path>\/\P{Cc}*(?<!\/))$/u;

const NFT = 'nft:';

/** Where the files beside a map are that is no file itself, unless it follows one that is. */
const STATE_DIRECTORY = '/var/popbsmtp';

/**
 * Reads `type:path`, or `nft:family table set`.
 *
 * @param where where the text comes from, for the error: an option, or a key of a file
 * @param config the directory of main.cf, or null for Postfix's default
 * @param directory of the files beside a map that is no file itself
 * @throws Failure MAP_SPEC, NFT_NAME, or MAP_TYPE for a type that is not supported
 */
export function parseMapSpec(
  text: string,
  where: string,
  config: string | null = null,
  directory: string = STATE_DIRECTORY,
): MapSpec {
  if (text.startsWith(NFT)) return nftSpec(text.slice(NFT.length), where, directory);
  const { type, path } = SPEC.exec(text)?.groups ?? {};
  if (type === undefined || path === undefined) {
    throw failure('MAP_SPEC', { where, value: text });
  }
  const spec = { type, path, ...(config !== null && { config }) };
  if (MAP_TYPES.includes(type)) return spec;
  const offered = offeredTypes(spec.config);
  const supported = MAP_TYPES.filter(
    known => !isForPostfix({ type: known, path }) || (offered?.includes(known) ?? true),
  ).join(', ');
  throw failure('MAP_TYPE', { where, spec: formatMapSpec(spec), type, supported });
}

function nftSpec(value: string, where: string, directory: string): MapSpec {
  const nft = parseNftName(value);
  if (nft === null) throw failure('NFT_NAME', { where, value: `${NFT}${value}` });
  const { family, table, set } = nft;
  return { type: 'nft', path: join(directory, `nft-${family}-${table}-${set}`), nft };
}

/** The maps that are named: the first, and those that are kept equal to it. */
export interface Maps {
  readonly map: MapSpec;
  readonly mirrors: readonly MapSpec[];
}

/**
 * @param options.map texts as `parseMapSpec` takes them
 * @param options.postfixConfig the directory of main.cf, or null for Postfix's default
 * @param options.mapMode the permission bits of their files, as chmod takes them; the usual ones when left out
 * @param options.tableCommand what makes the rows of `table:` maps known, a word each; none when left out
 * @param options.mapRules where the administrator's own rules are, for the types that say them again
 * @throws Failure MAP_SPEC, MAP_TYPE, MAP_TWICE, MAP_RULES_PATH, TABLE_COMMAND_PATH
 */
export function mapsOf({
  map: { value, origin },
  postfixConfig,
  mapMode,
  tableCommand = null,
  mapRules = null,
}: {
  readonly map: Given<readonly string[]>;
  readonly postfixConfig: string | null;
  readonly mapMode?: string;
  readonly tableCommand?: Given<readonly string[]> | null;
  readonly mapRules?: Given<string> | null;
}): Maps {
  const mode = mapMode === undefined ? MAP_MODE : Number.parseInt(mapMode, 8);
  const command = tableCommand && commandOf(tableCommand);
  const rules = mapRules && rulesPath(mapRules);
  const file = value.find(text => !text.startsWith(NFT));
  const directory = file && dirname(parseMapSpec(file, origin, postfixConfig).path);
  const [map, ...mirrors] = value.map((text): MapSpec => {
    const spec = parseMapSpec(text, origin, postfixConfig, directory);
    return {
      ...spec,
      ...(mode !== MAP_MODE && { mode }),
      ...(command !== null && !isForPostfix(spec) && { command }),
      ...(rules !== null && hasRules(spec) && { rules }),
    };
  });
  if (map === undefined) throw failure('MAP_SPEC', { where: origin, value: '' });
  requireDistinct([map, ...mirrors], origin);
  return { map, mirrors };
}

/** No shell and no PATH looks for it. @throws Failure TABLE_COMMAND_PATH */
function commandOf({ value: [program = '', ...args], origin }: Given<readonly string[]>): Command {
  if (isAbsolute(program)) return [program, ...args];
  throw failure('TABLE_COMMAND_PATH', { where: origin, program });
}

/** Another directory may be the present one later. @throws Failure MAP_RULES_PATH */
function rulesPath({ value, origin }: Given<string>): string {
  if (isAbsolute(value)) return value;
  throw failure('MAP_RULES_PATH', { where: origin, value });
}

/** All of them, the first one first. */
export const allOf = ({ map, mirrors }: Maps): readonly MapSpec[] => [map, ...mirrors];

/** @throws Failure MAP_TWICE */
function requireDistinct(specs: readonly MapSpec[], where: string): void {
  const names = new Map<string, string>();
  for (const spec of specs) {
    const path = mapPath(spec);
    const other = names.get(path);
    const name = formatMapSpec(spec);
    if (other !== undefined) throw failure('MAP_TWICE', { where, spec: name, other });
    names.set(path, name);
  }
}
