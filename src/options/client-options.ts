/** Who may have a grant: networks, users, encryption, limits.  How an entry is written: options.ts. */
import { choice, flag, givenList, limit, networks, text } from './entry.ts';

/** So that one address cannot take all the room that is kept for pairs of an address and a user (grant/limits.ts). */
const HIGHEST_LIMIT = 1000;

const HIGHEST_SENT = 1_000_000;

export const CLIENT_OPTIONS = {
  mynetworks: networks({
    often: true,
    words: ['none'],
    value: 'LIST',
    otherwise: 'ask postconf',
    about: "networks that may relay anyway, in Postfix's own grammar; none for an empty list",
    commands: ['run', 'replay', 'allow', 'explain', 'doctor', 'history', 'why'],
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
      'history',
      'why',
      'report',
      'migrate',
    ],
    inFile: true,
    onReload: true,
  }),
  exclude: networks({
    words: ['none'],
    value: 'LIST',
    default: '127.0.0.0/8 ::1 0.0.0.0/8 :: 169.254.0.0/16 fe80::/10 224.0.0.0/4 ff00::/8',
    about: 'networks that never get a grant; replaces the default; none for an empty list',
    commands: ['run', 'replay', 'allow', 'purge', 'explain', 'doctor', 'history', 'why'],
    inFile: true,
    onReload: true,
  }),
  'whole-addresses': flag({
    about:
      'main.cf wraps the map so that Postfix looks up whole addresses only: every IPv6 address may have a row',
    commands: ['run', 'replay', 'allow', 'explain', 'purge', 'doctor', 'history', 'why'],
    inFile: true,
    onReload: true,
  }),
  'allow-own-addresses': flag({
    about:
      "let this machine's own addresses and its default gateways have grants; all clients behind a proxy may have one in common",
    commands: ['run', 'allow', 'explain', 'purge', 'doctor', 'why'],
    inFile: true,
    onReload: true,
  }),
  'require-tls': flag({
    about: 'only logins over an encrypted connection count; the server has to log it',
    commands: ['run', 'replay', 'explain', 'doctor'],
    inFile: true,
    onReload: true,
  }),
  'allow-users': givenList({
    value: 'USER',
    otherwise: 'everybody',
    about:
      'who may get a grant, and nobody else: a name as the log has it, or *@example.org; may be given more than once',
    commands: ['run', 'replay', 'explain', 'doctor'],
    inFile: true,
    onReload: true,
  }),
  'deny-users': givenList({
    value: 'USER',
    otherwise: 'nobody',
    about: 'who may not get a grant, written as for --allow-users; may be given more than once',
    commands: ['run', 'replay', 'explain', 'doctor'],
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
      commands: ['run', 'replay', 'explain', 'doctor'],
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
      commands: ['run', 'replay', 'explain', 'doctor'],
      inFile: true,
      onReload: true,
    },
    HIGHEST_LIMIT,
  ),
  'max-messages-per-grant': limit(
    {
      words: ['none'],
      value: 'NUMBER',
      default: 'none',
      about:
        'the most messages that one grant may have relayed, from the first login until it ends',
      commands: ['run'],
      inFile: true,
      onReload: true,
    },
    HIGHEST_SENT,
  ),
  'max-recipients-per-grant': limit(
    {
      words: ['none'],
      value: 'NUMBER',
      default: 'none',
      about: 'the most recipients elsewhere that one grant may have had messages relayed to',
      commands: ['run'],
      inFile: true,
      onReload: true,
    },
    HIGHEST_SENT,
  ),
  'max-recipients-per-hour': limit(
    {
      words: ['none'],
      value: 'NUMBER',
      otherwise: '1000, of which more are only warned of',
      about:
        'the most recipients elsewhere that one address may have in an hour by grants, or none',
      commands: ['run'],
      inFile: true,
      onReload: true,
    },
    HIGHEST_SENT,
  ),
  'limit-action': choice(
    {
      value: 'ACTION',
      default: 'warn',
      about:
        'what becomes of whoever is over such a limit: warn, in the log only; refuse, and no grant stays; who has sent too much is then refused until lift takes it back',
      commands: ['run', 'replay', 'explain', 'doctor'],
      inFile: true,
      onReload: true,
    },
    ['warn', 'refuse'],
  ),
};
