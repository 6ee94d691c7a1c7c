/**
 * The one table of commands, and of what may stand behind each.
 */

interface CommandSpec {
  readonly about: string;
  /** What stands behind the command. */
  readonly operands?: keyof typeof OPERANDS;
}

/** What may stand behind a command and how many: `<one>`, `<one..>` or more, `[any..]`. */
export const OPERANDS = {
  anyFiles: { name: 'file', words: '[file..]', about: 'finished logs, for --import', path: 'file' },
  whom: {
    name: 'address|user',
    words: '<address|user>',
    about: 'an address, or a user as the server logs the name',
  },
  files: {
    name: 'file',
    words: '<file..>',
    about: 'log files, packed or not; - is standard input, journal the systemd journal',
    path: 'file',
  },
  checked: {
    name: 'file',
    words: '[file]',
    about: 'with --check, the configuration file',
    path: 'file',
  },
  lines: { name: 'line', words: '[line..]', about: 'log lines; - or none is standard input' },
  allowed: { name: 'address', words: '<address..>', about: 'IPv4 or IPv6 addresses' },
  addresses: { name: 'address', words: '[address..]', about: 'IPv4 or IPv6 addresses' },
  networks: {
    name: 'network',
    words: '[network..]',
    about: 'addresses, or networks such as 192.0.2.0/24; none for all',
  },
  command: { name: 'command', words: '[command]', about: 'the name of a command' },
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
  | 'login'
  | 'logout'
  | 'purge'
  | 'patterns'
  | 'config'
  | 'help'
  | 'explain'
  | 'doctor'
  | 'history'
  | 'why'
  | 'report'
  | 'migrate'
  | 'demo';

export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = {
  run: { about: 'the daemon (also what a bare call does)' },
  match: { about: 'show the logins and logouts in log files', operands: 'files' },
  replay: {
    about: 'run finished log files through the whole daemon, on their own clock',
    operands: 'files',
  },
  list: {
    about: 'show the rows of the map, and what the daemon knows of them',
    operands: 'networks',
  },
  status: { about: 'show what the running daemon is doing' },
  allow: { about: 'let addresses relay for a while, by hand', operands: 'allowed' },
  revoke: {
    about: 'end grants at once, and refuse new ones for a while',
    operands: 'addresses',
  },
  lift: { about: 'take back what allow and revoke have ordered', operands: 'addresses' },
  login: { about: 'tell the daemon of a login that no log tells of' },
  logout: { about: 'tell the daemon that the session of such a login is over' },
  purge: { about: 'end what is due when no daemon runs; for stop hooks and timers' },
  patterns: { about: 'list the servers and patterns that are known' },
  explain: { about: 'say why log lines are, or are not, logins', operands: 'lines' },
  config: {
    about: 'show every setting and where it comes from, or check a file',
    operands: 'checked',
  },
  doctor: { about: 'check the whole chain from the log to Postfix, and say what to fix' },
  history: {
    about: 'show who logged in, had a grant and relayed with it',
    operands: 'anyFiles',
  },
  why: {
    about: 'say why an address or a user could, or could not, relay at a time',
    operands: 'whom',
  },
  report: { about: 'sum up who used the relay, and who still needs it' },
  migrate: { about: 'show what it takes to come from the Perl pop-before-smtp, or do it' },
  demo: { about: 'show the whole thing working on this machine, without root or set-up' },
  help: { about: 'show this help, or that of a command', operands: 'command' },
};

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
