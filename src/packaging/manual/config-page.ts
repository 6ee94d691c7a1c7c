/**
 * popbsmtp.toml(5), in mdoc(7), from its text and the table of options.
 */
import { type OptionName, specOf } from '../../options/options.ts';
import { sentence } from '../../options/running-text.ts';
import { OPTION_TEXTS } from '../../options/texts.ts';
import { TAKES } from '../../options/values.ts';
import { defaultEntry, exampleEntry, KEYS } from './config-entry.ts';
import { CONFIG_FILE } from './facts.ts';
import { type Edition, page, section, tagList } from './page.ts';
import { argument, escapeRoff, literal, prose } from './roff.ts';
import { nameSection, pageOf } from './written-page.ts';

/** What a file of an administrator may look like. */
const SHOWN = ['watchlog', 'grace', 'mynetworks'] as const satisfies readonly OptionName[];

const TEXT = pageOf('popbsmtp.toml');

export function configPage(edition: Edition): string {
  return page(TEXT.name, TEXT.section, edition, [
    nameSection(TEXT),
    TEXT.description,
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
