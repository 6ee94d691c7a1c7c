/**
 * The one table of options: command line, configuration, help, manual, completions and settings are made from it.
 *
 * An option that stands here is known everywhere; one that does not is an error that names the
 * nearest known one.  Names, meaning and defaults are a contract with the user: extend, don't change.
 *
 * A new option is its entry in one of the files that are joined here, and whoever uses it.  The entry is made by the function for
 * the way in which its value is written (entry.ts): `flag({…})`, `text({…})`, `list({…})`, `duration({…})`, `count({…}, most)`, `limit({…}, most)`, `choice({…}, ['a', 'b'])`; or `given({…})`,
 * `givenList({…})`, `networks({…})` for a text that another room reads, to which it then comes with its origin.  `default` is written
 * as a user would write it.  `onReload: true` says that the daemon takes a change on SIGHUP; without it the log says that it takes effect
 * at the next start.  The setting `camelCase` of that name is then in `Settings` of its commands, and of all that a
 * reload takes in `RuleOptions`, with the type that the entry reads (settings.ts).  Texts for the manual are in texts.ts, an example for
 * the configuration file too, where neither default nor words give one.
 */
import { CLIENT_OPTIONS } from './client-options.ts';
import { COMMAND_OPTIONS } from './command-options.ts';
import type { CommandName } from './commands.ts';
import type { OptionSpec } from './entry.ts';
import { FLEET_OPTIONS } from './fleet-options.ts';
import { MAP_OPTIONS } from './map-options.ts';
import { REPORT_OPTIONS } from './report-options.ts';
import { SOURCE_OPTIONS } from './source-options.ts';

export const OPTIONS = {
  ...SOURCE_OPTIONS,
  ...MAP_OPTIONS,
  ...CLIENT_OPTIONS,
  ...REPORT_OPTIONS,
  ...FLEET_OPTIONS,
  ...COMMAND_OPTIONS,
} satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof OPTIONS;

export const OPTION_NAMES = Object.keys(OPTIONS).filter(isOptionName);

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

/** The specification of an option, with the fields that not every one has. */
export const specOf = (name: OptionName): OptionSpec => OPTIONS[name];

/** `config` shows what `run` would do with the same command line. */
const isOf = (name: OptionName, command: CommandName): boolean => {
  const { commands } = specOf(name);
  return commands.includes(command) || (command === 'config' && commands.includes('run'));
};

/** The options of a command: those used often, then the others. */
export function optionsOf(command: CommandName): readonly OptionName[] {
  const own = OPTION_NAMES.filter(name => isOf(name, command));
  const isOften = (name: OptionName): boolean => specOf(name).often === true;
  return [...own.filter(isOften), ...own.filter(name => !isOften(name))];
}
