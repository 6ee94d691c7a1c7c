/** The map, and how long a grant stays in it.  How an entry is written: options.ts. */
import { MAP_MODE_TEXTS } from '../map/map-mode.ts';
import { MAP_WORDS } from '../map/map-types.ts';
import { choice, count, duration, durationOrNone, given, givenList } from './entry.ts';

/** Beyond what any memory holds. */
const MOST_GRANTS = 999_999_999;

export const MAP_OPTIONS = {
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
      'history',
      'why',
      'report',
      'migrate',
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
    MAP_MODE_TEXTS,
  ),
  'table-command': givenList({
    value: 'WORD',
    about:
      'the program, and then each argument, that makes a change of a table: map known, such as /usr/sbin/smtpctl, update, table, NAME; given again for each word',
    commands: ['run', 'replay', 'allow', 'revoke', 'lift', 'purge', 'doctor'],
    inFile: true,
  }),
  'map-rules': given({
    path: 'file',
    value: 'PATH',
    otherwise: 'those that are in the tcprules: map; /etc/courier/smtpaccess',
    about:
      "the administrator's own rules: for a tcprules: map the text that tcprules(1) would compile, for smtpaccess: the directory",
    commands: ['run', 'replay', 'allow', 'revoke', 'lift', 'purge', 'doctor'],
    inFile: true,
  }),
  'makemap-prefix': given({
    value: 'TEXT',
    about:
      'what stands before the address in the keys of a makemap: map, such as Connect: for the access map of sendmail; without it the key is the address',
    commands: ['run', 'replay', 'allow', 'revoke', 'lift', 'purge', 'doctor'],
    inFile: true,
  }),
  'makemap-value': given({
    value: 'TEXT',
    about:
      'the value of each row of a makemap: map, such as RELAY; without it the time of the login',
    commands: ['run', 'replay', 'allow', 'revoke', 'lift', 'purge', 'doctor'],
    inFile: true,
  }),
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
      'history',
      'why',
      'migrate',
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
      'history',
      'why',
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
  history: durationOrNone({
    value: 'DURATION',
    default: '90d',
    about:
      'how long the history is kept, beside the map: logins, grants, and what was relayed by them; none: there is none',
    commands: ['run'],
    inFile: true,
  }),
  'history-size': given({
    value: 'SIZE',
    default: '1G',
    about:
      'the most that the history may take of the disk, such as 64M or 1G; the oldest goes first',
    commands: ['run', 'history'],
    inFile: true,
  }),
  'session-limit': durationOrNone({
    value: 'DURATION',
    default: '1d',
    about: 'how long an open session (IMAP IDLE) keeps its grant at most; none: it keeps nothing',
    commands: ['run', 'replay'],
    inFile: true,
  }),
};
