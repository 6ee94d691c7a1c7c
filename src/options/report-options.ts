/** How the program runs and where it tells what it does.  How an entry is written: options.ts. */
import { failure } from '../base/errors.ts';
import { choice, flag, given, parsed, text } from './entry.ts';

/** One that means nothing to any program, so that nothing but itself can be said with it. @throws Failure POLICY_HEADER */
function policyHeader(value: string, where: string): string {
  if (/^X-[A-Za-z0-9-]{1,60}$/.test(value)) return value;
  throw failure('POLICY_HEADER', { where, value });
}

export const REPORT_OPTIONS = {
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
        'how user names are logged, and kept in the history: plain; hashed, with a key that is kept beside the map; or none',
      commands: ['run', 'replay', 'history', 'why'],
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
  'metrics-file': text({
    path: 'file',
    value: 'FILE',
    otherwise: 'not written',
    about:
      'metrics for the textfile collector of node_exporter, whose directory takes names in .prom',
    commands: ['run'],
    inFile: true,
  }),
  'policy-socket': text({
    path: 'file',
    value: 'FILE',
    otherwise: 'not served',
    about:
      'the socket at which Postfix asks whose a message is (check_policy_service), for this log; it permits nothing',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'policy-header': parsed(
    {
      value: 'NAME',
      otherwise: 'no header',
      about:
        'the header, as X-Relayed-By, that Postfix is told to put before such a message, with the hash of the user',
      commands: ['run'],
      inFile: true,
    },
    policyHeader,
  ),
  'metrics-listen': given({
    value: 'ADDRESS:PORT',
    otherwise: 'not served',
    about:
      'serve metrics to Prometheus at http://ADDRESS:PORT/metrics; a loopback address, such as 127.0.0.1:9117',
    commands: ['run'],
    inFile: true,
  }),
};
