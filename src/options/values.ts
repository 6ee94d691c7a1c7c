/**
 * Option values as they were given, before anything is made of them, with where they came from.
 *
 * The command line and the configuration file both end here, and the flag wins.  Where a value came from
 * is kept, because every complaint about it has to say so.
 */
import type { Given } from '../base/given.ts';
import type { OptionKind, Value } from './entry.ts';
import { type OptionName, specOf } from './options.ts';

export class Values {
  readonly #given: ReadonlyMap<OptionName, Given<Value>>;

  constructor(given: ReadonlyMap<OptionName, Given<Value>>) {
    this.#given = given;
  }

  /** These values, and where they are silent, those of another place. */
  or(others: Values): Values {
    return new Values(new Map([...others.#given, ...this.#given]));
  }

  /** What was given, or else the default; null without either. */
  given(name: OptionName): Given<Value> | null {
    const given = this.#given.get(name);
    if (given !== undefined) return given;
    const { default: preset, kind } = specOf(name);
    if (preset === undefined) return null;
    return { value: kind === 'list' ? [preset] : preset, origin: `the default of --${name}` };
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
  switch (specOf(name).kind) {
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
