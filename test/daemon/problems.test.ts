/**
 * One rule for exit statuses: a value that is wrong is 64 where it was typed, and 78 where a file has it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { problemsOf } from '../../src/daemon/problems.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { parseConfig } from '../../src/options/config.ts';
import { type OptionName, optionsOf, specOf } from '../../src/options/options.ts';

/** Of every option whose value can be wrong by itself. */
const WRONG: Readonly<Partial<Record<OptionName, string>>> = {
  'policy-header': 'X Relayed',
  map: 'regexp:/x/y',
  grace: 'soon',
  'grace-for': '192.0.2.0/24',
  mynetworks: '192.0.2.0/33',
  exclude: 'local',
  'allow-users': '*',
  'deny-users': '*',
  'max-users-per-address': '0',
  'max-addresses-per-user': '0',
  'max-messages-per-grant': '0',
  'max-recipients-per-grant': '0',
  'max-recipients-per-hour': '0',
  'limit-action': 'drop',
  history: 'soon',
  'history-size': '1K',
  'max-grants': '0',
  'map-mode': '7777',
  'table-command': 'smtpctl',
  'map-rules': 'tcp.smtp',
  'makemap-prefix': 'popbsmtp:',
  'makemap-value': ' RELAY',
  'session-limit': 'long',
  'journal-trust': 'maybe',
  'log-format': 'xml',
  'log-users': 'some',
  'metrics-listen': '0.0.0.0:9117',
  fleet: 'http://h',
  'fleet-role': 'lead',
  'fleet-read': 'anything',
  'fleet-sentinels': 'http://h',
  'fleet-sentinel-name': 'a b',
  'fleet-prefix': 'a b',
  'fleet-name': 'a b',
  'fleet-format': '3',
  'fleet-renewal': 'soon',
  'dovecot-elements': 'user=%u rip=%r lip=%l',
  watchlog: 'journal:namespace=*',
  'watchlog-zone': 'Nowhere/Town',
  'journal-match': 'mailu-front',
  'trusted-relays': 'a b',
};

/** Any text is one of these: what it names is looked for when it is needed. */
const ANYTHING: readonly OptionName[] = optionsOf('run').filter(
  name => WRONG[name] === undefined && specOf(name).kind !== 'flag',
);

test('every option is in the table, or takes any text', () => {
  assert.deepEqual(
    [...ANYTHING].sort(),
    [
      'config',
      'daemon',
      'fleet-ca',
      'fleet-password-file',
      'fleet-sentinel-ca',
      'fleet-sentinel-password-file',
      'fleet-sentinel-user',
      'fleet-user',
      'login-socket-group',
      'logto',
      'metrics-file',
      'patterns',
      'policy-socket',
      'postfix-config',
      'syslog-names',
      'watchlog-olddir',
    ].sort(),
  );
});

describe('the exit status of a wrong value', () => {
  for (const [name, value] of Object.entries(WRONG)) {
    test(`of ${name}`, async () => {
      const { values } = parseCommandLine([`--${name}`, value], '1');
      const [typed] = await problemsOf(values);
      assert.equal(typed?.exit, EXIT.usage, typed?.line);
      assert.ok(typed?.line.startsWith(`--${name}`), typed?.line);
      const [written] = await problemsOf(parseConfig(`\n${name} = "${value}"\n`, '/f.toml'));
      assert.equal(written?.exit, EXIT.config, written?.line);
      assert.ok(written?.line.startsWith(`/f.toml:2: ${name}`), written?.line);
    });
  }
});
