/**
 * The one table of options: command line, configuration, help, manual, completions and settings are made from it.
 *
 * An option that stands here is known everywhere; one that does not is an error that names the
 * nearest known one.  Names, meaning and defaults are a contract with the user: extend, don't change.
 *
 * A new option is its entry here, and whoever uses it.  The entry is made by the function for the way in which its value is written
 * (entry.ts): `flag({…})`, `text({…})`, `list({…})`, `duration({…})`, `count({…}, most)`, `limit({…}, most)`, `choice({…}, ['a', 'b'])`; or `given({…})`,
 * `givenList({…})`, `networks({…})` for a text that another room reads, to which it then comes with its origin.  `default` is written
 * as a user would write it.  `onReload: true` says that the daemon takes a change on SIGHUP; without it the log says that it takes effect
 * at the next start.  The setting `camelCase` of that name is then in `Settings` of its commands, and of all that a
 * reload takes in `RuleOptions`, with the type that the entry reads (settings.ts).  Texts for the manual are in texts.ts, an example for
 * the configuration file too, where neither default nor words give one.
 */
import { MAP_WORDS } from '../map/map-types.ts';
import type { CommandName } from './commands.ts';
import {
  choice,
  count,
  duration,
  durationOrNone,
  flag,
  given,
  givenList,
  limit,
  list,
  networks,
  type OptionSpec,
  text,
} from './entry.ts';

/** Beyond what any memory holds. */
const MOST_GRANTS = 999_999_999;

/** So that one address cannot take all the room that is kept for pairs of an address and a user (grant/limits.ts). */
const HIGHEST_LIMIT = 1000;

export const OPTIONS = {
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
  map: givenList({
    often: true,
    path: 'file',
    words: MAP_WORDS,
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
      'login',
      'logout',
      'purge',
      'explain',
      'doctor',
    ],
    inFile: true,
  }),
  'map-mode': choice(
    {
      value: 'MODE',
      default: '0600',
      about:
        'who may read the map: its account only, which is enough for smtpd; its group; or everybody, as proxy: in main.cf needs',
      commands: ['run', 'replay', 'allow', 'revoke', 'lift', 'purge', 'doctor'],
      inFile: true,
    },
    ['0600', '0640', '0644'],
  ),
  grace: duration({
    often: true,
    value: 'DURATION',
    default: '15m',
    about: 'how long a grant lasts after the last login: 900, 90s, 15m, 2h',
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
    onReload: true,
  }),
  'grace-for': givenList({
    value: 'NETWORK=DURATION',
    about:
      'another grace period for a network, such as 192.0.2.0/24=2h; may be given more than once; the longest prefix counts',
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
    onReload: true,
  }),
  'max-grants': count(
    {
      value: 'NUMBER',
      default: '100000',
      about:
        'the most grants at once; beyond it those of whoever has most end before their time, a user or a /64 of IPv6',
      commands: ['run', 'replay'],
      inFile: true,
    },
    MOST_GRANTS,
  ),
  'session-limit': durationOrNone({
    value: 'DURATION',
    default: '1d',
    about: 'how long an open session (IMAP IDLE) keeps its grant at most; none: it keeps nothing',
    commands: ['run', 'replay'],
    inFile: true,
  }),
  mynetworks: networks({
    often: true,
    words: ['none'],
    value: 'LIST',
    otherwise: 'ask postconf',
    about: "networks that may relay anyway, in Postfix's own grammar; none for an empty list",
    commands: ['run', 'replay', 'allow', 'explain', 'doctor'],
    inFile: true,
    onReload: true,
  }),
  'postfix-config': text({
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
      'login',
      'logout',
      'purge',
      'explain',
      'doctor',
    ],
    inFile: true,
    onReload: true,
  }),
  exclude: networks({
    words: ['none'],
    value: 'LIST',
    default: '127.0.0.0/8 ::1 0.0.0.0/8 :: 169.254.0.0/16 fe80::/10 224.0.0.0/4 ff00::/8',
    about: 'networks that never get a grant; replaces the default; none for an empty list',
    commands: ['run', 'replay', 'allow', 'purge', 'explain', 'doctor'],
    inFile: true,
    onReload: true,
  }),
  'whole-addresses': flag({
    about:
      'main.cf wraps the map so that Postfix looks up whole addresses only: every IPv6 address may have a row',
    commands: ['run', 'replay', 'allow', 'explain', 'purge', 'doctor'],
    inFile: true,
    onReload: true,
  }),
  'allow-own-addresses': flag({
    about:
      "let this machine's own addresses and its default gateways have grants; all clients behind a proxy may have one in common",
    commands: ['run', 'allow', 'explain', 'purge', 'doctor'],
    inFile: true,
    onReload: true,
  }),
  'require-tls': flag({
    about: 'only logins over an encrypted connection count; the server has to log it',
    commands: ['run', 'replay', 'explain'],
    inFile: true,
    onReload: true,
  }),
  'allow-users': givenList({
    value: 'USER',
    otherwise: 'everybody',
    about:
      'who may get a grant, and nobody else: a name as the log has it, or *@example.org; may be given more than once',
    commands: ['run', 'replay', 'explain'],
    inFile: true,
    onReload: true,
  }),
  'deny-users': givenList({
    value: 'USER',
    otherwise: 'nobody',
    about: 'who may not get a grant, written as for --allow-users; may be given more than once',
    commands: ['run', 'replay', 'explain'],
    inFile: true,
    onReload: true,
  }),
  'max-users-per-address': limit(
    {
      words: ['none'],
      value: 'NUMBER',
      otherwise: '10, of which more are only warned of',
      about:
        'the most users that may log in from one address, or one /64 of IPv6, within the grace period, or none',
      commands: ['run', 'replay', 'explain'],
      inFile: true,
      onReload: true,
    },
    HIGHEST_LIMIT,
  ),
  'max-addresses-per-user': limit(
    {
      words: ['none'],
      value: 'NUMBER',
      default: 'none',
      about:
        'the most addresses that one user may log in from within the grace period; a /64 of IPv6 is one',
      commands: ['run', 'replay', 'explain'],
      inFile: true,
      onReload: true,
    },
    HIGHEST_LIMIT,
  ),
  'limit-action': choice(
    {
      value: 'ACTION',
      default: 'warn',
      about:
        'what becomes of a login over such a limit: warn, in the log only; refuse, and no grant stays',
      commands: ['run', 'replay', 'explain'],
      inFile: true,
      onReload: true,
    },
    ['warn', 'refuse'],
  ),
  debug: flag({
    often: true,
    about: 'stay in the foreground and print every decision on standard output',
    commands: ['run', 'replay'],
    inFile: true,
  }),
  logto: text({
    path: 'file',
    value: 'FILE',
    otherwise: 'standard output',
    about: 'where to log; reopened on SIGHUP',
    commands: ['run', 'replay'],
    inFile: true,
  }),
  'log-format': choice(
    {
      value: 'FORMAT',
      default: 'text',
      about: 'how to log: text, or json, one object a line',
      commands: ['run', 'replay'],
      inFile: true,
    },
    ['text', 'json'],
  ),
  'log-users': choice(
    {
      value: 'HOW',
      default: 'plain',
      about:
        'how user names are logged: plain; hashed, with a key that is kept beside the map; or none',
      commands: ['run', 'replay'],
      inFile: true,
    },
    ['plain', 'hashed', 'none'],
  ),
  nowrite: flag({
    often: true,
    about: 'dry run: do everything but write the map',
    commands: ['run', 'replay'],
    inFile: true,
  }),
  daemon: text({
    path: 'file',
    value: 'PIDFILE',
    about: 'the historical way: go to the background and write the pid there',
    commands: ['run'],
    inFile: true,
  }),
  patterns: text({
    path: 'directory',
    value: 'DIR',
    otherwise: '/etc/popbsmtp/patterns.d if present',
    about: "the administrator's own patterns, added to the shipped ones",
    commands: ['run', 'match', 'replay', 'patterns', 'explain', 'doctor'],
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
  'dovecot-elements': givenList({
    value: 'ELEMENTS',
    otherwise: 'what doveconf says on this host, and the default order',
    about:
      "Dovecot's login_log_format_elements, where it is not the default: a text as there; may be given more than once",
    commands: ['run', 'match', 'replay', 'explain', 'doctor'],
    inFile: true,
    onReload: true,
  }),
  reprocess: flag({
    about: 'read the log from its start, then follow it',
    commands: ['run'],
    inFile: true,
  }),
  'metrics-file': text({
    path: 'file',
    value: 'FILE',
    otherwise: 'not written',
    about:
      'metrics for the textfile collector of node_exporter, whose directory takes names in .prom',
    commands: ['run'],
    inFile: true,
  }),
  'metrics-listen': given({
    value: 'ADDRESS:PORT',
    otherwise: 'not served',
    about:
      'serve metrics to Prometheus at http://ADDRESS:PORT/metrics; a loopback address, such as 127.0.0.1:9117',
    commands: ['run'],
    inFile: true,
  }),
  fleet: given({
    value: 'URL',
    otherwise: 'this host is alone',
    about:
      'share grants with other hosts through a Redis or Valkey: redis://host:6379/0, with TLS rediss://',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'fleet-role': choice(
    {
      value: 'ROLE',
      default: 'both',
      about: 'publish what this host grants, subscribe to what others do, or both',
      commands: ['run', 'doctor'],
      inFile: true,
    },
    ['publish', 'subscribe', 'both'],
  ),
  'fleet-user': text({
    value: 'NAME',
    otherwise: 'the default user',
    about: 'the account at the Redis or Valkey',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'fleet-password-file': text({
    path: 'file',
    value: 'FILE',
    otherwise: 'no password',
    about: 'file whose first line is the password of that account',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'fleet-ca': given({
    path: 'file',
    value: 'FILE',
    otherwise: 'the authorities that Node knows',
    about: 'who may vouch for the server with TLS, as certificates in PEM',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'fleet-prefix': given({
    value: 'PREFIX',
    default: 'popbsmtp',
    about: 'what the keys of the streams begin with: PREFIX:grants, PREFIX:orders',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'fleet-name': given({
    value: 'NAME',
    otherwise: "the machine's",
    about: 'what this host is called by the others',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  for: duration({
    often: true,
    value: 'DURATION',
    default: '1h',
    about: 'how long the address is allowed, or addresses and users are refused',
    commands: ['allow', 'revoke'],
    inFile: false,
  }),
  user: text({
    often: true,
    value: 'NAME',
    about: 'the user, as the server logs the name; for grants, upper and lower case are the same',
    commands: ['list', 'revoke', 'lift', 'login', 'logout'],
    inFile: false,
  }),
  ip: text({
    often: true,
    value: 'ADDRESS',
    about: 'the address of the client that has logged in',
    commands: ['login'],
    inFile: false,
  }),
  server: given({
    often: true,
    value: 'NAME',
    default: 'command',
    about: 'what the server is called in logs and metrics',
    commands: ['login', 'logout'],
    inFile: false,
  }),
  session: text({
    often: true,
    value: 'ID',
    about: 'what login and logout have in common, and no other session of that server',
    commands: ['login', 'logout'],
    inFile: false,
  }),
  tls: flag({
    often: true,
    about: 'the connection was encrypted, for --require-tls',
    commands: ['login'],
    inFile: false,
  }),
  all: flag({
    often: true,
    about:
      'end every grant at once, also what is allowed by hand, as before a removal; fails while a daemon has the map',
    commands: ['purge'],
    inFile: false,
  }),
  foreign: flag({
    often: true,
    about:
      'show the rows that are not popbsmtp\'s and by which clients may relay, such as "192.0.2 OK", and end them',
    commands: ['purge'],
    inFile: false,
  }),
  orders: flag({
    often: true,
    about: 'show what was ordered by allow and revoke, instead of the rows',
    commands: ['list'],
    inFile: false,
  }),
  watch: flag({
    often: true,
    about: 'draw it anew every second, until interrupted',
    commands: ['status'],
    inFile: false,
  }),
  prometheus: flag({
    often: true,
    about: 'print the metrics as Prometheus reads them',
    commands: ['status'],
    inFile: false,
  }),
  test: flag({
    often: true,
    about: 'run the samples of all patterns; print those that fail',
    commands: ['patterns'],
    inFile: false,
  }),
  follow: flag({
    often: true,
    about: 'show what is added to the logs from now on, like tail -F',
    commands: ['match'],
    inFile: false,
  }),
  count: flag({
    often: true,
    about: 'print only the summary',
    commands: ['match'],
    inFile: false,
  }),
  smtp: given({
    often: true,
    value: 'HOST:PORT',
    otherwise: 'what master.cf says, port 25 first',
    about: 'where the relay test asks Postfix',
    commands: ['doctor'],
    inFile: false,
  }),
  'no-smtp': flag({
    often: true,
    about: 'leave the relay test out',
    commands: ['doctor'],
    inFile: false,
  }),
  json: flag({
    often: true,
    about: 'print JSON, for programs',
    commands: ['match', 'replay', 'list', 'status', 'patterns', 'explain', 'doctor'],
    inFile: false,
  }),
} satisfies Record<string, OptionSpec>;

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
