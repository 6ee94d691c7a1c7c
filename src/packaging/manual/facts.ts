/**
 * What the manual states and no other table holds: files, signals, the meaning of exit statuses, and where to read on.
 */
import type { ExitStatus } from '../../base/errors.ts';
import { BESIDE } from '../../state/beside.ts';

interface Fact {
  readonly name: string;
  readonly about: string;
}

export const CONFIG_FILE = '/etc/popbsmtp/popbsmtp.toml';

export const FILES: readonly Fact[] = [
  { name: CONFIG_FILE, about: 'The configuration, popbsmtp.toml(5).' },
  {
    name: '/etc/popbsmtp/patterns.d/*.toml',
    about: "The administrator's own patterns.",
  },
  {
    name: '/var/popbsmtp/pop-before-smtp.lmdb',
    about:
      'The map, which Postfix reads. Only the daemon writes it; who may read it is said by map-mode.',
  },
  ...Object.values(BESIDE).map(({ suffix, about }) => ({
    name: `/var/popbsmtp/pop-before-smtp${suffix}`,
    about,
  })),
];

export const SIGNALS: readonly Fact[] = [
  {
    name: 'SIGTERM',
    about:
      'Commit, note how far the logs have been read, and exit with 0. The rows stay; the next start goes on from them. A second one ends the process at once.',
  },
  { name: 'SIGINT', about: 'As SIGTERM.' },
  {
    name: 'SIGHUP',
    about:
      'Read configuration, patterns and mynetworks again, and reopen the log file. When any of it is wrong, that is logged and all stays as it was. What takes effect only at the next start is logged.',
  },
];

/** By their numbers, which are those of sysexits.h but for the checks. */
export const STATUSES: Readonly<Record<ExitStatus | 1, string>> = {
  0: 'All is well.',
  1: 'A check has found something wrong (patterns --test).',
  64: 'The command line, or the value of an option on it, is wrong.',
  65: 'A file is not what it should be.',
  66: 'A log or a map is not there.',
  69: 'A program that is needed is missing, or failed.',
  70: 'This installation is broken, or there is a bug in popbsmtp.',
  73: 'A file cannot be made.',
  74: 'A file cannot be written.',
  75: 'Something else is using the map; try again.',
  77: 'The account may not read or write a file.',
  78: 'The configuration, a value in it, or a pattern, is wrong.',
};

/** In mandoc's order: a hyphen, which is escaped, comes behind a dot. */
export const SEE_ALSO: readonly (readonly [name: string, section: number])[] = [
  ['journalctl', 1],
  ['postconf', 1],
  ['postmap', 1],
  ['access', 5],
  ['lmdb_table', 5],
  ['popbsmtp.toml', 5],
  ['popbsmtp-log', 5],
  ['postconf', 5],
  ['popbsmtp-fleet', 7],
  ['popbsmtp-migrate', 7],
  ['popbsmtp-mta', 7],
  ['popbsmtp', 8],
];
