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
  /** The texts that it may be, where it is no other. */
  readonly choices?: readonly string[];
  readonly about: string;
  /** Another name, from an older program. */
  readonly alias?: string;
  /** The words that it may take, or that mean something of their own among its values. */
  readonly words?: readonly string[];
  /** What its value is the path of, or begins to be behind one of its words. */
  readonly path?: 'file' | 'directory';
  /** Used often, so listed first. */
  readonly often?: true;
  readonly commands: readonly CommandName[];
  /** Whether the configuration file may have it as a key. */
  readonly inFile: boolean;
}

interface CommandSpec {
  readonly about: string;
  /** What stands behind the command. */
  readonly operands?: keyof typeof OPERANDS;
}

/** What may stand behind a command and how many: `<one>`, `<one..>` or more, `[any..]`. */
export const OPERANDS = {
  files: { name: 'file', words: '<file..>', about: 'log files; - is standard input', path: 'file' },
  lines: { name: 'line', words: '[line..]', about: 'log lines; - or none is standard input' },
  address: { name: 'address', words: '<address>', about: 'an IPv4 or IPv6 address' },
  addresses: { name: 'address', words: '[address..]', about: 'IPv4 or IPv6 addresses' },
} as const satisfies Record<string, OperandSpec>;

interface OperandSpec {
  readonly name: string;
  readonly words: string;
  readonly about: string;
  /** They are paths of such. */
  readonly path?: 'file' | 'directory';
}

export type CommandName =
  | 'run'
  | 'match'
  | 'replay'
  | 'list'
  | 'status'
  | 'allow'
  | 'revoke'
  | 'lift'
  | 'purge'
  | 'patterns'
  | 'explain'
  | 'doctor'
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
  lift: { about: 'take back what allow and revoke have ordered', operands: 'addresses' },
  purge: { about: 'end what is due when no daemon runs; for stop hooks and timers' },
  patterns: { about: 'list the servers and patterns that are known' },
  explain: { about: 'tell why log lines are, or are not, logins', operands: 'lines' },
  doctor: { about: 'check the whole chain from the log to Postfix, and say what to mend' },
  demo: { about: 'show the whole thing working on this machine, without root or set-up' },
};

export const OPTIONS = {
  config: {
    kind: 'text',
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
      'purge',
      'patterns',
      'explain',
      'doctor',
    ],
    inFile: false,
  },
  watchlog: {
    kind: 'list',
    often: true,
    path: 'file',
    words: ['journal', '-'],
    value: 'FILE',
    otherwise: 'the first that exists of the usual mail logs, else the journal',
    about:
      'log of the POP3/IMAP server; may be given more than once; - is standard input, journal the systemd journal',
    commands: ['run', 'doctor'],
    inFile: true,
  },
  'journal-trust': {
    kind: 'text',
    value: 'WHOM',
    default: 'declared',
    choices: ['declared', 'any'],
    about:
      "which entries of the journal count: declared, those that fit the patterns; any, also a local user's",
    commands: ['run', 'doctor'],
    inFile: true,
  },
  map: {
    kind: 'list',
    often: true,
    path: 'file',
    words: ['lmdb:', 'hash:', 'btree:', 'cdb:', 'texthash:', 'cidr:'],
    value: 'TYPE:PATH',
    default: 'lmdb:/var/popbsmtp/pop-before-smtp',
    about:
      'the map, exactly as main.cf names it after check_client_access; given again, a further map that is kept equal to the first',
    alias: 'dbfile',
    commands: [
      'run',
      'replay',
      'list',
      'status',
      'allow',
      'revoke',
      'lift',
      'purge',
      'explain',
      'doctor',
    ],
    inFile: true,
  },
  grace: {
    kind: 'duration',
    often: true,
    value: 'DURATION',
    default: '15m',
    about: 'how long a grant lasts after the last login: 900, 90s, 15m, 2h',
    commands: ['run', 'replay', 'list', 'allow', 'revoke', 'lift', 'purge', 'explain', 'doctor'],
    inFile: true,
  },
  'grace-for': {
    kind: 'list',
    value: 'NETWORK=DURATION',
    about:
      'another grace period for a network, such as 192.0.2.0/24=2h; may be given more than once; the longest prefix counts',
    commands: ['run', 'replay', 'list', 'allow', 'revoke', 'lift', 'purge', 'explain', 'doctor'],
    inFile: true,
  },
  'max-grants': {
    kind: 'count',
    value: 'NUMBER',
    default: '100000',
    about:
      'the most grants at once; beyond it those of whoever has most end before their time, a user or a /64 of IPv6',
    commands: ['run', 'replay'],
    inFile: true,
  },
  'session-limit': {
    kind: 'duration',
    words: ['none'],
    value: 'DURATION',
    default: '1d',
    about: 'how long an open session (IMAP IDLE) keeps its grant at most; none: it keeps nothing',
    commands: ['run', 'replay'],
    inFile: true,
  },
  mynetworks: {
    kind: 'networks',
    often: true,
    words: ['none'],
    value: 'LIST',
    otherwise: 'ask postconf',
    about: "networks that may relay anyway, in Postfix's own grammar; none for an empty list",
    commands: ['run', 'replay', 'allow', 'explain', 'doctor'],
    inFile: true,
  },
  'postfix-config': {
    kind: 'text',
    path: 'directory',
    value: 'DIR',
    otherwise: "Postfix's own default",
    about: 'configuration directory of Postfix, for postconf and postmap',
    commands: [
      'run',
      'replay',
      'list',
      'status',
      'allow',
      'revoke',
      'lift',
      'purge',
      'explain',
      'doctor',
    ],
    inFile: true,
  },
  exclude: {
    kind: 'networks',
    words: ['none'],
    value: 'LIST',
    default: '127.0.0.0/8 ::1 0.0.0.0/8 :: 169.254.0.0/16 fe80::/10 224.0.0.0/4 ff00::/8',
    about: 'networks that never get a grant; replaces the default; none for an empty list',
    commands: ['run', 'replay', 'allow', 'explain', 'doctor'],
    inFile: true,
  },
  'require-tls': {
    kind: 'flag',
    about: 'only logins over an encrypted connection count; the server has to log it',
    commands: ['run', 'replay', 'explain'],
    inFile: true,
  },
  'allow-users': {
    kind: 'list',
    value: 'USER',
    otherwise: 'everybody',
    about:
      'who may get a grant, and nobody else: a name as the log has it, or *@example.org; may be given more than once',
    commands: ['run', 'replay', 'explain'],
    inFile: true,
  },
  'deny-users': {
    kind: 'list',
    value: 'USER',
    otherwise: 'nobody',
    about: 'who may not get a grant, written as for --allow-users; may be given more than once',
    commands: ['run', 'replay', 'explain'],
    inFile: true,
  },
  'max-users-per-address': {
    kind: 'count',
    value: 'NUMBER',
    default: 'none',
    about:
      'the most users that may log in from one address, or one /64 of IPv6, within the grace period',
    commands: ['run', 'replay', 'explain'],
    inFile: true,
  },
  'max-addresses-per-user': {
    kind: 'count',
    value: 'NUMBER',
    default: 'none',
    about:
      'the most addresses that one user may log in from within the grace period; a /64 of IPv6 is one',
    commands: ['run', 'replay', 'explain'],
    inFile: true,
  },
  'limit-action': {
    kind: 'text',
    value: 'ACTION',
    default: 'warn',
    choices: ['warn', 'refuse'],
    about:
      'what becomes of a login over such a limit: warn, told in the log; refuse, and no grant stays',
    commands: ['run', 'replay', 'explain'],
    inFile: true,
  },
  debug: {
    kind: 'flag',
    often: true,
    about: 'stay in the foreground and print every decision on standard output',
    commands: ['run', 'replay'],
    inFile: true,
  },
  logto: {
    kind: 'text',
    path: 'file',
    value: 'FILE',
    otherwise: 'standard output',
    about: 'where to log; reopened on SIGHUP',
    commands: ['run', 'replay'],
    inFile: true,
  },
  'log-format': {
    kind: 'text',
    value: 'FORMAT',
    default: 'text',
    choices: ['text', 'json'],
    about: 'how to log: text, or json, one object a line',
    commands: ['run', 'replay'],
    inFile: true,
  },
  'log-users': {
    kind: 'text',
    value: 'HOW',
    default: 'plain',
    choices: ['plain', 'hashed', 'none'],
    about:
      'how user names are logged: plain; hashed, with a key that is kept beside the map; or none',
    commands: ['run', 'replay'],
    inFile: true,
  },
  nowrite: {
    kind: 'flag',
    often: true,
    about: 'dry run: do everything but write the map',
    commands: ['run', 'replay'],
    inFile: true,
  },
  daemon: {
    kind: 'text',
    path: 'file',
    value: 'PIDFILE',
    about: 'the historical way: go to the background and write the pid there',
    commands: ['run'],
    inFile: true,
  },
  patterns: {
    kind: 'text',
    path: 'directory',
    value: 'DIR',
    otherwise: '/etc/popbsmtp/patterns.d if present',
    about: "the administrator's own patterns, added to the shipped ones",
    commands: ['run', 'match', 'replay', 'patterns', 'explain', 'doctor'],
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
    path: 'file',
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
  fleet: {
    kind: 'text',
    value: 'URL',
    otherwise: 'this host is alone',
    about:
      'share grants with other hosts through a Redis or Valkey: redis://host:6379/0, with TLS rediss://',
    commands: ['run', 'doctor'],
    inFile: true,
  },
  'fleet-role': {
    kind: 'text',
    value: 'ROLE',
    default: 'both',
    choices: ['publish', 'subscribe', 'both'],
    about: 'publish what this host grants, subscribe to what others do, or both',
    commands: ['run', 'doctor'],
    inFile: true,
  },
  'fleet-user': {
    kind: 'text',
    value: 'NAME',
    otherwise: 'the default user',
    about: 'the account at the Redis or Valkey',
    commands: ['run', 'doctor'],
    inFile: true,
  },
  'fleet-password-file': {
    kind: 'text',
    path: 'file',
    value: 'FILE',
    otherwise: 'no password',
    about: 'file whose first line is the password of that account',
    commands: ['run', 'doctor'],
    inFile: true,
  },
  'fleet-ca': {
    kind: 'text',
    path: 'file',
    value: 'FILE',
    otherwise: 'the authorities that Node knows',
    about: 'who may vouch for the server with TLS, as certificates in PEM',
    commands: ['run', 'doctor'],
    inFile: true,
  },
  'fleet-prefix': {
    kind: 'text',
    value: 'PREFIX',
    default: 'popbsmtp',
    about: 'what the keys of the streams begin with: PREFIX:grants, PREFIX:orders',
    commands: ['run', 'doctor'],
    inFile: true,
  },
  'fleet-name': {
    kind: 'text',
    value: 'NAME',
    otherwise: "the machine's",
    about: 'what this host is called by the others',
    commands: ['run', 'doctor'],
    inFile: true,
  },
  for: {
    kind: 'duration',
    often: true,
    value: 'DURATION',
    default: '1h',
    about: 'how long the address is allowed, or addresses and users are refused',
    commands: ['allow', 'revoke'],
    inFile: false,
  },
  user: {
    kind: 'text',
    often: true,
    value: 'NAME',
    about:
      'the grants of this user, as the server logs the name; upper and lower case are the same',
    commands: ['list', 'revoke', 'lift'],
    inFile: false,
  },
  orders: {
    kind: 'flag',
    often: true,
    about: 'show what was ordered by allow and revoke, instead of the rows',
    commands: ['list'],
    inFile: false,
  },
  watch: {
    kind: 'flag',
    often: true,
    about: 'draw it anew every second, until interrupted',
    commands: ['status'],
    inFile: false,
  },
  prometheus: {
    kind: 'flag',
    often: true,
    about: 'print the metrics as Prometheus reads them',
    commands: ['status'],
    inFile: false,
  },
  test: {
    kind: 'flag',
    often: true,
    about: 'run the samples of all patterns; tell those that fail',
    commands: ['patterns'],
    inFile: false,
  },
  count: {
    kind: 'flag',
    often: true,
    about: 'print only the summary',
    commands: ['match'],
    inFile: false,
  },
  smtp: {
    kind: 'text',
    often: true,
    value: 'HOST:PORT',
    otherwise: 'what master.cf says, port 25 first',
    about: 'where the relay test asks Postfix',
    commands: ['doctor'],
    inFile: false,
  },
  'no-smtp': {
    kind: 'flag',
    often: true,
    about: 'leave the relay test out',
    commands: ['doctor'],
    inFile: false,
  },
  json: {
    kind: 'flag',
    often: true,
    about: 'print JSON, for programs',
    commands: ['match', 'replay', 'list', 'status', 'patterns', 'explain', 'doctor'],
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

/** The options of a command: those used often, then the others. */
export function optionsOf(command: CommandName): readonly OptionName[] {
  const own = OPTION_NAMES.filter(name => specOf(name).commands.includes(command));
  const isOften = (name: OptionName): boolean => specOf(name).often === true;
  return [...own.filter(isOften), ...own.filter(name => !isOften(name))];
}

export const COMMAND_NAMES = Object.keys(COMMANDS).filter(isCommandName);

/** The specification of a command, with the fields that not every one has. */
export const commandOf = (name: CommandName): CommandSpec => COMMANDS[name];

/** What stands behind a command, with the fields that not every one has; null when nothing does. */
export function operandsOf(command: CommandName): OperandSpec | null {
  const { operands } = commandOf(command);
  return operands === undefined ? null : OPERANDS[operands];
}

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}
