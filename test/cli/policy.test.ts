/**
 * The policy from the command line and the configuration to the log, the map and the explanation.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { openMap } from '../../src/map/map-types.ts';
import { ip } from '../map/addresses.ts';
import { popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { waitForLine } from '../real/wait.ts';
import { keysOf, loginLine, WatchedLog } from './watched-log.ts';

const rig = new Rig();
let watched: WatchedLog;

before(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

/** A line of somebody else, perhaps over an encrypted connection. */
const lineOf = (user: string, address: string, tls = false): string =>
  loginLine(address)
    .replace('<anna>', `<${user}>`)
    .replace('mpid=1, ', tls ? 'mpid=1, TLS, ' : 'mpid=1, ');

async function logOf(...lines: string[]): Promise<string> {
  const path = join(watched.directory, 'finished.log');
  await writeFile(path, lines.join(''));
  return path;
}

const COMMON = ['--mynetworks', 'none', '--nowrite'] as const;

describe('replay', () => {
  const decided = async (log: string, ...options: string[]): Promise<string[]> => {
    const map = watched.newMap();
    const { code, stdout, stderr } = await popbsmtp(
      ...['replay', log, '--debug', '--map', map, ...COMMON, ...options],
    );
    assert.equal(code, 0, stderr);
    return stdout
      .split('\n')
      .slice(0, -1)
      .map(line => line.replace(/(?:ts=.* )?ip=/, ''));
  };

  test('ends with a table of who would be refused, and why', async () => {
    const log = await logOf(
      ...[1, 2].map(host => lineOf('scanner', `198.51.100.${host}`)),
      lineOf('anna', '198.51.100.3'),
      lineOf('guest', '198.51.100.4', true),
      lineOf('bert', '198.51.100.5', true),
    );
    const policy = ['--require-tls', '--deny-users', 'guest'];
    for (const form of [[], ['--json']]) {
      const args = ['replay', log, '--map', watched.newMap(), ...COMMON, ...policy, ...form];
      const { code, stderr } = await popbsmtp(...args);
      assert.equal(code, 0, stderr);
      assert.deepEqual(stderr.split('\n').slice(-6, -1), [
        'ignored  not encrypted  user not allowed',
        'scanner              2                 -',
        'anna                 1                 -',
        'guest                -                 1',
        'TOTAL                3                 1',
      ]);
    }
    const hashed = await popbsmtp(
      ...['replay', log, '--map', watched.newMap(), ...COMMON, ...policy, '--log-users', 'none'],
    );
    assert.doesNotMatch(hashed.stderr, /scanner|anna|guest/);
  });

  test('of encrypted logins only', async () => {
    const log = await logOf(lineOf('a', '198.51.100.1'), lineOf('a', '198.51.100.2', true));
    assert.deepEqual(await decided(log, '--require-tls'), [
      'read 198.51.100.1',
      '    ignored --- not encrypted',
      'read 198.51.100.2',
      '    accepted --- not in mynetworks',
      '    not written --- dry run',
    ]);
  });

  test('of some users only', async () => {
    const log = await logOf(
      lineOf('a@example.org', '198.51.100.1'),
      lineOf('b@example.org', '198.51.100.2'),
      lineOf('c', '198.51.100.3'),
    );
    const options = ['--allow-users', '*@example.org', '--deny-users', 'b@example.org'];
    assert.deepEqual(await decided(log, ...options, '--deny-users', 'x'), [
      'read 198.51.100.1',
      '    accepted --- not in mynetworks',
      '    not written --- dry run',
      'read 198.51.100.2',
      '    ignored --- user not allowed',
      'read 198.51.100.3',
      '    ignored --- user not allowed',
    ]);
  });

  test('within limits', async () => {
    const log = await logOf(lineOf('a', '198.51.100.1'), lineOf('b', '198.51.100.1'));
    const options = ['--max-users-per-address', '1', '--limit-action', 'refuse'];
    assert.deepEqual(await decided(log, ...options), [
      'read 198.51.100.1',
      '    accepted --- not in mynetworks',
      '    not written --- dry run',
      'over the limit 198.51.100.1 --- too many users',
      'purging 198.51.100.1',
      '    withdrawn --- too many users',
      'read 198.51.100.1',
      '    ignored --- too many users',
    ]);
  });
});

describe('the daemon', () => {
  test('logs what a limit does, and follows a new policy after SIGHUP', async () => {
    const map = watched.newMap();
    const config = join(watched.directory, 'policy.toml');
    const ours = join(watched.directory, 'policy.log');
    const { log } = watched;
    await writeFile(config, 'max_users_per_address = 1\nlimit_action = "refuse"\n');
    const daemon = watched.start(map, '--config', config, '--logto', ours);
    await waitForLine(ours, /watching/);
    await writeFile(log, lineOf('a', '198.51.100.20') + lineOf('b', '198.51.100.20'), {
      flag: 'a',
    });
    await waitForLine(ours, /granted ip=198\.51\.100\.20 user="a" server=dovecot$/);
    await waitForLine(
      ours,
      /warning: limit exceeded ip=198\.51\.100\.20 user="b" server=dovecot reason="too many users" most=1 action=refuse$/,
    );
    await waitForLine(
      ours,
      /withdrawn ip=198\.51\.100\.20 user=".*" server=dovecot login=".*" reason="too many users"$/,
    );
    await waitForLine(ours, /ignored ip=198\.51\.100\.20 user="b" .* reason="too many users"$/);
    assert.deepEqual(await keysOf(map), []);

    await writeFile(config, 'deny-users = ["c"]\n');
    daemon.signal('SIGHUP');
    await waitForLine(ours, /reloaded/);
    await writeFile(log, lineOf('c', '198.51.100.21') + lineOf('b', '198.51.100.20'), {
      flag: 'a',
    });
    await waitForLine(ours, /ignored ip=198\.51\.100\.21 .* reason="user not allowed"$/);
    await waitForLine(ours, /granted ip=198\.51\.100\.20 user="b" /);
    assert.deepEqual(await keysOf(map), ['198.51.100.20']);
    await daemon.stop();
  });

  test('and purge after it know the grace period of a network by the row alone', async () => {
    const quiet = await WatchedLog.make(rig);
    const spec = quiet.newMap();
    const map = await openMap({ type: 'lmdb', path: spec.slice('lmdb:'.length) });
    const stamp = epoch(Math.floor(Date.now() / 1000) - 3600);
    const rows = ['198.51.100.1', '198.51.100.2', '203.0.113.1'];
    await map.commit(rows.map(address => ({ ip: ip(address), stamp })));
    await map.close();
    const options = ['--map', spec, '--grace', '15m', '--grace-for', '198.51.100.2=1d'];
    const daemon = quiet.start(spec, ...options.slice(2), '--grace-for', '203.0.113.0/24=2h');
    await daemon.waitForLine(/purged ip=198\.51\.100\.1 (?:user=".*" server=dovecot )?login=".*"$/);
    assert.deepEqual(await keysOf(spec), rows.slice(1));
    await daemon.stop();
    const { code, stdout } = await popbsmtp('purge', ...options);
    assert.equal(code, 0);
    assert.match(stdout, /^purging ts=.* ip=203\.0\.113\.1\n$/);
    assert.deepEqual(await keysOf(spec), ['198.51.100.2']);
  });
});

describe('explain', () => {
  const told = async (line: string, ...options: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await popbsmtp(
      ...['explain', line.trimEnd(), '--mynetworks', 'none', ...options],
    );
    assert.equal(code, 0, stderr);
    return stdout.split('\n').filter(row => /^(?:encrypted|grant) /.test(row));
  };
  const table: readonly (readonly [string, readonly string[], RegExp, RegExp])[] = [
    [lineOf('a', '198.51.100.1'), ['--require-tls'], / no$/, /none: .*--require-tls/],
    [lineOf('a', '198.51.100.1', true), ['--require-tls'], / yes$/, /until .* 15m after/],
    [lineOf('a', '198.51.100.1'), ['--deny-users', 'a'], / no$/, /none: the user may not/],
    [lineOf('a', '198.51.100.1'), ['--grace-for', '198.51.100.0/24=2h'], / no$/, /2h after/],
    [
      loginLine('198.51.100.1').replace(/dovecot: .*/, 'popper[1]: login from 198.51.100.1 as a'),
      ['--require-tls'],
      / the lines of this server do not tell$/,
      /none: .*--require-tls/,
    ],
  ];
  for (const [line, options, encrypted, grant] of table) {
    test(`${options.join(' ')}: ${encrypted}, ${grant}`, async () => {
      const [first = '', second = ''] = await told(line, ...options);
      assert.match(first, encrypted);
      assert.match(second, grant);
    });
  }

  test('counts for the limits what it has explained', async () => {
    const lines = ['a', 'b'].map(user => lineOf(user, '198.51.100.1').trimEnd());
    const limit = ['--max-users-per-address', '1', '--limit-action', 'refuse'];
    const { stdout } = await popbsmtp('explain', ...lines, '--mynetworks', 'none', ...limit);
    const grants = stdout.split('\n').filter(row => row.startsWith('grant '));
    assert.match(grants[0] ?? '', /until/);
    assert.match(grants[1] ?? '', /none: too many users/);
  });
});
