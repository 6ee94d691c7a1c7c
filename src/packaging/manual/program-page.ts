/**
 * popbsmtp(8), in mdoc(7), from its text and the tables of options, errors and facts.
 */

import { CATALOGUE, EXIT, OF_ORIGIN } from '../../base/errors.ts';
import { COMMAND_NAMES, type CommandName, commandOf, operandsOf } from '../../options/commands.ts';
import { GENERAL_OPTIONS, usageOf } from '../../options/help.ts';
import { OPTION_NAMES, type OptionName, optionsOf, specOf } from '../../options/options.ts';
import { sentence } from '../../options/running-text.ts';
import { COMMAND_TEXTS, OPTION_TEXTS } from '../../options/texts.ts';
import { FILES, SIGNALS, STATUSES } from './facts.ts';
import { type Edition, page, section, tagList } from './page.ts';
import { argument, escapeRoff, literal, prose, textLine } from './roff.ts';
import { nameSection, pageOf } from './written-page.ts';

const TEXT = pageOf('popbsmtp');

export function programPage(edition: Edition): string {
  return page(TEXT.name, TEXT.section, edition, [
    nameSection(TEXT, 'pop-before-smtp'),
    section('SYNOPSIS', COMMAND_NAMES.flatMap(synopsis)),
    TEXT.description,
    section('COMMANDS', tagList(COMMAND_NAMES.map(commandEntry))),
    section('OPTIONS', [
      ...prose(
        'Each is for the commands that are named behind it. Those with a key may also stand in the configuration file; the command line wins.',
      ),
      ...tagList([...OPTION_NAMES.map(optionEntry), ...generalEntries()]),
    ]),
    TEXT.others,
    section(
      'FILES',
      tagList(FILES.map(({ name, about }) => [`.It Pa ${argument(name)}`, ...prose(about)])),
    ),
    section(
      'SIGNALS',
      tagList(SIGNALS.map(({ name, about }) => [`.It Dv ${argument(name)}`, ...prose(about)])),
    ),
    section('EXIT STATUS', [
      ...prose('The statuses from 64 on are those of sysexits.h.'),
      ...tagList(statusEntries()),
    ]),
    section('EXAMPLES', exampleLines()),
    section('DIAGNOSTICS', [
      ...prose(
        'Every error is one line: what is wrong and where, then what to do. Here with the exit status of each.',
      ),
      ...tagList(Object.values(CATALOGUE).map(diagnosticEntry)),
    ]),
  ]);
}

function synopsis(name: CommandName): string[] {
  const operands = usageOf(name).split(' ').slice(1).join(' ');
  const options = optionsOf(name).length === 0 ? [] : ['.Op Ar option ...'];
  return [
    '.Nm',
    name === 'run' ? `.Op Cm ${name}` : `.Cm ${name}`,
    ...options,
    ...(operands === '' ? [] : [`.Ar ${argument(operands)}`]),
  ];
}

function commandEntry(name: CommandName): string[] {
  const operands = operandsOf(name);
  const options = optionsOf(name);
  return [
    `.It Cm ${argument(usageOf(name))}`,
    ...prose(sentence(commandOf(name).about)),
    ...prose(COMMAND_TEXTS[name].detail),
    ...(operands === null ? [] : prose(`Operands: ${operands.about}.`)),
    ...(options.length === 0 ? [] : ['.Pp', 'Options:', ...flagList(options)]),
  ];
}

/** `.Fl Fl a ,` … `.Fl Fl b .` */
const flagList = (options: readonly OptionName[]): string[] =>
  options.map(
    (option, index) => `.Fl Fl ${escapeRoff(option)} ${index === options.length - 1 ? '.' : ','}`,
  );

function optionEntry(name: OptionName): string[] {
  const { value, alias, about, inFile, commands, default: preset, otherwise } = specOf(name);
  const behind = value === undefined ? '' : ` Ar ${argument(value)}`;
  const fallback = preset ?? otherwise;
  return [
    `.It Fl Fl ${escapeRoff(name)}${behind}`,
    ...prose(sentence(about)),
    ...prose(OPTION_TEXTS[name]?.detail ?? ''),
    ...(fallback === undefined ? [] : prose(`(Default: ${fallback}).`)),
    ...(alias === undefined ? [] : prose(`Another name of it is --${alias}.`)),
    ...prose(`For ${commands.join(', ')}${inFile ? `; key ${name}` : ''}.`),
  ];
}

const generalEntries = (): string[][] =>
  GENERAL_OPTIONS.map(({ name, short, about }) => [
    `.It ${short === null ? '' : `Fl ${short} , `}Fl Fl ${name}`,
    ...prose(sentence(about)),
    ...prose('For every command.'),
  ]);

const statusEntries = (): string[][] =>
  Object.entries(STATUSES).map(([status, about]) => [`.It ${status}`, ...prose(about)]);

const exampleLines = (): string[] =>
  COMMAND_NAMES.flatMap(name => COMMAND_TEXTS[name].examples).flatMap(({ args, does }, index) => [
    index === 0 ? '' : '.Pp',
    ...prose(`${sentence(does).slice(0, -1)}:`),
    ...literal([`popbsmtp ${args}`]),
  ]);

const BY_ORIGIN = `${EXIT.usage} on the command line, ${EXIT.config} in a file`;

function diagnosticEntry({
  exit,
  text,
  hint,
}: (typeof CATALOGUE)[keyof typeof CATALOGUE]): string[] {
  return [
    `.It "\\&${withParameters(text)}"`,
    textLine(withParameters(sentence(hint))),
    `.Pq exit status ${exit === OF_ORIGIN ? BY_ORIGIN : exit}`,
  ];
}

/** Parameters stand in italics; the verb is the one that brings its blank with it. */
const withParameters = (template: string): string =>
  escapeRoff(template.replace('{verb}', '{verb} ')).replace(/\{(\w+)\}/g, '\\fI$1\\fP');
