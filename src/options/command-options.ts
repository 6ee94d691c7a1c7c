/** What one command is asked: options that stand in no configuration file.  How an entry is written: options.ts. */
import { choice, duration, flag, given, text } from './entry.ts';

export const COMMAND_OPTIONS = {
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
  server: text({
    often: true,
    value: 'NAME',
    about:
      'what the server is called in logs and metrics; login and logout call it "command" if it is not given',
    commands: ['list', 'login', 'logout'],
    inFile: false,
  }),
  sort: choice(
    {
      often: true,
      value: 'KEY',
      default: 'address',
      about:
        'what the rows are sorted by; latest begins with the latest login, end with what ends first',
      commands: ['list'],
      inFile: false,
    },
    ['address', 'latest', 'end', 'user'],
  ),
  check: text({
    often: true,
    path: 'file',
    value: 'FILE',
    about:
      'instead, tell every error of a configuration file; the exit status is 78 if there is one',
    commands: ['config'],
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
    commands: ['match', 'replay', 'list', 'status', 'patterns', 'explain', 'doctor', 'config'],
    inFile: false,
  }),
};
