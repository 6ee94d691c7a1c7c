/**
 * A configuration file with every key commented out, to be installed and edited.
 *
 * Promises: taking the `#` from every line that begins with `#` and no blank gives the defaults; what has no value as
 * its default is shown as an example in a comment.
 */
import { type OptionName, specOf } from '../../options/options.ts';
import { sentence, wrap } from '../../options/running-text.ts';
import { OPTION_TEXTS } from '../../options/texts.ts';
import { defaultEntry, exampleEntry, KEYS } from './config-entry.ts';
import { CONFIG_FILE } from './facts.ts';

const WIDTH = 78;

export function sampleConfig(): string {
  return [
    comment(
      `${CONFIG_FILE}: the configuration of popbsmtp, see popbsmtp.toml(5). The keys are the names of the options of popbsmtp(8), and the command line wins. Without a change, everything here is the default.`,
    ),
    ...KEYS.map(keyText),
  ].join('\n');
}

function keyText(name: OptionName): string {
  const { about, otherwise } = specOf(name);
  const detail = OPTION_TEXTS[name]?.detail;
  const preset = defaultEntry(name);
  return [
    comment(`${sentence(about)} ${detail ?? ''}`.trim()),
    otherwise === undefined ? '' : comment(`Default: ${otherwise}.`),
    preset === null ? `# Example: ${exampleEntry(name)}\n` : `#${preset}\n`,
  ].join('');
}

const comment = (text: string): string => `# ${wrap(text, WIDTH).replaceAll('\n', '\n# ')}\n`;
