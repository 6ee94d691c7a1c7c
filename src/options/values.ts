/**
 * Option values as they were given, before anything is made of them, with where they came from.
 *
 * The command line and the configuration file both end here, and the flag wins.  Where a value came from
 * is kept, because every complaint about it has to say so.
 */
import { OPTIONS, type OptionKind, type OptionName, specOf } from './options.ts';

/** A value of any kind of option. */
export type Value = boolean | string | readonly string[];

export interface Given<T> {
  readonly value: T;
  /** `--map`, or `/etc/popbsmtp/popbsmtp.toml: map`. */
  readonly origin: string;
}

type NamesOf<K extends OptionKind> = {
  [N in OptionName]: (typeof OPTIONS)[N]['kind'] extends K ? N : never;
}[OptionName];

export class Values {
  readonly #given: ReadonlyMap<OptionName, Given<Value>>;

  constructor(given: ReadonlyMap<OptionName, Given<Value>>) {
    this.#given = given;
  }

  /** These values, and where they are silent, those of another place. */
  or(others: Values): Values {
    return new Values(new Map([...others.#given, ...this.#given]));
  }

  flag(name: NamesOf<'flag'>): boolean {
    return this.#given.get(name)?.value === true;
  }

  /** The entries that were given, or the default as the only one; none without either. */
  entries(name: NamesOf<'list'>): Given<readonly string[]> {
    const given = this.#given.get(name);
    if (typeof given?.value === 'object') return { value: given.value, origin: given.origin };
    const fallback = specOf(name).default;
    const value = fallback === undefined ? [] : [fallback];
    return { value, origin: `the default of --${name}` };
  }

  /** The text that was given or is the default; null without either. */
  text(name: NamesOf<'text' | 'networks' | 'duration' | 'count'>): Given<string> | null {
    const given = this.#given.get(name);
    if (typeof given?.value === 'string') return { value: given.value, origin: given.origin };
    const fallback = specOf(name).default;
    return fallback === undefined ? null : { value: fallback, origin: `the default of --${name}` };
  }

  /** As `text`, for an option that has a default. */
  required(name: NamesOf<'text' | 'networks' | 'duration' | 'count'>): Given<string> {
    const given = this.text(name);
    if (given === null) throw new TypeError(`the option ${name} has no default`);
    return given;
  }

  /** The entries that were given, none if it was not. */
  list(name: NamesOf<'list'>): readonly string[] {
    const value = this.#given.get(name)?.value;
    return typeof value === 'object' ? value : [];
  }

  /** Where the value came from, for a complaint about it; null when it was not given. */
  origin(name: OptionName): string | null {
    return this.#given.get(name)?.origin ?? null;
  }
}

/** What each kind of option takes, for an error. */
export const TAKES: Readonly<Record<OptionKind, string>> = {
  flag: 'takes true or false',
  list: 'takes a text, or a list of texts',
  networks: 'takes a text, or a list of texts',
  count: 'takes a whole number',
  duration: 'takes a duration: 900, "90s", "15m", "2h"',
  text: 'takes a text',
};

/** The value in the form of its kind, or null when it is of another sort. */
export function normalise(name: OptionName, value: unknown): Value | null {
  const entries = textsOf(typeof value === 'string' ? [value] : value);
  switch (OPTIONS[name].kind) {
    case 'flag':
      return typeof value === 'boolean' ? value : null;
    case 'list':
      return entries;
    case 'networks':
      return entries?.join(' ') ?? null;
    case 'count':
    case 'duration':
      return typeof value === 'number' ? String(value) : textOf(value);
    case 'text':
      return textOf(value);
  }
}

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

function textsOf(value: unknown): string[] | null {
  if (!Array.isArray(value)) return null;
  const texts = value.map(textOf).filter(text => text !== null);
  return texts.length === value.length ? texts : null;
}
