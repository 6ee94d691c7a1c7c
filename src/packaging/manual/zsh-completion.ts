/**
 * Completion for zsh, by its function `_arguments` (zshcompsys(1)).
 */

import { COMMAND_NAMES, type CommandName, commandOf, operandsOf } from '../../options/commands.ts';
import { GENERAL_OPTIONS } from '../../options/help.ts';
import { optionsOf } from '../../options/options.ts';
import {
  COMPLETIONS,
  type Completion,
  completionOf,
  MADE_BY,
  quoted,
  type ValueCompletion,
} from './completion.ts';

export function zshCompletion(): string {
  return `${[
    '#compdef popbsmtp pop-before-smtp',
    MADE_BY,
    '',
    ...commandsFunction(),
    ...COMPLETIONS.flatMap(valueFunction),
    '_popbsmtp() {',
    '  local word command=run',
    '  local -a general',
    '  general=(',
    ...GENERAL_OPTIONS.map(({ name, short, about }) =>
      short === null
        ? `    ${quoted(`(- *)--${name}[${inBrackets(about)}]`)}`
        : `    ${quoted('(- *)')}{-${short},--${name}}${quoted(`[${inBrackets(about)}]`)}`,
    ),
    '  )',
    `  for word in \${words[2,CURRENT-1]}; do`,
    `    case $word in (${COMMAND_NAMES.join('|')}) command=$word; break ;; esac`,
    '  done',
    '  case $command in',
    ...COMMAND_NAMES.flatMap(commandCase),
    '  esac',
    '}',
    '',
    '_popbsmtp "$@"',
  ].join('\n')}\n`;
}

const commandsFunction = (): string[] => [
  '_popbsmtp_commands() {',
  '  local -a commands',
  '  commands=(',
  ...COMMAND_NAMES.map(
    name => `    ${quoted(`${name}:${commandOf(name).about.replaceAll(':', '\\:')}`)}`,
  ),
  '  )',
  '  _describe command commands',
  '}',
  '',
];

/** Completes the value of an option, where one word of `_arguments` cannot say how. */
function valueFunction({ name, value }: Completion): string[] {
  if (value === null || !needsFunction(value)) return [];
  return [`${functionOf(name)}() {`, ...valueLines(value).map(line => `  ${line}`), '}', ''];
}

function valueLines({ words, leads, path }: ValueCompletion): string[] {
  if (leads.length === 0) {
    return [
      `_alternative ${quoted(`words:value:(${words.join(' ')})`)} ${quoted(`paths:path:${pathAction(path)}`)}`,
    ];
  }
  return [
    ...leads.map(lead => `if compset -P ${quoted(lead)}; then ${pathAction(path)}; return; fi`),
    `compadd -S '' -- ${leads.join(' ')}`,
  ];
}

const needsFunction = ({ words, leads, path }: ValueCompletion): boolean =>
  leads.length > 0 || (words.length > 0 && path !== null);

const functionOf = (option: string): string => `_popbsmtp_${option.replaceAll('-', '_')}`;

const pathAction = (path: ValueCompletion['path']): string =>
  path === 'directory' ? '_files -/' : '_files';

function commandCase(name: CommandName): string[] {
  const operands = operandsOf(name);
  const specs = [
    ...optionsOf(name).map(option => optionSpec(completionOf(option))),
    quoted('1: :_popbsmtp_commands'),
    ...(operands === null
      ? []
      : [
          quoted(
            `*:${operands.name}:${operands.path === undefined ? ' ' : pathAction(operands.path)}`,
          ),
        ]),
  ];
  return [
    `    ${name}) _arguments -S : \\`,
    ...specs.map(spec => `      ${spec} \\`),
    '      $general ;;',
  ];
}

function optionSpec({ name, names, about, value, repeats }: Completion): string {
  const [only] = names.length === 1 ? names : [];
  const explained = `[${inBrackets(about)}]${value === null ? '' : valueSpec(name, value)}`;
  const sign = value === null ? '' : '=';
  if (only !== undefined) return quoted(`${repeats ? '*' : ''}--${only}${sign}${explained}`);
  const flags = names.map(known => `--${known}`);
  const before = repeats ? '*' : `(${flags.join(' ')})`;
  return `${quoted(before)}{${flags.map(known => known + sign).join(',')}}${quoted(explained)}`;
}

function valueSpec(name: string, value: ValueCompletion): string {
  const { words, path } = value;
  const known = words.length === 0 ? ' ' : `(${words.join(' ')})`;
  const direct = path === null ? known : pathAction(path);
  const title = value.name.replaceAll(':', '\\:');
  return `:${title}:${needsFunction(value) ? functionOf(name) : direct}`;
}

const inBrackets = (text: string): string => text.replace(/[[\]\\]/g, '\\$&');
