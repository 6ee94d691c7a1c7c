/**
 * What an entry of the table of options is made with: a function for each way in which a value is written and read.
 *
 * Promises: what an entry reads is typed by how it is made, so that a setting is what its entry says, and null only where there may be
 * no value.  What has a grammar of its own, such as the name of a map, is handed on as a text with its origin (`given`): the room
 * that knows the grammar reads it.
 */
import { parseDuration } from '../base/duration.ts';
import { failure } from '../base/errors.ts';
import type { Given } from '../base/given.ts';
import type { CommandName } from './commands.ts';

/**
 * How a value is written: `text`; `list`, given once for each entry; `networks`, entries between blanks or commas
 * in one text; `duration`; `count`; `flag`, which takes no value.
 */
export type OptionKind = 'text' | 'list' | 'networks' | 'duration' | 'count' | 'flag';

/** A value of any kind of option, before anything is made of it. */
export type Value = boolean | string | readonly string[];

/** What an entry says of its option, besides how it is read. */
export interface Facts {
  /** Stands for the value in the help. */
  readonly value?: string;
  /** The value when it is not given. */
  readonly default?: string;
  /** What happens when it is not given, where that is not a value. */
  readonly otherwise?: string;
  readonly about: string;
  /** Another name, from an older program. */
  readonly alias?: string;
  /** The words that it may take, or that mean something of their own among its values. */
  readonly words?: readonly string[];
  /** What its value is the path of, or begins to be behind one of its words. */
  readonly path?: 'file' | 'directory';
  /** Used often, so listed first. */
  readonly often?: true;
  readonly commands: readonly CommandName[];
  /** Whether the configuration file may have it as a key. */
  readonly inFile: boolean;
  /** Whether the daemon takes a change on SIGHUP; else it takes effect at the next start. */
  readonly onReload?: true;
}

/** How an option is read. */
interface Reader<T> {
  readonly kind: OptionKind;
  /** The texts that it may be, where it is no other. */
  readonly choices?: readonly string[];
  /**
   * @param given what was given, or the default, or null when there is neither
   * @throws Failure of a value that is wrong
   */
  read(given: Given<Value> | null): T;
}

/** Any entry. */
export type OptionSpec = Facts & Reader<unknown>;

/** The facts of an option that always has a value. */
type Preset = Facts & { readonly default: string };

export const flag = <const F extends Facts>(facts: F): F & Reader<boolean> => ({
  ...facts,
  kind: 'flag',
  read: given => given?.value === true,
});

/** A text as it stands, such as a name or a path. */
export const text = <const F extends Facts>(facts: F): F & Reader<string | null> => ({
  ...facts,
  kind: 'text',
  read: given => given && textIn(given).value,
});

/** Made of a text by its own rule; null where it is not given. @throws Failure of one that is wrong */
export const parsed = <const F extends Facts, T>(
  facts: F,
  parse: (text: string, origin: string) => T,
): F & Reader<T | null> => ({
  ...facts,
  kind: 'text',
  read: one => {
    if (one === null) return null;
    const { value, origin } = textIn(one);
    return parse(value, origin);
  },
});

/** A text for whoever knows its grammar; null where it is not given and has no default. */
export function given<const F extends Preset>(facts: F): F & Reader<Given<string>>;
export function given<const F extends Facts>(facts: F): F & Reader<Given<string> | null>;
export function given(facts: Facts): Facts & Reader<Given<string> | null> {
  return { ...facts, kind: 'text', read: one => one && textIn(one) };
}

/** One of a few texts. @throws Failure CHOICE */
export const choice = <const F extends Preset, const C extends string>(
  facts: F,
  choices: readonly C[],
): F & Reader<C> => ({
  ...facts,
  kind: 'text',
  choices,
  read: one => {
    const { value, origin } = textIn(required(one));
    const found = choices.find(known => known === value);
    if (found !== undefined) return found;
    throw failure('CHOICE', { where: origin, value, choices: choices.join(' or ') });
  },
});

/** Texts as they stand; none when it is not given. */
export const list = <const F extends Facts>(facts: F): F & Reader<readonly string[]> => ({
  ...facts,
  kind: 'list',
  read: one => (one === null ? [] : textsIn(one).value),
});

/** Texts, of each of which something is made, or which are only looked at; none when it is not given. @throws Failure of one that is wrong */
export const listOf = <const F extends Facts, T>(
  facts: F,
  parse: (text: string, origin: string) => T,
): F & Reader<readonly T[]> => ({
  ...facts,
  kind: 'list',
  read: one => {
    if (one === null) return [];
    const { value, origin } = textsIn(one);
    return value.map(text => parse(text, origin));
  },
});

/** As `given`, for texts. */
export function givenList<const F extends Preset>(facts: F): F & Reader<Given<readonly string[]>>;
export function givenList<const F extends Facts>(
  facts: F,
): F & Reader<Given<readonly string[]> | null>;
export function givenList(facts: Facts): Facts & Reader<Given<readonly string[]> | null> {
  return { ...facts, kind: 'list', read: one => one && textsIn(one) };
}

/** As `given`, for networks in one text. */
export function networks<const F extends Preset>(facts: F): F & Reader<Given<string>>;
export function networks<const F extends Facts>(facts: F): F & Reader<Given<string> | null>;
export function networks(facts: Facts): Facts & Reader<Given<string> | null> {
  return { ...facts, kind: 'networks', read: one => one && textIn(one) };
}

/** Seconds. @throws Failure DURATION */
export const duration = <const F extends Preset>(facts: F): F & Reader<number> => ({
  ...facts,
  kind: 'duration',
  read: one => durationIn(required(one)),
});

/** Seconds, or null for `none`. @throws Failure DURATION */
export const durationOrNone = <const F extends Preset>(facts: F): F & Reader<number | null> => ({
  ...facts,
  words: ['none'],
  kind: 'duration',
  read: one => orNone(required(one), durationIn),
});

/** A whole number from 1 to the most. @throws Failure COUNT */
export const count = <const F extends Preset>(facts: F, most: number): F & Reader<number> => ({
  ...facts,
  kind: 'count',
  read: one => countIn(required(one), most),
});

/** As `count`, or `none`; null where it is not given and has no default. @throws Failure COUNT */
export const limit = <const F extends Facts>(
  facts: F,
  most: number,
): F & Reader<number | 'none' | null> => ({
  ...facts,
  kind: 'count',
  read: one => one && (one.value === 'none' ? 'none' : countIn(one, most)),
});

function required(given: Given<Value> | null): Given<Value> {
  if (given === null) throw new TypeError('an option with a default has no value');
  return given;
}

function textIn({ value, origin }: Given<Value>): Given<string> {
  if (typeof value !== 'string') throw new TypeError(`${origin} holds no text`);
  return { value, origin };
}

function textsIn({ value, origin }: Given<Value>): Given<readonly string[]> {
  if (typeof value !== 'object') throw new TypeError(`${origin} holds no texts`);
  return { value, origin };
}

function durationIn(given: Given<Value>): number {
  const { value, origin } = textIn(given);
  return parseDuration(value, origin);
}

function countIn(given: Given<Value>, most: number): number {
  const { value, origin } = textIn(given);
  const number = /^[1-9]\d{0,8}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > most) throw failure('COUNT', { where: origin, value, most });
  return number;
}

const orNone = <T>(given: Given<Value>, read: (given: Given<Value>) => T): T | null =>
  given.value === 'none' ? null : read(given);
