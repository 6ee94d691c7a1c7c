/** What is read: the configuration, the logs, the patterns, and logins that come without a log.  How an entry is written: options.ts. */
import { choice, flag, givenList, list, text } from './entry.ts';

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
      'migrate',
    ],
    inFile: false,
  }),
  watchlog: list({
    often: true,
    path: 'file',
    words: ['journal', '-'],
    value: 'FILE',
    otherwise:
      'the first that exists of the usual mail logs; the journal if there is none, or only the journal has the latest logins',
    alias: 'logfile',
    about:
      'log of the POP3/IMAP server; may be given more than once; - is standard input, journal the systemd journal',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'journal-trust': choice(
    {
      value: 'WHOM',
      default: 'declared',
      about:
        "which entries of the journal count: declared, those that fit the patterns; any, also a local user's",
      commands: ['run', 'doctor'],
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
  'login-socket-group': text({
    value: 'GROUP',
    otherwise: 'no such socket',
    about:
      'the group that may tell of logins and logouts, by a second socket beside the map that takes nothing else',
    commands: ['run'],
    inFile: true,
  }),
  reprocess: flag({
    about: 'read the log from its start, then follow it',
    commands: ['run'],
    inFile: true,
  }),
};
