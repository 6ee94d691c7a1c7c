/**
 * The settings that the Perl pop-before-smtp had, from its configuration file and its command line.
 *
 * Promises: what is set later counts, as there: the command line over the file, a later line over an earlier one; each setting knows where
 * it stands; what has no meaning here, or is not understood, is a remark that says so, never a guess; a setting that a statement speaks
 * of that is not understood is not known from there on.
 * Leaves to others: what they mean (former-meanings.ts).
 */
import { DEFAULTS, IN_FILE, type Meaning, type Name, ON_COMMAND_LINE } from './former-meanings.ts';
import type { Assignment, OtherStatement, PerlFile, PerlValue } from './perl-reader.ts';
import type { CommandLine, Word } from './start-line.ts';

/** A value, and where it stands; null where that could not be read. */
export interface Former<T> {
  readonly value: T | null;
  readonly from: string;
}

/** What was set; what was not has the value that the program gives it. */
export interface FormerSettings {
  /** The map's path without `.db`. */
  readonly dbfile: Former<string>;
  /** The value of its rows. */
  readonly dbvalue: Former<string>;
  /** In seconds. */
  readonly grace: Former<number>;
  readonly watchlog: Former<string>;
  readonly nowrite: Former<boolean>;
  readonly reprocess: Former<boolean>;
}

/** Something that is not carried over, or has to be looked at. */
export interface Remark {
  /** A file with its line, or what else it is about. */
  readonly where: string;
  readonly text: string;
}

interface Given {
  readonly value: PerlValue | null;
  readonly from: string;
}

export class FormerReading {
  readonly remarks: Remark[] = [];
  readonly #given = new Map<Name, Given>();
  #candidates: readonly string[] = [];

  /** The configuration file, which counts less than the command line, and so comes first. */
  addFile(path: string, { assignments, candidates, others }: PerlFile): void {
    const statements = [...assignments, ...others].toSorted((one, other) => one.line - other.line);
    for (const statement of statements)
      if ('text' in statement) this.#doubt(path, statement);
      else this.#assign(path, statement);
    this.#candidates = candidates ?? [];
  }

  addCommandLine(path: string, { line, words }: CommandLine): void {
    for (const { name, value, text } of optionsIn(words)) {
      if (name === null) {
        this.#remark(path, line, `not understood, and not carried over: ${text}`);
        continue;
      }
      const meaning = ON_COMMAND_LINE[name];
      if (meaning === undefined)
        this.#remark(path, line, `--${name} is not known, and not carried over`);
      else if (name === 'config' && value === null)
        this.#remark(path, line, `the configuration that it names cannot be read off it: ${text}`);
      else if (meaning.remark !== undefined)
        this.#remark(path, line, `--${name}: ${meaning.remark}`);
      else if (meaning.sets !== undefined)
        this.#set(meaning.sets, flagOr(name, meaning, value), `${path}:${line}`, meaning);
    }
  }

  /** @param isFile where a log that the configuration looks for may be */
  settings(isFile: (path: string) => boolean): FormerSettings {
    return {
      dbfile: this.#text('dbfile'),
      dbvalue: this.#text('dbvalue'),
      grace: this.#grace(),
      watchlog: this.#watchlog(isFile),
      nowrite: this.#flag('write', value => value === 0),
      reprocess: this.#flag('reprocess', value => value !== 0),
    };
  }

  #text(name: 'dbfile' | 'dbvalue' | 'watchlog'): Former<string> {
    const given = this.#given.get(name);
    if (given === undefined) return { value: DEFAULTS[name], from: ITS_DEFAULT };
    return { value: given.value === null ? null : String(given.value), from: given.from };
  }

  /** Without it, or with a value that cannot be read, it is off. */
  #flag(name: 'write' | 'reprocess', isOn: (value: PerlValue) => boolean): Former<boolean> {
    const { value = null, from = ITS_DEFAULT } = this.#given.get(name) ?? {};
    return { value: value !== null && isOn(value), from };
  }

  #grace(): Former<number> {
    const given = this.#given.get('grace');
    if (given === undefined) return { value: DEFAULTS.grace, from: ITS_DEFAULT };
    const seconds = Number(given.value ?? Number.NaN);
    const isRight = Number.isInteger(seconds) && seconds > 0;
    return { value: isRight ? seconds : null, from: given.from };
  }

  #watchlog(isFile: (path: string) => boolean): Former<string> {
    const named = this.#text('watchlog');
    if (named.value === null || isFile(named.value)) return named;
    const found = this.#candidates.find(isFile);
    return found === undefined
      ? named
      : { value: found, from: 'the first that is there of its list' };
  }

  #assign(path: string, { name, value, line }: Assignment): void {
    const meaning = IN_FILE[name];
    if (meaning === undefined)
      this.#remark(path, line, `$${name} is not known, and not carried over`);
    else if (meaning.sets !== undefined) this.#set(meaning.sets, value, `${path}:${line}`, meaning);
    else this.#remark(path, line, `$${name}: ${meaning.remark ?? ''}`);
  }

  /** What it does to the settings that it speaks of is not known. */
  #doubt(path: string, { line, text, names }: OtherStatement): void {
    this.#remark(path, line, `not understood, and not carried over: ${text}`);
    for (const [name, { sets }] of Object.entries(IN_FILE)) {
      const [bare = ''] = name.split('{');
      if (sets !== undefined && (names === null || names.has(bare)))
        this.#given.set(sets, { value: null, from: `${path}:${line}` });
    }
  }

  #set(name: Name, value: PerlValue | null, from: string, { takes }: Meaning): void {
    const isRight =
      value !== null && (takes !== 'number' || /^\d+$/.test(String(value).trim() || '0'));
    const read = takes === 'number' && isRight ? Number(value) : value;
    this.#given.set(name, { value: isRight ? read : null, from });
    if (!isRight) this.remarks.push({ where: from, text: `the value of ${name} is not plain` });
  }

  #remark(path: string, line: number, text: string): void {
    this.remarks.push({ where: `${path}:${line}`, text });
  }
}

const ITS_DEFAULT = `the default of the Perl program`;

const flagOr = (name: string, { takes }: Meaning, value: string | null): PerlValue | null =>
  takes === 'flag' ? Number(!name.startsWith('no')) : value;

interface Option {
  /** Null for what is no option, or cannot be known. */
  readonly name: string | null;
  readonly value: string | null;
  readonly text: string;
}

/** As Getopt::Long reads them: `--name=value`, `--name value`, also with one dash. */
export function optionsIn(words: readonly Word[]): Option[] {
  const found: Option[] = [];
  const rest = words[Symbol.iterator]();
  for (const word of rest) {
    const option = optionOf(word);
    const next = option.takesMore ? rest.next().value : undefined;
    if (next === undefined) found.push(option);
    else found.push({ ...option, value: next.value, text: `${word.text} ${next.text}` });
  }
  return found;
}

function optionOf({ value, text }: Word): Option & { readonly takesMore: boolean } {
  // What is put in place of a variable may be not known, where the name of the option is.
  const [, name = null, equals, written = ''] =
    /^--?([a-z][\w-]*)(=?)(.*)$/s.exec(value ?? text) ?? [];
  const takesMore = name !== null && equals === '' && takesValue(name);
  return { name, value: value === null || takesMore ? null : written, text, takesMore };
}

const takesValue = (name: string): boolean => {
  const takes = ON_COMMAND_LINE[name]?.takes;
  return takes === 'text' || takes === 'number';
};

/** The configuration file that a command line names, null for one that cannot be known; undefined where it names none. */
export const configOf = ({ words }: CommandLine): string | null | undefined =>
  optionsIn(words).findLast(({ name }) => name === 'config')?.value;
