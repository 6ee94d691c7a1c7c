/**
 * Settings: what was typed and configured, read as the entries of the table read it, with no field left open.
 *
 * Promises: the names and types of the fields come from the table alone; an option that a command does not have is no setting of it,
 * which the compiler sees.
 * Leaves to others: what is made of several options, by the rooms whose grammar or sense it is (daemon/settings.ts).
 */

import type { CommandName } from './commands.ts';
import { OPTION_NAMES, type OPTIONS, type OptionName, optionsOf, specOf } from './options.ts';
import type { Values } from './values.ts';

type Table = typeof OPTIONS;

/** `graceFor` for `grace-for`. */
type Camel<T extends string> = T extends `${infer Head}-${infer Rest}`
  ? `${Head}${Capitalize<Camel<Rest>>}`
  : T;

type SettingsOf<N extends OptionName> = {
  readonly [K in N as Camel<K>]: ReturnType<Table[K]['read']>;
};

type NamesOf<C extends CommandName> = {
  [N in OptionName]: C extends Table[N]['commands'][number] ? N : never;
}[OptionName];

type OnReload = {
  [N in OptionName]: Table[N] extends { readonly onReload: true } ? N : never;
}[OptionName];

/** The settings of a command. */
export type Settings<C extends CommandName> = SettingsOf<NamesOf<C>>;

/** The settings that a reload takes. */
export type RuleOptions = SettingsOf<OnReload>;

/** @throws Failure of any value that is wrong */
export const settingsOf = <C extends CommandName>(values: Values, command: C): Settings<C> =>
  read<NamesOf<C>>(values, optionsOf(command));

/** Some settings, whatever the others are like. @throws Failure of any of theirs that is wrong */
export const someOf = <const N extends OptionName>(
  values: Values,
  ...names: readonly N[]
): SettingsOf<N> => read<N>(values, names);

/** @throws Failure of any value that is wrong */
export const ruleOptionsOf = (values: Values): RuleOptions =>
  read<OnReload>(
    values,
    OPTION_NAMES.filter(name => specOf(name).onReload === true),
  );

function read<N extends OptionName>(values: Values, names: readonly OptionName[]): SettingsOf<N> {
  const fields = names.map(name => [camel(name), specOf(name).read(values.given(name))]);
  // The names are those that N stands for, and each value is what the entry of its name reads: the compiler cannot follow a loop there.
  return Object.fromEntries(fields) as SettingsOf<N>;
}

const camel = (name: string): string =>
  name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/**
 * The options of the daemon that say something else now, and that a reload does not take.
 *
 * @throws Failure of any value that is wrong
 */
export function changesForNextStart(old: Values, now: Values): OptionName[] {
  const fixed = optionsOf('run').filter(name => specOf(name).onReload !== true);
  return fixed.filter(name => saysOtherwise(name, old, now));
}

/** Whether an option has another value. @throws Failure of a value that is wrong */
export function saysOtherwise(name: OptionName, old: Values, now: Values): boolean {
  const said = (values: Values): string =>
    JSON.stringify(specOf(name).read(values.given(name)), withoutOrigin);
  return said(old) !== said(now);
}

/** The same value in another place is the same. */
const withoutOrigin = (key: string, value: unknown): unknown =>
  key === 'origin' ? undefined : value;
