/**
 * The command line, from the table of options, by yargs.
 *
 * Promises: parsing has no side effect but the printing of `--help` and `--version`; whatever is wrong is a
 * Failure USAGE of one line (yargs would print its whole help).  A bare call with options is `run`.
 */
import yargs, { type Argv } from 'yargs';
import { failure } from '../errors.ts';
import { nearest } from './nearest.ts';
import {
  COMMANDS,
  type CommandName,
  isCommandName,
  isOptionName,
  OPTION_NAMES,
  type OptionName,
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

/** What may stand behind a command, as yargs and its help call it. */
const OPERANDS = {
  files: { name: 'file', words: '<file..>', about: 'log files; - is standard input' },
  lines: { name: 'line', words: '[line..]', about: 'log lines; - or none is standard input' },
  address: { name: 'address', words: '<address>', about: 'an IPv4 or IPv6 address' },
  addresses: { name: 'address', words: '[address..]', about: 'IPv4 or IPv6 addresses' },
} as const;

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
  const argv = await parser.parseAsync();
  if (problem !== null) throw usage(explain(problem, command, args), command);
  if (argv['help'] === true || argv['version'] === true) {
    return { command: null, operands: [], values: new Values(new Map()) };
  }
  const found = argv['file'] ?? argv['line'] ?? argv['address'] ?? [];
  const operands = Array.isArray(found) ? found.map(show) : [show(found)];
  return { command, operands, values: valuesOf(argv, command) };
}

function build(
  args: readonly string[],
  version: string,
  chosen: (name: CommandName) => void,
): Argv {
  const parser = yargs(args.map(hide))
    .scriptName('popbsmtp')
    .usage('POP before SMTP for Postfix: a POP3/IMAP login lets that address relay for a while')
    .parserConfiguration(SETTINGS)
    .exitProcess(false)
    .strict()
    .showHelpOnFail(false)
    .version(version)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(100, process.stdout.columns ?? 100));
  for (const name of Object.keys(COMMANDS).filter(isCommandName)) {
    const { about, operands } = COMMANDS[name];
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
  const { operands } = COMMANDS[name];
  if (operands !== undefined) {
    const { name: positional, about } = OPERANDS[operands];
    command.positional(positional, {
      type: 'string',
      array: operands !== 'address',
      describe: about,
    });
  }
  for (const option of OPTION_NAMES) {
    const spec = specOf(option);
    if (!spec.commands.includes(name)) continue;
    const preset = spec.default ?? spec.otherwise;
    command.option(option, {
      type: spec.kind === 'flag' ? 'boolean' : 'string',
      array: spec.kind === 'list',
      requiresArg: spec.kind !== 'flag',
      describe: spec.value === undefined ? spec.about : `${spec.value}: ${spec.about}`,
      ...(preset === undefined ? {} : { defaultDescription: preset }),
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
    return `unknown command or argument "${first}" (the nearest command is ${nearest(first, Object.keys(COMMANDS))})`;
  }
  const known = OPTION_NAMES.filter(name => specOf(name).commands.includes(command));
  return `unknown option --${first} (the nearest is --${nearest(first, known)})`;
}

const usage = (problem: string, command: CommandName): Error =>
  failure('USAGE', { problem, verb: command === 'run' ? '' : `${command} ` });
