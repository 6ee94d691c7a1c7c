/**
 * What the completions of all shells have in common: what may stand where, from the table of options.
 */
import { GENERAL_OPTIONS } from '../../options/help.ts';
import { OPTION_NAMES, type OptionName, specOf } from '../../options/options.ts';

/** Where a word of a value ends in this, a path follows it, and stands nowhere else. */
const LEAD_END = ':';

/** How an option is completed. */
export interface Completion {
  readonly name: OptionName;
  /** All names of the option, without `--`. */
  readonly names: readonly string[];
  readonly about: string;
  /** Null for a flag. */
  readonly value: ValueCompletion | null;
  /** It may be given again. */
  readonly repeats: boolean;
}

export interface ValueCompletion {
  /** Stands for the value. */
  readonly name: string;
  readonly words: readonly string[];
  /** Words that a path follows, such as `lmdb:`. */
  readonly leads: readonly string[];
  readonly path: 'file' | 'directory' | null;
}

export function completionOf(name: OptionName): Completion {
  const { alias, about, value, kind, choices = [], path = null } = specOf(name);
  const words = [...choices, ...(specOf(name).words ?? [])];
  return {
    name,
    names: alias === undefined ? [name] : [name, alias],
    about,
    repeats: kind === 'list',
    value:
      value === undefined
        ? null
        : {
            name: value,
            words: words.filter(word => !word.endsWith(LEAD_END)),
            leads: words.filter(word => word.endsWith(LEAD_END)),
            path,
          },
  };
}

export const COMPLETIONS: readonly Completion[] = OPTION_NAMES.map(completionOf);

/** `--help` and the like, as the shell's user types them. */
export const GENERAL_FLAGS = GENERAL_OPTIONS.flatMap(({ name, short }) =>
  short === null ? [`--${name}`] : [`-${short}`, `--${name}`],
);

/** A word that a shell takes as it stands. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Says whose work a file is, in a comment of any shell. */
export const MADE_BY = '# Made from the table of options by "npm run manual".';
