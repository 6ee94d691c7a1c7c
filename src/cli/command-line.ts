/**
 * The command line, from the table of options, by yargs.
 *
 * Promises: parsing has no side effect but the printing of `--help` and `--version`; whatever is wrong is a
 * Failure USAGE of one line (yargs would print its whole help).  A bare call with options is `run`.
 */
import yargs, { type Argv } from 'yargs';
import { failure } from '../errors.ts';
import { helpText } from './help.ts';
import { nearest } from './nearest.ts';
import {
  COMMAND_NAMES,
  type CommandName,
  commandOf,
  isCommandName,
  isOptionName,
  OPERANDS,
  type OptionName,
  optionsOf,
  specOf,
} from './options.ts';
import { type Given, normalise, TAKES, type Value, Values } from './values.ts';

export interface CommandLine {
  /** Null when only help or the version was asked for, which has been printed. */
  readonly command: CommandName | null;
  /** The files or lines behind the command. */
  readonly operands: readonly string[];
  readonly values: Values;
}

const SETTINGS = {
  // Names and values mean what they say: no camel case, no numbers, no nesting.
  'camel-case-expansion': false,
  'dot-notation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'strip-aliased': true,
  'greedy-arrays': false,
};

/** Stands for `-` while yargs parses, which loses it among the operands of a command (18.2.0); no file has such a name. */
const DASH = '\0-';
const hide = (arg: string): string => (arg === '-' ? DASH : arg);
const show = (arg: unknown): string => (arg === DASH ? '-' : String(arg));

/** @throws Failure USAGE */
export async function parseCommandLine(
  args: readonly string[],
  version: string,
): Promise<CommandLine> {
  let command: CommandName = 'run';
  let problem: string | null = null;
  const parser = build(args, version, name => {
    command = name;
  }).fail((message: string | null, error: Error | undefined) => {
    problem ??= message ?? error?.message ?? 'not understood';
  });
  // With a callback yargs prints nothing by itself.
  const argv = await parser.parseAsync(args.map(hide), {}, () => undefined);
  if (problem !== null) throw usage(explain(problem, command, args), command);
  const asked = answer(argv, version);
  if (asked !== null) {
    process.stdout.write(asked);
    return { command: null, operands: [], values: new Values(new Map()) };
  }
  const found = argv['file'] ?? argv['line'];
  const operands = Array.isArray(found) ? found.map(show) : [];
  return { command, operands, values: valuesOf(argv, command) };
}

/** What was asked for instead of a command to run, or null. */
function answer(argv: Record<string, unknown> & { _: unknown[] }, version: string): string | null {
  if (argv['version'] === true) return `${version}\n`;
  if (argv['help'] !== true) return null;
  const [first] = argv._.map(String);
  const command = first !== undefined && isCommandName(first) ? first : null;
  return helpText(command, process.stdout.columns);
}

function build(
  args: readonly string[],
  version: string,
  chosen: (name: CommandName) => void,
): Argv {
  const parser = yargs(args.map(hide))
    .parserConfiguration(SETTINGS)
    .exitProcess(false)
    .strict()
    .showHelpOnFail(false)
    .version(version)
    .help()
    .alias('help', 'h');
  for (const name of COMMAND_NAMES) {
    const { about, operands } = commandOf(name);
    const words = operands === undefined ? name : `${name} ${OPERANDS[operands].words}`;
    parser.command(
      name === 'run' ? [words, '$0'] : words,
      about,
      command => addOptions(command, name),
      () => chosen(name),
    );
  }
  return parser;
}

function addOptions(command: Argv, name: CommandName): Argv {
  const { operands } = commandOf(name);
  if (operands !== undefined) {
    command.positional(OPERANDS[operands].name, { type: 'string', array: true });
  }
  for (const option of optionsOf(name)) {
    const spec = specOf(option);
    command.option(option, {
      type: spec.kind === 'flag' ? 'boolean' : 'string',
      array: spec.kind === 'list',
      requiresArg: spec.kind !== 'flag',
      ...(spec.alias === undefined ? {} : { alias: spec.alias }),
    });
  }
  return command;
}

function valuesOf(argv: Record<string, unknown>, command: CommandName): Values {
  const given = new Map<OptionName, Given<Value>>();
  for (const [name, raw] of Object.entries(argv)) {
    if (raw === undefined || !isOptionName(name)) continue;
    const { kind } = specOf(name);
    // Given twice, the last one counts, as everywhere.
    const last: unknown = kind !== 'list' && Array.isArray(raw) ? raw.at(-1) : raw;
    const value = normalise(name, Array.isArray(last) ? last.map(show) : last);
    if (value === null) throw usage(`--${name} ${TAKES[kind]}`, command);
    given.set(name, { value, origin: `--${name}` });
  }
  return new Values(given);
}

/** Names the nearest option, or the nearest command, for one that is not known. */
function explain(problem: string, command: CommandName, args: readonly string[]): string {
  const [, words] = /^Unknown arguments?: (.*)$/.exec(problem) ?? [];
  if (words === undefined) return problem.replace(/\s*\n\s*/g, ' ');
  const [first = ''] = words.split(', ');
  if (args.includes(first)) {
    return `unknown command or argument "${first}" (the nearest command is ${nearest(first, COMMAND_NAMES)})`;
  }
  return `unknown option --${first} (the nearest is --${nearest(first, optionsOf(command))})`;
}

const usage = (problem: string, command: CommandName): Error =>
  failure('USAGE', { problem, verb: command === 'run' ? '' : `${command} ` });
