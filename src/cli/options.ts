/**
 * The one table of commands and options: command line, help and configuration are made from it.
 *
 * An option that stands here is known everywhere; one that does not is an error that names the
 * nearest known one.  Names, meaning and defaults are a contract with the user: extend, don't change.
 */

/**
 * How a value is written: `text`; `list`, given once for each entry; `networks`, entries between blanks or commas
 * in one text; `duration`; `count`; `flag`, which takes no value.
 */
export type OptionKind = 'text' | 'list' | 'networks' | 'duration' | 'count' | 'flag';

interface OptionSpec {
  readonly kind: OptionKind;
  /** Stands for the value in the help. */
  readonly value?: string;
  /** The value when it is not given. */
  readonly default?: string;
  /** What happens when it is not given, where that is not a value. */
  readonly otherwise?: string;
  readonly about: string;
  /** Another name, from an older program. */
  readonly alias?: string;
  readonly commands: readonly CommandName[];
  /** Whether the configuration file may have it as a key. */
  readonly inFile: boolean;
}

interface CommandSpec {
  readonly about: string;
  /** What stands behind the command: log files; log lines, of which there may be none; an address, or any number. */
  readonly operands?: 'files' | 'lines' | 'address' | 'addresses';
}

export type CommandName =
  | 'run'
  | 'match'
  | 'replay'
  | 'list'
  | 'status'
  | 'allow'
  | 'revoke'
  | 'purge'
  | 'patterns'
  | 'explain'
  | 'demo';

export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = {
  run: { about: 'the daemon (also what a bare call does)' },
  match: { about: 'show the logins and logouts that log files tell of', operands: 'files' },
  replay: {
    about: 'run finished log files through the whole daemon, on their own clock',
    operands: 'files',
  },
  list: { about: 'show the rows of the map, and what the daemon knows of them' },
  status: { about: 'show what the running daemon is doing' },
  allow: { about: 'let an address relay for a while, by hand', operands: 'address' },
  revoke: {
    about: 'end grants at once, and refuse new ones for a while',
    operands: 'addresses',
  },
  purge: { about: 'end what is due when no daemon runs; for stop hooks and timers' },
  patterns: { about: 'list the servers and patterns that are known' },
  explain: { about: 'tell why log lines are, or are not, logins', operands: 'lines' },
  demo: { about: 'show the whole thing working on this machine, without root or set-up' },
};

export const OPTIONS = {
  config: {
    kind: 'text',
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
      'purge',
      'patterns',
      'explain',
    ],
    inFile: false,
  },
  watchlog: {
    kind: 'list',
    value: 'FILE',
    otherwise: 'the first that exists of the usual mail logs, else the journal',
    about:
      'log of the POP3/IMAP server; may be given more than once; - is standard input, journal the systemd journal',
    commands: ['run'],
    inFile: true,
  },
  'journal-trust': {
    kind: 'text',
    value: 'WHOM',
    default: 'declared',
    about:
      "which entries of the journal count: declared, those that fit the patterns; any, also a local user's",
    commands: ['run'],
    inFile: true,
  },
  map: {
    kind: 'text',
    value: 'TYPE:PATH',
    default: 'lmdb:/var/popbsmtp/pop-before-smtp',
    about: 'the map, exactly as main.cf names it after check_client_access',
    alias: 'dbfile',
    commands: ['run', 'replay', 'list', 'status', 'allow', 'revoke', 'purge'],
    inFile: true,
  },
  grace: {
    kind: 'duration',
    value: 'DURATION',
    default: '15m',
    about: 'how long a grant lasts after the last login: 900, 90s, 15m, 2h',
    commands: ['run', 'replay', 'list', 'allow', 'revoke', 'purge', 'explain'],
    inFile: true,
  },
  'max-grants': {
    kind: 'count',
    value: 'NUMBER',
    default: '100000',
    about: 'the most grants at once; beyond it those that would end first end before their time',
    commands: ['run', 'replay'],
    inFile: true,
  },
  'session-limit': {
    kind: 'duration',
    value: 'DURATION',
    default: '1d',
    about: 'how long an open session (IMAP IDLE) keeps its grant at most; none: it keeps nothing',
    commands: ['run', 'replay'],
    inFile: true,
  },
  mynetworks: {
    kind: 'networks',
    value: 'LIST',
    otherwise: 'ask postconf',
    about: "networks that may relay anyway, in Postfix's own grammar; none for an empty list",
    commands: ['run', 'replay', 'allow', 'explain'],
    inFile: true,
  },
  'postfix-config': {
    kind: 'text',
    value: 'DIR',
    otherwise: "Postfix's own default",
    about: 'configuration directory of Postfix, for postconf and postmap',
    commands: ['run', 'replay', 'allow', 'explain'],
    inFile: true,
  },
  exclude: {
    kind: 'networks',
    value: 'LIST',
    default: '127.0.0.0/8 ::1 0.0.0.0/8 :: 169.254.0.0/16 fe80::/10 224.0.0.0/4 ff00::/8',
    about: 'networks that never get a grant; replaces the default; none for an empty list',
    commands: ['run', 'replay', 'allow', 'explain'],
    inFile: true,
  },
  debug: {
    kind: 'flag',
    about: 'stay in the foreground and print every decision on standard output',
    commands: ['run', 'replay'],
    inFile: true,
  },
  logto: {
    kind: 'text',
    value: 'FILE',
    otherwise: 'standard output',
    about: 'where to log; reopened on SIGHUP',
    commands: ['run', 'replay'],
    inFile: true,
  },
  nowrite: {
    kind: 'flag',
    about: 'dry run: do everything but write the map',
    commands: ['run', 'replay'],
    inFile: true,
  },
  daemon: {
    kind: 'text',
    value: 'PIDFILE',
    about: 'the historical way: go to the background and write the pid there',
    commands: ['run'],
    inFile: true,
  },
  patterns: {
    kind: 'text',
    value: 'DIR',
    otherwise: '/etc/popbsmtp/patterns.d if present',
    about: "the administrator's own patterns, added to the shipped ones",
    commands: ['run', 'match', 'replay', 'patterns', 'explain'],
    inFile: true,
  },
  reprocess: {
    kind: 'flag',
    about: 'read the log from its start, then follow it',
    commands: ['run'],
    inFile: true,
  },
  'metrics-file': {
    kind: 'text',
    value: 'FILE',
    otherwise: 'not written',
    about:
      'metrics for the textfile collector of node_exporter, whose directory takes names in .prom',
    commands: ['run'],
    inFile: true,
  },
  'metrics-listen': {
    kind: 'text',
    value: 'ADDRESS:PORT',
    otherwise: 'not served',
    about:
      'serve metrics to Prometheus at http://ADDRESS:PORT/metrics; a loopback address, such as 127.0.0.1:9117',
    commands: ['run'],
    inFile: true,
  },
  for: {
    kind: 'duration',
    value: 'DURATION',
    default: '1h',
    about: 'how long the address is allowed, or addresses and users are refused',
    commands: ['allow', 'revoke'],
    inFile: false,
  },
  user: {
    kind: 'text',
    value: 'NAME',
    about:
      'the grants of this user, as the server logs the name; upper and lower case are the same',
    commands: ['list', 'revoke'],
    inFile: false,
  },
  orders: {
    kind: 'flag',
    about: 'show what was ordered by allow and revoke, instead of the rows',
    commands: ['list'],
    inFile: false,
  },
  watch: {
    kind: 'flag',
    about: 'draw it anew every second, until interrupted',
    commands: ['status'],
    inFile: false,
  },
  prometheus: {
    kind: 'flag',
    about: 'print the metrics as Prometheus reads them',
    commands: ['status'],
    inFile: false,
  },
  test: {
    kind: 'flag',
    about: 'run the samples of all patterns; tell those that fail',
    commands: ['patterns'],
    inFile: false,
  },
  count: {
    kind: 'flag',
    about: 'print only the summary',
    commands: ['match'],
    inFile: false,
  },
  json: {
    kind: 'flag',
    about: 'print JSON, for programs',
    commands: ['match', 'replay', 'list', 'status', 'patterns', 'explain'],
    inFile: false,
  },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof OPTIONS;

export const OPTION_NAMES = Object.keys(OPTIONS).filter(isOptionName);

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

/** The specification of an option, with the fields that not every one has. */
export const specOf = (name: OptionName): OptionSpec => OPTIONS[name];

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}
