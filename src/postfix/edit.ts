/**
 * Changes of main.cf and master.cf as `postconf` makes them: for an administrator to paste, and for programs.
 *
 * Promises: what is pasted does the same as what a program is given; names and values are quoted for a shell.
 * Known limit: `postconf -P` takes no blanks (seen with Postfix 3.7), so a value of master.cf is written with commas alone; one
 * with blanks inside braces cannot be told that way, and postconf refuses it.
 */
import { words } from './words.ts';

export interface Edit {
  readonly file: 'main.cf' | 'master.cf';
  /** Of master.cf: `service/type/parameter`. */
  readonly name: string;
  readonly value: string;
}

/** For a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Of postfix and postconf, with its blank. @param config the directory of main.cf, or null for Postfix's default */
const directoryOption = (config: string | null): string =>
  config === null ? '' : ` -c ${quoted(config)}`;

/** The value as postconf takes it for this file. */
const valueFor = ({ file, value }: Edit): string =>
  file === 'main.cf' ? value : words(value).join(',');

/** Whether postconf takes it. */
export const canBeTold = (edit: Edit): boolean =>
  edit.file === 'main.cf' || !/\s/.test(valueFor(edit));

/** As an administrator types it. @param config the directory of main.cf, or null for Postfix's default */
export function commandOf(edit: Edit, config: string | null): string {
  const assignment =
    edit.file === 'main.cf'
      ? `-e ${quoted(`${edit.name} = ${valueFor(edit)}`)}`
      : `-P ${quoted(`${edit.name}=${valueFor(edit)}`)}`;
  return `postconf${directoryOption(config)} ${assignment}`;
}

/** What lets Postfix read it. */
export const reloadOf = (config: string | null): string =>
  `postfix${directoryOption(config)} reload`;

/** All of it as one line for a shell, up to the reload. */
export const commandLine = (edits: readonly Edit[], config: string | null): string =>
  [...edits.map(edit => commandOf(edit, config)), reloadOf(config)].join(' && ');

/** As programs are given it. */
export const argumentsOf = (file: Edit['file'], edits: readonly Edit[]): string[] => [
  file === 'main.cf' ? '-e' : '-P',
  ...edits.filter(edit => edit.file === file).map(edit => `${edit.name}=${valueFor(edit)}`),
];
