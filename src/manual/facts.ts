/**
 * What the manual states and no other table holds: files, signals, the meaning of exit statuses, and where to read on.
 */
import type { EXIT } from '../errors.ts';

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
    about: 'The map, which Postfix reads. Only the daemon writes it; any account may read it.',
  },
  {
    name: '/var/popbsmtp/pop-before-smtp.owner',
    about: 'Which daemon owns the map, and in which boot of the machine.',
  },
  {
    name: '/var/popbsmtp/pop-before-smtp.checkpoint',
    about: 'How far the logs have been read, for the next start.',
  },
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

/** By name of the status; the numbers are those of sysexits.h. */
export const STATUSES: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'All is well.',
  usage: 'The command line, or the value of an option, is wrong.',
  data: 'A file is not what it should be.',
  noInput: 'A log or a map is not there.',
  unavailable: 'A program that is needed is missing, or failed.',
  software: 'This installation is broken, or there is a bug in popbsmtp.',
  cannotCreate: 'A file cannot be made.',
  io: 'A file cannot be written.',
  temporary: 'Something else is using the map; try again.',
  noPermission: 'The account may not read or write a file.',
  config: 'The configuration, or a pattern, is wrong.',
};

export const SEE_ALSO: readonly (readonly [name: string, section: number])[] = [
  ['journalctl', 1],
  ['postconf', 1],
  ['postmap', 1],
  ['access', 5],
  ['lmdb_table', 5],
  ['popbsmtp.toml', 5],
  ['postconf', 5],
  ['popbsmtp', 8],
];
