/**
 * What main.cf and master.cf have to say so that Postfix looks into another map than before.
 *
 * The new name takes the place of the old one wherever that stands: which restriction permits a client, and which ones are behind it,
 * stays as it was.  Since Postfix 2.10 smtpd_relay_restrictions decides as well; a list that does not name the old map gets the new
 * one before what refuses strangers.
 * Promises: pure; what cannot be changed word by word is a remark.
 * Leaves to others: asking Postfix, and telling it.
 */
import type { Edit } from '../postfix/edit.ts';
import { words } from '../postfix/words.ts';
import type { Remark } from './former-settings.ts';

/** Parameters by name; those of master.cf as `service/type/name`. */
type Parameters = ReadonlyMap<string, string>;

export interface PostfixFacts {
  /** What main.cf sets, as it is written there (`postconf -n`). */
  readonly main: Parameters;
  /** What master.cf sets (`postconf -P`). */
  readonly master: Parameters;
  /** Both with variables put in place (`-x`), and smtpd_relay_restrictions also by default. */
  readonly expanded: Parameters;
  /** The directory of main.cf. */
  readonly directory: string;
  /** The types of maps that this Postfix knows. */
  readonly types: readonly string[];
}

const RELAY = 'smtpd_relay_restrictions';
/** What refuses strangers at the end of such a list (postconf(5)). */
const REFUSES = /(^|[\s,])(reject_unauth_destination|defer_unauth_destination)(?=$|[\s,])/;

const TABLE = /(?<![\w-])([a-z]+):((?:\$\{config_directory\}|\$config_directory)?\/[^\s,{}]+)/g;

/** The types under which a map with this path is named. */
export function typesOf(path: string, { main, master, directory }: PostfixFacts): string[] {
  const found = new Set<string>();
  for (const value of [...main.values(), ...master.values()])
    for (const [, type = '', written = ''] of value.matchAll(TABLE))
      if (pathOf(written, directory) === path) found.add(type);
  return [...found];
}

const pathOf = (written: string, directory: string): string =>
  written.replace(/^\$(?:\{config_directory\}|config_directory)/, () => directory);

export interface Changes {
  readonly edits: readonly Edit[];
  readonly remarks: readonly Remark[];
}

/** @param path of the old map @param map the new one, as main.cf is to name it */
export function changesFor(path: string, map: string, facts: PostfixFacts): Changes {
  const edits = [
    ...replaced('main.cf', facts.main, path, map, facts),
    ...replaced('master.cf', facts.master, path, map, facts),
  ];
  const hidden = [...facts.expanded]
    .filter(([name]) => !edits.some(edit => edit.name === name))
    .filter(([, value]) => namesPath(value, path))
    .map(
      ([name]): Remark => ({
        where: name,
        text: `names ${path} by a variable: write ${map} there`,
      }),
    );
  const relay = edits.find(({ name }) => name === RELAY);
  const { edits: added, remarks } = relay === undefined ? inRelayList(map, facts) : NOTHING;
  const isNamed = edits.length > 0 || hidden.length > 0 || namesMap(map, facts);
  const unnamed = isNamed ? [] : [{ where: 'main.cf', text: `does not name ${path}` }];
  return { edits: [...edits, ...added], remarks: [...unnamed, ...hidden, ...remarks] };
}

const NOTHING: Changes = { edits: [], remarks: [] };

function replaced(
  file: Edit['file'],
  parameters: Parameters,
  path: string,
  map: string,
  { directory }: PostfixFacts,
): Edit[] {
  return [...parameters].flatMap(([name, before]) => {
    const value = before.replaceAll(TABLE, (whole: string, _: string, written: string) =>
      pathOf(written, directory) === path ? map : whole,
    );
    return value === before ? [] : [{ file, name, value }];
  });
}

const namesPath = (value: string, path: string): boolean =>
  [...value.matchAll(TABLE)].some(([, , written]) => written === path);

const namesMap = (map: string, { main, master }: PostfixFacts): boolean =>
  [...main.values(), ...master.values()].some(value => value.includes(map));

function inRelayList(map: string, { main, expanded }: PostfixFacts): Changes {
  const list = expanded.get(RELAY) ?? '';
  // Before Postfix 2.10, or with an old compatibility_level, there is no such list, or it is empty and decides nothing.
  if (words(list).length === 0 || words(list).includes(map)) return NOTHING;
  const before = main.get(RELAY) ?? list;
  const value = before.replace(REFUSES, `$1check_client_access ${map.replaceAll('$', '$$$$')}, $2`);
  if (value !== before) return { edits: [{ file: 'main.cf', name: RELAY, value }], remarks: [] };
  const text = `has no reject_unauth_destination: write "check_client_access ${map}" there before what refuses strangers`;
  return { edits: [], remarks: [{ where: RELAY, text }] };
}
