/**
 * The files of the Perl pop-before-smtp: where they are, and what they say together.
 *
 * Promises: nothing of them is run; a file that may say something as well, and is not read, is a remark.
 */
import { readFileSync, statSync } from 'node:fs';
import { failure, reasonOf } from '../base/errors.ts';
import { configOf, FormerReading, type Remark } from './former-settings.ts';
import { readPerl } from './perl-reader.ts';
import { type PathKind, readStarts } from './shell-reader.ts';
import type { CommandLine } from './start-line.ts';

const FORMER_PROGRAM = 'pop-before-smtp';

/** Where the program and its packages look for the configuration. */
export const CONFIGURATIONS = [
  '/etc/pop-before-smtp-conf.pl',
  '/etc/pop-before-smtp.conf',
  '/usr/local/etc/pop-before-smtp-conf.pl',
  '/usr/pkg/etc/pop-before-smtp-conf.pl',
];

/** What starts it: its own scripts, and those of packages. */
const START_SCRIPTS = [
  '/etc/init.d/pop-before-smtp',
  '/etc/init.d/pop-before.smtp',
  '/etc/rc.d/init.d/pop-before-smtp',
  '/etc/systemd/system/pop-before-smtp.service',
  '/usr/lib/systemd/system/pop-before-smtp.service',
];

export function kindOf(path: string): PathKind {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return 'directory';
  return found?.isFile() === true ? 'file' : null;
}

const isFile = (path: string): boolean => kindOf(path) === 'file';

interface FormerFiles {
  readonly read: readonly string[];
  readonly reading: FormerReading;
  /** The start script names a configuration, and which one cannot be read off it. */
  readonly unnamed: Remark | null;
}

/**
 * The start script may name the configuration, and what it says besides counts more.
 *
 * @param named.perlConfig the configuration, and `initScript` the start script; null for the places above
 * @throws Failure MIGRATE_UNREADABLE
 */
export function readFormer({
  perlConfig,
  initScript,
}: {
  readonly perlConfig: string | null;
  readonly initScript: string | null;
}): FormerFiles {
  const reading = new FormerReading();
  const scripts = initScript === null ? START_SCRIPTS.filter(isFile) : [initScript];
  const [script = null] = scripts;
  const starts = script === null ? [] : readStarts(textOf(script), FORMER_PROGRAM, kindOf);
  const [start] = starts;
  const named = perlConfig ?? (start && configOf(start));
  const files = named === undefined ? CONFIGURATIONS.filter(isFile) : [named];
  const [file = null] = files;
  if (file !== null) reading.addFile(file, readPerl(textOf(file)));
  if (script !== null) addStarts(reading, script, starts);
  reading.remarks.push(...unread([...files.slice(1), ...scripts.slice(1)], script, start));
  return {
    read: [file, script].filter(path => path !== null),
    reading,
    unnamed: named === null && start !== undefined ? unnamedIn(`${script}:${start.line}`) : null,
  };
}

const unnamedIn = (where: string): Remark => ({
  where,
  text: 'which configuration it names cannot be read; give it with --perl-config FILE',
});

/** What may say something as well. */
function* unread(
  others: readonly (string | null)[],
  script: string | null,
  start: CommandLine | undefined,
): Generator<Remark> {
  for (const where of others)
    if (where !== null) yield { where, text: 'is there as well, and was not read' };
  if (script === null)
    yield {
      where: FORMER_PROGRAM,
      text: 'what starts it was not found, nor the options that it is started with: see --init-script',
    };
  else if (start === undefined)
    yield {
      where: script,
      text: `does not start ${FORMER_PROGRAM} in a way that is understood: the options that it is started with are not known`,
    };
  const additions = `${script}.d`;
  if (script !== null && kindOf(additions) === 'directory')
    yield { where: additions, text: 'was not read: what it changes in the unit is not known' };
}

function addStarts(reading: FormerReading, script: string, starts: readonly CommandLine[]): void {
  const [first, ...others] = starts;
  if (first !== undefined) reading.addCommandLine(script, first);
  for (const { line } of others)
    reading.remarks.push({
      where: `${script}:${line}`,
      text: 'starts it once more; only the first start was looked at',
    });
}

/** @throws Failure MIGRATE_UNREADABLE */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw failure('MIGRATE_UNREADABLE', { file: path, reason: reasonOf(error) }, error);
  }
}
