/**
 * What the settings of the Perl pop-before-smtp mean here: one table for its configuration file and its command line.
 *
 * Promises: what is set later counts, as there: the command line over the file, a later line over an earlier one; each setting knows where
 * it stands; what has no meaning here, or is not understood, is a remark that says so, never a guess.
 * Source: pop-before-smtp 1.20 to 1.42 (the program's GetOptions and defaults, and the shipped pop-before-smtp-conf.pl).
 */
import type { Assignment, PerlFile, PerlValue } from './perl-reader.ts';
import type { CommandLine, Word } from './shell-reader.ts';

export const FORMER_PROGRAM = 'pop-before-smtp';

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
  readonly nowrite: boolean;
  readonly reprocess: boolean;
}

/** Something that is not carried over, or has to be looked at. */
export interface Remark {
  /** A file with its line, or what else it is about. */
  readonly where: string;
  readonly text: string;
}

/** The program's own defaults. */
const DEFAULTS = {
  dbfile: '/etc/postfix/pop-before-smtp',
  dbvalue: 'ok',
  grace: 1800,
  watchlog: '/var/log/maillog',
} as const;

type Name = keyof typeof DEFAULTS | 'write' | 'reprocess';

interface Meaning {
  /** What it sets; without, it is not carried over. */
  readonly sets?: Name;
  readonly takes: 'text' | 'number' | 'flag' | 'any';
  /** Why it is not carried over. */
  readonly remark?: string;
}

const FOLLOWED = 'not needed: a line is read when it is written';
const LOCKED = 'not needed: the map is always locked as Postfix locks it';
const DEBUG = 'not carried over: "popbsmtp run --debug --nowrite" shows every decision';
const PATTERN =
  'not carried over: most servers are known; "popbsmtp match" on the log shows whether yours is, and patterns/README.md how to add one';
const DATABASE =
  'not carried over: popbsmtp has a way of its own to write each type of map; see --map';

/** By the names of the configuration file. */
const IN_FILE: Readonly<Record<string, Meaning>> = {
  dbfile: { sets: 'dbfile', takes: 'text' },
  dbvalue: { sets: 'dbvalue', takes: 'text' },
  grace: { sets: 'grace', takes: 'number' },
  'file_tail{name}': { sets: 'watchlog', takes: 'text' },
  write: { sets: 'write', takes: 'number' },
  reprocess: { sets: 'reprocess', takes: 'number' },
  debug: { takes: 'any', remark: DEBUG },
  flock: { takes: 'any', remark: LOCKED },
  logto: {
    takes: 'any',
    remark:
      'not carried over: the service logs to the journal ("journalctl -u popbsmtp"); --logto names a file that its account can write',
  },
  mynets: { takes: 'any', remark: 'not carried over: Postfix is asked; else see --mynetworks' },
  mynet_func: { takes: 'any', remark: 'not carried over: Postfix is asked; else see --mynetworks' },
  'ENV{PATH}': { takes: 'any', remark: 'not needed: Postfix is found where it is installed' },
  ...every(['maxinterval', 'interval', 'adjustafter', 'resetafter', 'tail', 'ignore_nonexistant'], {
    takes: 'any',
    remark: FOLLOWED,
  }),
  ...Object.fromEntries(
    [
      'pat',
      'pat2',
      'PID_pat',
      'IP_pat',
      'OK_pat',
      'END_pat',
      'FAIL_pat',
      'out_pat',
      'logtime_pat',
    ].map(name => [name, { takes: 'any', remark: PATTERN } as const]),
  ),
  ...Object.fromEntries(
    ['tie_func', 'sync_func', 'flock_func'].map(name => [
      name,
      { takes: 'any', remark: DATABASE } as const,
    ]),
  ),
  log_func: { takes: 'any', remark: 'not carried over: see --logto' },
};

function every(names: readonly string[], meaning: Meaning): Record<string, Meaning> {
  return Object.fromEntries(names.map(name => [`file_tail{${name}}`, meaning]));
}

/** By the names of the command line. */
const ON_COMMAND_LINE: Readonly<Record<string, Meaning>> = {
  dbfile: { sets: 'dbfile', takes: 'text' },
  grace: { sets: 'grace', takes: 'number' },
  watchlog: { sets: 'watchlog', takes: 'text' },
  logfile: { sets: 'watchlog', takes: 'text' },
  write: { sets: 'write', takes: 'flag' },
  nowrite: { sets: 'write', takes: 'flag' },
  reprocess: { sets: 'reprocess', takes: 'flag' },
  debug: { takes: 'flag', remark: DEBUG },
  nodebug: { takes: 'flag' },
  flock: { takes: 'flag', remark: LOCKED },
  noflock: { takes: 'flag', remark: LOCKED },
  logto: { takes: 'text', remark: IN_FILE['logto']?.remark ?? '' },
  daemon: {
    takes: 'text',
    remark:
      'not needed: the service stays in the foreground; "popbsmtp --daemon=FILE" works as well',
  },
  config: { takes: 'text' },
};

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
    for (const assignment of assignments) this.#assign(path, assignment);
    for (const { line, text } of others)
      this.#remark(path, line, `not understood, and not carried over: ${text}`);
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
      else if (meaning.remark !== undefined)
        this.#remark(path, line, `--${name}: ${meaning.remark}`);
      else if (meaning.sets !== undefined)
        this.#set(meaning.sets, flagOr(name, meaning, value), `${path}:${line}`, meaning);
    }
  }

  /** @param isFile where a log that the configuration looks for may be */
  settings(isFile: (path: string) => boolean): FormerSettings {
    const number = (name: 'write' | 'reprocess', preset: number): number => {
      const value = this.#given.get(name)?.value;
      return typeof value === 'number' ? value : preset;
    };
    return {
      dbfile: this.#text('dbfile'),
      dbvalue: this.#text('dbvalue'),
      grace: this.#grace(),
      watchlog: this.#watchlog(isFile),
      nowrite: number('write', 1) === 0,
      reprocess: number('reprocess', 0) !== 0,
    };
  }

  #text(name: 'dbfile' | 'dbvalue' | 'watchlog'): Former<string> {
    const given = this.#given.get(name);
    if (given === undefined) return { value: DEFAULTS[name], from: ITS_DEFAULT };
    return { value: given.value === null ? null : String(given.value), from: given.from };
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

/** The configuration file that a command line names; null for none, or one that cannot be known. */
export const configOf = ({ words }: CommandLine): string | null =>
  optionsIn(words).find(({ name }) => name === 'config')?.value ?? null;
