/** Grants that several mail hosts share.  How an entry is written: options.ts. */
import { choice, durationOrNone, given, givenList, text } from './entry.ts';

export const FLEET_OPTIONS = {
  fleet: givenList({
    value: 'URL',
    otherwise: 'this host is alone',
    about:
      'share grants with other hosts through a Redis or Valkey: redis://host:6379/0, with TLS rediss://; of several the first that can be used',
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
  'fleet-read': choice(
    {
      value: 'FROM',
      default: 'primary',
      about: 'whom to read from, where there is a choice',
      commands: ['run', 'doctor'],
      inFile: true,
    },
    ['primary', 'replica'],
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
  'fleet-sentinels': givenList({
    value: 'URL',
    otherwise: 'fleet says where the engine is',
    about: 'sentinels that are asked where the engine is: redis://host:26379, with TLS rediss://',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'fleet-sentinel-name': given({
    value: 'NAME',
    default: 'mymaster',
    about: 'what the sentinels call it',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'fleet-sentinel-user': text({
    value: 'NAME',
    otherwise: 'the default user',
    about: 'the account at the sentinels',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'fleet-sentinel-password-file': text({
    path: 'file',
    value: 'FILE',
    otherwise: 'no password',
    about: 'file whose first line is the password of that account',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
  'fleet-sentinel-ca': given({
    path: 'file',
    value: 'FILE',
    otherwise: 'the authorities that Node knows',
    about: 'who may vouch for the sentinels with TLS, as certificates in PEM',
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
  'fleet-format': choice(
    {
      value: 'FORMAT',
      default: '1',
      about: 'how logins are written: 1, which every version reads, or 2, several in one entry',
      commands: ['run', 'doctor'],
      inFile: true,
    },
    ['1', '2'],
  ),
  'fleet-renewal': durationOrNone({
    value: 'DURATION',
    default: '10s',
    about: 'for how long the fleet is not told again of a login that it knows, or none',
    commands: ['run', 'doctor'],
    inFile: true,
  }),
};
