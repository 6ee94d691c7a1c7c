/**
 * The grammar of Postfix's mynetworks (postconf(5) mynetworks; Postfix 3.7 src/util/match_list.c,
 * match_ops.c, cidr_match.c).
 *
 * Promises: what Postfix takes is taken with the same meaning: words between blanks and commas, braces
 * that hold a word together, `!` before anything, `/file` with its entries in place, `type:table`,
 * IPv6 in brackets.  Stricter in one thing: a word that can never match is an error here, where Postfix
 * passes over some of them in silence and answers 451 at others.
 * Known limits: a log has no client names, so an entry that names clients is left out, with a warning.
 * A table without an absolute path is looked for where the process runs, not in Postfix's queue directory.
 */
import { type Failure, failure, reasonOf } from '../base/errors.ts';
import { parseNetwork } from '../base/network.ts';
import { words } from '../postfix/words.ts';
import { type Entry, Mynetworks } from './mynetworks.ts';

/** What the parser needs of the world. */
export interface ParserContext {
  /** Where the list stands, such as `--mynetworks`. */
  readonly origin: string;
  /** The text of a file; throws what reading a file throws. */
  readonly readText: (path: string) => string;
  /** Told of what is left out although Postfix has nothing against it. */
  readonly warn: (text: string) => void;
}

/**
 * Reads a list as Postfix holds it; a text without entries is the empty list.
 *
 * @throws Failure MYNETWORKS_ENTRY, with file and line of an entry that stands in a file
 */
export function parseMynetworks(text: string, context: ParserContext): Mynetworks {
  const place = { origin: context.origin, included: true, depth: 0 };
  return new Mynetworks([...lineEntries(text, place, context)]);
}

/**
 * Reads a list that the user gave, in which `none` alone is the empty list.
 *
 * @throws Failure MYNETWORKS_ENTRY, also for a text without entries, which is more likely an unset
 *   shell variable than a decision
 */
export function parseGivenMynetworks(text: string, context: ParserContext): Mynetworks {
  const [first, second] = words(text);
  if (first === undefined) {
    throw refusal(context.origin, text, 'the list is empty; write none if that is meant');
  }
  if (first === 'none' && second === undefined) return new Mynetworks([]);
  return parseMynetworks(text, context);
}

/** How deep files may name files; Postfix would follow a circle until its memory ends. */
const MAX_DEPTH = 8;

/** Where a line stands: `depth` counts the files around it, `included` is what their `!` make of it. */
interface Place {
  readonly origin: string;
  readonly included: boolean;
  readonly depth: number;
}

function refusal(origin: string, entry: string, problem: string): Failure {
  return failure('MYNETWORKS_ENTRY', { origin, entry, problem });
}

function* lineEntries(line: string, place: Place, context: ParserContext): Generator<Entry> {
  for (const word of words(line)) {
    if (word.startsWith('#')) {
      // In a file, that is how comments look; in main.cf, it cuts off the rest of the whole list.
      const { origin } = place;
      if (place.depth === 0) context.warn(`${origin}: not read from "${word}" on, as in Postfix`);
      return;
    }
    yield* wordEntries(word, place, context);
  }
}

function* wordEntries(word: string, place: Place, context: ParserContext): Generator<Entry> {
  const item = word.replace(/^!+/, '');
  const turned = (word.length - item.length) % 2 === 1;
  const inner = { ...place, included: place.included !== turned };
  if (item === '') throw refusal(place.origin, word, 'nothing follows the exclamation mark');
  if (item.startsWith('/')) yield* fileEntries(item, inner, context);
  else if (item.includes(':') && !item.startsWith('[')) yield tableEntry(item, inner);
  else if (NAME.test(item)) context.warn(nameRemark(item, place));
  else yield networkEntry(item, inner);
}

function* fileEntries(path: string, place: Place, context: ParserContext): Generator<Entry> {
  if (place.depth === MAX_DEPTH) {
    throw refusal(place.origin, path, `files name files more than ${MAX_DEPTH} deep`);
  }
  const lines = textOf(path, place, context).split('\n');
  for (const [index, line] of lines.entries()) {
    const inside = { ...place, origin: `${path}:${index + 1}`, depth: place.depth + 1 };
    yield* lineEntries(line, inside, context);
  }
}

function textOf(path: string, { origin }: Place, { readText }: ParserContext): string {
  try {
    return readText(path);
  } catch (error) {
    throw refusal(origin, path, `the file cannot be read: ${reasonOf(error)}`);
  }
}

/** The type's first letter also keeps postmap from taking the word for an option. */
const TABLE = /^[a-z][a-z0-9_-]*:./s;

function tableEntry(table: string, { origin, included }: Place): Entry {
  if ('network' in parseNetwork(table)) {
    throw refusal(origin, table, 'IPv6 must stand in brackets');
  }
  if (!TABLE.test(table)) {
    throw refusal(origin, table, 'it is neither type:table nor IPv6 in brackets');
  }
  return { kind: 'table', table, included };
}

/** A domain name with a dot; a word without one is more likely a mistake than a client's name. */
const NAME = /^(?=.*\.)\.?(?:[a-z0-9_-]+\.)*[a-z][a-z0-9-]*[a-z0-9]$/i;

const nameRemark = (name: string, { origin }: Place): string =>
  `${origin}: "${name}" names clients, and the log has only addresses; it is left out`;

function networkEntry(item: string, { origin, included }: Place): Entry {
  const parsed = parseNetwork(item);
  if ('problem' in parsed) throw refusal(origin, item, parsed.problem);
  return { kind: 'network', network: parsed.network, included };
}
