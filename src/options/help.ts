/**
 * What `--help` prints, made from the table of options: of the program, and of each command.
 *
 * Pure: the width is a parameter.  No line is longer than that, but for a word that is.
 */
import { COMMAND_NAMES, type CommandName, commandOf, operandsOf } from './commands.ts';
import { type OptionName, optionsOf, specOf } from './options.ts';
import { sentence, wrap } from './running-text.ts';
import { COMMAND_TEXTS, type Example } from './texts.ts';

/** Known to every command. */
export const GENERAL_OPTIONS = [
  { name: 'help', short: 'h', about: 'show this help' },
  { name: 'version', short: null, about: 'show the version' },
] as const;

/** What the program is for. */
export const PURPOSE =
  'POP before SMTP for Postfix: a POP3/IMAP login lets that address relay for a while.';

/** Beyond this, lines are hard to read, and a pipe has no width at all. */
const MOST_COLUMNS = 80;
const FEWEST_COLUMNS = 40;
/** Where the texts begin; a longer term has a line to itself. */
const TEXT_COLUMN = 26;

interface Item {
  readonly term: string;
  /** Each begins a line of its own. */
  readonly texts: readonly string[];
}

/**
 * @param command null for the program itself
 * @param columns of the terminal; undefined when there is none, 0 when it does not tell
 */
export function helpText(command: CommandName | null, columns: number | undefined): string {
  const known = columns === undefined || columns === 0 ? MOST_COLUMNS : columns;
  const width = Math.max(FEWEST_COLUMNS, Math.min(known, MOST_COLUMNS)) - 1;
  const blocks = command === null ? programHelp(width) : commandHelp(command, width);
  return `${blocks.join('\n\n')}\n`;
}

function programHelp(width: number): string[] {
  return [
    'Usage: popbsmtp [COMMAND] [OPTION...]',
    wrap(PURPOSE, width),
    section(
      'Commands:',
      COMMAND_NAMES.map(name => ({ term: usageOf(name), texts: [commandOf(name).about] })),
      width,
    ),
    generalOptions(width),
    examples(
      [
        ...COMMAND_TEXTS.demo.examples,
        ...COMMAND_TEXTS.match.examples.slice(0, 1),
        ...COMMAND_TEXTS.run.examples.slice(0, 1),
      ],
      width,
    ),
    wrap(
      '"popbsmtp COMMAND --help" lists the options of a command; those of "run" may also stand without it. The manual is popbsmtp(8), that of the configuration file popbsmtp.toml(5).',
      width,
    ),
  ];
}

function commandHelp(command: CommandName, width: number): string[] {
  const operands = operandsOf(command);
  const { detail, examples: own } = COMMAND_TEXTS[command];
  const options = optionsOf(command).map(optionItem);
  const { about } = commandOf(command);
  return [
    `Usage: popbsmtp ${usageOf(command)}${options.length === 0 ? '' : ' [OPTION...]'}`,
    wrap(`${sentence(about)} ${detail}`, width),
    ...(operands === null
      ? []
      : [section('Operands:', [{ term: operandName(command), texts: [operands.about] }], width)]),
    ...(options.length === 0 ? [] : [section('Options:', options, width)]),
    generalOptions(width),
    examples(own, width),
  ];
}

/** A command with what stands behind it, such as `match FILE...`; the one that may be left out in brackets. */
export function usageOf(command: CommandName): string {
  const name = command === 'run' ? '[run]' : command;
  const operands = operandsOf(command);
  if (operands === null) return name;
  const { words } = operands;
  return `${name} ${words.startsWith('[') ? `[${operandName(command)}]` : operandName(command)}`;
}

/** `FILE...` for `<file..>`. */
const operandName = (command: CommandName): string =>
  (operandsOf(command)?.words ?? '')
    .replace(/[<>[\]]/g, '')
    .replace('..', '...')
    .toUpperCase();

function optionItem(name: OptionName): Item {
  const { value, about, alias, default: preset, otherwise } = specOf(name);
  const fallback = preset ?? otherwise;
  return {
    term: value === undefined ? `--${name}` : `--${name} ${value}`,
    texts: [
      about,
      ...(alias === undefined ? [] : [`also --${alias}`]),
      ...(fallback === undefined ? [] : [`default: ${fallback}`]),
    ],
  };
}

const generalOptions = (width: number): string =>
  section(
    'General options:',
    GENERAL_OPTIONS.map(({ name, short, about }) => ({
      term: short === null ? `--${name}` : `-${short}, --${name}`,
      texts: [about],
    })),
    width,
  );

function section(title: string, items: readonly Item[], width: number): string {
  return [title, ...items.map(item => itemText(item, width))].join('\n');
}

function itemText({ term, texts }: Item, width: number): string {
  const column = Math.min(TEXT_COLUMN, Math.floor(width / 2));
  const indent = ' '.repeat(column);
  const lines = texts.flatMap(text => wrap(text, width - column).split('\n'));
  const head = `  ${term}`;
  const separate = head.length + 2 > column;
  const first = separate ? `${head}\n${indent}` : head.padEnd(column);
  return first + lines.join(`\n${indent}`);
}

/** Commands are never wrapped: they are there to be copied. */
function examples(all: readonly Example[], width: number): string {
  const lines = all.map(({ args, does }) => {
    const says = wrap(does, width - 4).replaceAll('\n', '\n    ');
    return `  popbsmtp ${args}\n    ${says}`;
  });
  return [all.length === 1 ? 'Example:' : 'Examples:', ...lines].join('\n');
}
