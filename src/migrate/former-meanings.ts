/**
 * What each setting of the Perl pop-before-smtp means here: one table for its configuration file, one for its command line.
 *
 * Leaves to others: in which order they count (former-settings.ts).
 * Source: pop-before-smtp 1.20 to 1.42 (the program's GetOptions and defaults, and the shipped pop-before-smtp-conf.pl).
 */

/** The program's own defaults. */
export const DEFAULTS = {
  dbfile: '/etc/postfix/pop-before-smtp',
  dbvalue: 'ok',
  grace: 1800,
  watchlog: '/var/log/maillog',
} as const;

/** What popbsmtp has a setting for. */
export type Name = keyof typeof DEFAULTS | 'write' | 'reprocess';

export interface Meaning {
  /** What it sets; without, it is not carried over. */
  readonly sets?: Name;
  readonly takes: 'text' | 'number' | 'flag' | 'any';
  /** Why it is not carried over. */
  readonly remark?: string;
}

const FOLLOWED = 'not needed: a line is read when it is written';
const LOCKED = 'not needed: the map is always locked as Postfix locks it';
const DEBUG = 'not carried over: "popbsmtp run --debug --nowrite" shows every decision';
const PATTERN =
  'not carried over: most servers are known; "popbsmtp match" on the log shows whether yours is, and patterns/README.md how to add one';
const DATABASE =
  'not carried over: popbsmtp has a way of its own to write each type of map; see --map';

/** By the names of the configuration file. */
export const IN_FILE: Readonly<Record<string, Meaning>> = {
  dbfile: { sets: 'dbfile', takes: 'text' },
  dbvalue: { sets: 'dbvalue', takes: 'text' },
  grace: { sets: 'grace', takes: 'number' },
  'file_tail{name}': { sets: 'watchlog', takes: 'text' },
  write: { sets: 'write', takes: 'number' },
  reprocess: { sets: 'reprocess', takes: 'number' },
  debug: { takes: 'any', remark: DEBUG },
  flock: { takes: 'any', remark: LOCKED },
  logto: {
    takes: 'any',
    remark:
      'not carried over: the service logs to the journal ("journalctl -u popbsmtp"); --logto names a file that its account can write',
  },
  mynets: { takes: 'any', remark: 'not carried over: Postfix is asked; else see --mynetworks' },
  mynet_func: { takes: 'any', remark: 'not carried over: Postfix is asked; else see --mynetworks' },
  'ENV{PATH}': { takes: 'any', remark: 'not needed: Postfix is found where it is installed' },
  ...every(['maxinterval', 'interval', 'adjustafter', 'resetafter', 'tail', 'ignore_nonexistant'], {
    takes: 'any',
    remark: FOLLOWED,
  }),
  ...Object.fromEntries(
    [
      'pat',
      'pat2',
      'PID_pat',
      'IP_pat',
      'OK_pat',
      'END_pat',
      'FAIL_pat',
      'out_pat',
      'logtime_pat',
    ].map(name => [name, { takes: 'any', remark: PATTERN } as const]),
  ),
  ...Object.fromEntries(
    ['tie_func', 'sync_func', 'flock_func'].map(name => [
      name,
      { takes: 'any', remark: DATABASE } as const,
    ]),
  ),
  log_func: { takes: 'any', remark: 'not carried over: see --logto' },
};

function every(names: readonly string[], meaning: Meaning): Record<string, Meaning> {
  return Object.fromEntries(names.map(name => [`file_tail{${name}}`, meaning]));
}

/** By the names of the command line. */
export const ON_COMMAND_LINE: Readonly<Record<string, Meaning>> = {
  dbfile: { sets: 'dbfile', takes: 'text' },
  grace: { sets: 'grace', takes: 'number' },
  watchlog: { sets: 'watchlog', takes: 'text' },
  logfile: { sets: 'watchlog', takes: 'text' },
  write: { sets: 'write', takes: 'flag' },
  nowrite: { sets: 'write', takes: 'flag' },
  reprocess: { sets: 'reprocess', takes: 'flag' },
  debug: { takes: 'flag', remark: DEBUG },
  nodebug: { takes: 'flag' },
  flock: { takes: 'flag', remark: LOCKED },
  noflock: { takes: 'flag', remark: LOCKED },
  logto: { takes: 'text', remark: IN_FILE['logto']?.remark ?? '' },
  daemon: {
    takes: 'text',
    remark:
      'not needed: the service stays in the foreground; "popbsmtp --daemon=FILE" works as well',
  },
  config: { takes: 'text' },
};
