/** What is read: the configuration, the logs, the patterns, and logins that come without a log.  How an entry is written: options.ts. */
import { parseMatch } from '../source/journal-match.ts';
import { journalStore } from '../source/journal-store.ts';
import { choice, flag, given, givenList, list, listOf, text } from './entry.ts';

export const SOURCE_OPTIONS = {
  config: text({
    path: 'file',
    value: 'FILE',
    otherwise: '/etc/popbsmtp/popbsmtp.toml if present',
    about: 'configuration file (TOML); its keys are the names of these options',
    commands: [
      'run',
      'match',
      'replay',
      'list',
      'status',
      'allow',
      'revoke',
      'lift',
      'login',
      'logout',
      'purge',
      'patterns',
      'explain',
      'doctor',
      'history',
      'why',
      'report',
      'migrate',
    ],
    inFile: false,
  }),
  watchlog: listOf(
    {
      often: true,
      path: 'file',
      words: ['journal', 'journal:namespace=', 'journal:machine=', '-'],
      value: 'FILE',
      otherwise:
        'the first that exists of the usual mail logs; the journal if there is none, or only the journal has the latest logins',
      alias: 'logfile',
      about:
        'log of the POP3/IMAP server, also with wildcards in quotes; may be given more than once; - is standard input, journal the systemd journal (journal:/DIRECTORY, journal:namespace=NAME, journal:machine=NAME for another)',
      commands: ['run', 'doctor'],
      inFile: true,
    },
    (name, origin) => {
      journalStore(name, origin);
      return name;
    },
  ),
  'journal-match': listOf(
    {
      value: 'FIELD=VALUE',
      otherwise: "the entries under the servers' own tags",
      about:
        'the entries of the journal that are read, as CONTAINER_NAME=mail; several fields with blanks between them must all fit; may be given more than once for further entries',
      commands: ['run', 'match', 'replay', 'doctor'],
      inFile: true,
    },
    parseMatch,
  ),
  'watchlog-olddir': list({
    path: 'directory',
    value: 'DIR',
    otherwise: 'the directory of the log alone',
    about:
      "directory that the logs are rotated to, as logrotate's olddir names it; may be given more than once",
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'watchlog-zone': given({
    value: 'ZONE',
    otherwise: "this machine's",
    about: 'time zone of stamps in the log that do not tell theirs, as Europe/Berlin or +02:00',
    commands: ['run', 'match', 'replay', 'explain', 'doctor'],
    inFile: true,
  }),
  'journal-trust': choice(
    {
      value: 'WHOM',
      default: 'declared',
      about:
        "which entries of the journal count: declared, those that fit the patterns; any, also a local user's",
      commands: ['run', 'match', 'replay', 'doctor'],
      inFile: true,
    },
    ['declared', 'any'],
  ),
  patterns: text({
    path: 'directory',
    value: 'DIR',
    otherwise: '/etc/popbsmtp/patterns.d if present',
    about: "the administrator's own patterns, added to the shipped ones",
    commands: ['run', 'match', 'replay', 'patterns', 'explain', 'doctor'],
    inFile: true,
    onReload: true,
  }),
  'dovecot-elements': givenList({
    value: 'ELEMENTS',
    otherwise: 'what doveconf says on this host, and the default order',
    about:
      "Dovecot's login_log_format_elements, where it is not the default: a text as there; may be given more than once",
    commands: ['run', 'match', 'replay', 'explain', 'doctor'],
    inFile: true,
    onReload: true,
  }),
  'trusted-relays': givenList({
    value: 'HOST',
    otherwise: 'none',
    about:
      'relay of syslog that may put a header of its own before a line, by the name that stands there; may be given more than once',
    commands: ['run', 'match', 'replay', 'explain', 'doctor'],
    inFile: true,
    onReload: true,
  }),
  'login-socket-group': text({
    value: 'GROUP',
    otherwise: 'no such socket',
    about:
      'the group that may tell of logins and logouts, by a second socket beside the map that takes nothing else',
    commands: ['run'],
    inFile: true,
  }),
  'syslog-names': list({
    value: 'NAME',
    otherwise: 'postfix, and what master.cf usually has',
    about:
      'further names that Postfix logs under (syslog_name, multi_instance_name), for the journal; files tell them by themselves',
    commands: ['run'],
    inFile: true,
  }),
  reprocess: flag({
    about: 'read the log from its start, then follow it',
    commands: ['run'],
    inFile: true,
  }),
};
