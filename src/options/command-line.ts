/**
 * The command line, from the table of options, by the parser of yargs.
 *
 * Not by its commands: they take `--debug=maybe` for false, make a list of what is given twice, and forget where a value came
 * from; help and errors of their own are not wanted here.  And loading them took as long as Node itself, which the parser alone,
 * once bundled, does not.
 *
 * Promises: parsing has no side effect but the printing of `--help` and `--version`, and of an older program's option that has no
 * effect (former-options.ts); whatever is wrong is a Failure USAGE of one line.  A bare call with options is `run`.
 */
import { Parser } from 'yargs/helpers';
import { failure } from '../base/errors.ts';
import type { Given } from '../base/given.ts';
import { COMMAND_NAMES, type CommandName, isCommandName, operandsOf } from './commands.ts';
import type { Value } from './entry.ts';
import { FORMER_NAMES, formerOption } from './former-options.ts';
import { helpText } from './help.ts';
import { nearest } from './nearest.ts';
import { isOptionName, OPTION_NAMES, type OptionName, optionsOf, specOf } from './options.ts';
import { normalise, TAKES, Values } from './values.ts';

export interface CommandLine {
  /** Null when only help or the version was asked for, which has been printed. */
  readonly command: CommandName | null;
  /** The files or lines behind the command. */
  readonly operands: readonly string[];
  readonly values: Values;
}

const SETTINGS = {
  // Names and values mean what they say: no camel case, no numbers, no nesting, no opposites.
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'strip-aliased': true,
};

const namesOf = (wanted: (spec: ReturnType<typeof specOf>) => boolean): OptionName[] =>
  OPTION_NAMES.filter(name => wanted(specOf(name)));

/** Of the options of all commands, since the command may stand behind them. */
const GRAMMAR = {
  alias: {
    help: 'h',
    ...Object.fromEntries(OPTION_NAMES.map(name => [name, specOf(name).alias ?? []])),
  },
  boolean: ['help', 'version', ...FORMER_NAMES, ...namesOf(({ kind }) => kind === 'flag')],
  narg: Object.fromEntries(namesOf(({ kind }) => kind !== 'flag').map(name => [name, 1])),
  string: ['_', ...namesOf(({ kind }) => kind !== 'flag')],
  configuration: SETTINGS,
};

/** @throws Failure USAGE */
export function parseCommandLine(args: readonly string[], version: string): CommandLine {
  const { argv, error } = Parser.detailed([...args], GRAMMAR);
  const lacking = /^Not enough arguments following: (.+)$/.exec(error?.message ?? '')?.[1];
  const [first, ...rest] = argv._.map(String);
  const named = first !== undefined && isCommandName(first) ? first : null;
  const asked = answer(argv, named, version);
  if (asked !== null) {
    process.stdout.write(asked);
    return { command: null, operands: [], values: new Values(new Map()) };
  }
  const command = named ?? 'run';
  if (lacking !== undefined && isOptionName(lacking))
    throw usage(`--${lacking} ${TAKES[specOf(lacking).kind]}, and has no value`, command);
  if (error !== null) throw usage(lowerFirst(error.message), command);
  const odd = oddFlag(args);
  if (odd !== undefined) throw usage(`--${odd} ${TAKES.flag}`, command);
  if (named === null && first !== undefined) throw unknownWord(first, command);
  // First the options: one that is not known has taken the word behind it for its value.
  const values = valuesOf(argv, command);
  return { command, operands: operandsIn(rest, command), values };
}

/** What was asked for instead of a command to run, or null. */
function answer(
  argv: Parser.Arguments,
  command: CommandName | null,
  version: string,
): string | null {
  if (argv['version'] === true) return `${version}\n`;
  return argv['help'] === true ? helpText(command, process.stdout.columns) : null;
}

/** A flag with a value that is neither true nor false, which the parser would take for false. */
function oddFlag(args: readonly string[]): string | undefined {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end))
    .map(arg => /^--([^=]+)=(?!(?:true|false)$)/.exec(arg)?.[1] ?? '')
    .find(name => isOptionName(name) && specOf(name).kind === 'flag');
}

/** @throws Failure USAGE when there are more or fewer than the command takes */
function operandsIn(words: readonly string[], command: CommandName): readonly string[] {
  const grammar = operandsOf(command);
  const { least, most } = grammar === null ? { least: 0, most: 0 } : numberOf(grammar.words);
  const excess = words[most];
  if (excess !== undefined) throw usage(`unknown argument "${excess}"`, command);
  if (words.length < least) throw usage(`the ${grammar?.name ?? 'word'} is missing`, command);
  return words;
}

/** How many operands `<file>`, `<file..>` and `[file..]` stand for. */
const numberOf = (words: string): { readonly least: number; readonly most: number } => ({
  least: words.startsWith('<') ? 1 : 0,
  most: words.includes('..') ? Number.POSITIVE_INFINITY : 1,
});

function valuesOf(argv: Parser.Arguments, command: CommandName): Values {
  const known = optionsOf(command);
  const given = new Map<OptionName, Given<Value>>();
  for (const [name, raw] of Object.entries(argv)) {
    if (name === '_' || raw === undefined || isTaken(name, command)) continue;
    if (!isOptionName(name) || !known.includes(name)) {
      throw usage(unknownOption(name, known), command);
    }
    const { kind } = specOf(name);
    // Given twice, the last one counts, as everywhere.
    const value = normalise(name, kind !== 'list' && Array.isArray(raw) ? raw.at(-1) : raw);
    if (value === null) throw usage(`--${name} ${TAKES[kind]}`, command);
    given.set(name, { value, origin: `--${name}` });
  }
  return new Values(given);
}

/** An option of the older program that has no effect here. @throws Failure USAGE for one that a command took the place of */
function isTaken(name: string, command: CommandName): boolean {
  const former = command === 'run' ? formerOption(name) : null;
  if (former === null) return false;
  if (former.command !== null) throw usage(`--${name} is now "${former.command}"`, command);
  if (former.remark !== undefined)
    process.stderr.write(`popbsmtp: --${name} has no effect: ${former.remark}\n`);
  return true;
}

function unknownOption(name: string, known: readonly OptionName[]): string {
  const problem = `unknown option ${name.length === 1 ? `-${name}` : `--${name}`}`;
  const near = nearest(name, known);
  return near === null ? problem : `${problem} (the nearest is --${near})`;
}

function unknownWord(word: string, command: CommandName): Error {
  const near = nearest(word, COMMAND_NAMES);
  const hint = near === null ? '' : ` (the nearest command is ${near})`;
  return usage(`unknown command or argument "${word}"${hint}`, command);
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

const usage = (problem: string, command: CommandName): Error =>
  failure('USAGE', { problem, verb: command === 'run' ? '' : `${command} ` });
