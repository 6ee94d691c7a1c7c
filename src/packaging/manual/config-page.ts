/**
 * popbsmtp.toml(5), in mdoc(7), from the table of options.
 */
import { type OptionName, specOf } from '../../options/options.ts';
import { sentence } from '../../options/running-text.ts';
import { OPTION_TEXTS } from '../../options/texts.ts';
import { TAKES } from '../../options/values.ts';
import { defaultEntry, exampleEntry, KEYS } from './config-entry.ts';
import { CONFIG_FILE } from './facts.ts';
import { type Edition, page, section, tagList } from './page.ts';
import { argument, escapeRoff, literal, prose } from './roff.ts';

/** What a file of an administrator may look like. */
const SHOWN = ['watchlog', 'grace', 'mynetworks'] as const satisfies readonly OptionName[];

export function configPage(edition: Edition): string {
  return page('popbsmtp.toml', 5, edition, [
    ['.Sh NAME', '.Nm popbsmtp.toml', '.Nd configuration of popbsmtp'],
    section('DESCRIPTION', [
      ...prose(
        'The file is TOML. Its keys are the names of the options of popbsmtp(8), and an underscore may stand for a hyphen. What the command line says wins over the file. Commands take from it the keys that they have as options.',
      ),
      '.Pp',
      ...prose(
        'A key that is not known, or a value of the wrong sort, is an error that names the file, the line and the key; no part of a file is used when another part is wrong. ' +
          'The daemon reads it at its start, and again on SIGHUP; a change that takes effect only at the next start is logged then.',
      ),
    ]),
    section('KEYS', tagList(KEYS.map(keyEntry))),
    section(
      'FILES',
      tagList([
        [
          `.It Pa ${argument(CONFIG_FILE)}`,
          ...prose('Read when --config names no other, and when it is there.'),
        ],
      ]),
    ),
    section('EXAMPLES', literal(SHOWN.map(exampleEntry))),
  ]);
}

function keyEntry(name: OptionName): string[] {
  const { kind, about, otherwise } = specOf(name);
  const preset = defaultEntry(name);
  const example = exampleEntry(name);
  return [
    `.It Sy ${escapeRoff(name)}`,
    ...prose(sentence(about)),
    ...prose(OPTION_TEXTS[name]?.detail ?? ''),
    ...prose(sentence(TAKES[kind])),
    ...(otherwise === undefined ? [] : prose(`(Default: ${otherwise}).`)),
    ...(preset === null ? [] : ['Default:', ...literal([preset])]),
    ...(example === preset
      ? []
      : [...(preset === null ? [] : ['.Pp']), 'Example:', ...literal([example])]),
  ];
}
