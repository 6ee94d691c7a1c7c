/**
 * An option as a line of the configuration file: with its default, or as an example.
 */
import { stringify } from 'smol-toml';
import { OPTION_NAMES, type OptionName, specOf } from '../../options/options.ts';
import { OPTION_TEXTS } from '../../options/texts.ts';

/** The options that may be keys of the file. */
export const KEYS: readonly OptionName[] = OPTION_NAMES.filter(name => specOf(name).inFile);

/** The line that says what holds without it; null when no value does. */
export function defaultEntry(name: OptionName): string | null {
  const { kind, default: preset } = specOf(name);
  if (kind === 'flag') return entry(name, false);
  return preset === undefined ? null : entry(name, tomlValue(name, preset));
}

/** A line that changes something, where the table knows one. */
export function exampleEntry(name: OptionName): string {
  const { kind, value = '', default: preset, choices, words = choices ?? [] } = specOf(name);
  if (kind === 'flag') return entry(name, true);
  const other = words.find(word => word !== preset) ?? preset ?? value;
  return entry(name, OPTION_TEXTS[name]?.example ?? tomlValue(name, other));
}

function tomlValue(name: OptionName, text: string): string | number | string[] {
  switch (specOf(name).kind) {
    case 'count':
      return /^\d+$/.test(text) ? Number(text) : text;
    case 'list':
    case 'networks':
      return text.split(/[\s,]+/);
    case 'duration':
    case 'flag':
    case 'text':
      return text;
  }
}

const entry = (name: OptionName, value: unknown): string => stringify({ [name]: value }).trim();
