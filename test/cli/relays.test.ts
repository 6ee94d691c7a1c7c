/**
 * `trusted-relays`, wherever lines are read: with it, a login behind a relay's header counts; without, it is none, and told.
 */
import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { waitForLine } from '../real/wait.ts';
import { keysOf, loginLine, WatchedLog } from './watched-log.ts';

const rig = new Rig();
let watched: WatchedLog;
let log: string;

before(async () => {
  watched = await WatchedLog.make(rig);
  log = join(watched.directory, 'relayed.log');
  await writeFile(log, relayed('198.51.100.7'));
});
after(() => rig.close());

/** A login of now, behind the header of a relay. */
const relayed = (ip: string, relay = 'loghost-a'): string => {
  const line = loginLine(ip);
  const stamp = line.slice(0, line.indexOf(' mx '));
  return `${stamp} ${relay} <22>${line}`;
};

const TRUSTED = ['--trusted-relays', 'loghost-b', '--trusted-relays', 'loghost-a'] as const;

describe('match', () => {
  const matched = async (...options: readonly string[]) => {
    const { stdout, stderr } = await popbsmtp('match', '--json', log, ...options);
    return { logins: stdout === '' ? 0 : stdout.trimEnd().split('\n').length, stderr };
  };

  test('reads the login of a relay that is trusted', async () => {
    const { logins, stderr } = await matched(...TRUSTED);
    assert.equal(logins, 1);
    assert.doesNotMatch(stderr, /second header/);
  });

  test('tells of it otherwise, and how it is read', async () => {
    for (const options of [[], ['--trusted-relays', 'loghost-b']]) {
      const { logins, stderr } = await matched(...options);
      assert.equal(logins, 0);
      assert.match(stderr, /behind a second header looks like a login/);
      assert.match(stderr, /trusted-relays = \["loghost-a"\]/);
    }
  });

  test('refuses what can be no host, with what to do', async () => {
    const { code, stderr } = await popbsmtp('match', log, '--trusted-relays', 'a, b');
    assert.equal(code, 64);
    assert.match(stderr, /^popbsmtp: --trusted-relays: "a, b" cannot be .*; write the name .*\n$/);
  });
});

test('replay', async () => {
  const replayed = async (...options: readonly string[]): Promise<string> => {
    const common = ['--map', watched.newMap(), '--mynetworks', 'none', '--nowrite', '--debug'];
    return (await popbsmtp('replay', log, ...common, ...options)).stdout;
  };
  assert.match(await replayed(...TRUSTED), /read ts=.* ip=198\.51\.100\.7\n {4}accepted/);
  assert.equal(await replayed(), '');
});

test('explain', async () => {
  const line = relayed('198.51.100.7').trimEnd();
  const common = ['--mynetworks', 'none', '--map', watched.newMap()];
  const { stdout } = await popbsmtp('explain', line, ...TRUSTED, ...common);
  assert.match(stdout, /^host +mx$/m);
  assert.match(stdout, /^result +login ip=198\.51\.100\.7 user="anna"/m);
  const without = await popbsmtp('explain', line, ...common);
  assert.match(without.stdout, /^result +no login: /m);
  assert.match(without.stdout, /^hint .*trusted-relays = \["loghost-a"\]/m);
});

test('doctor', async () => {
  const common = [
    '--watchlog',
    log,
    '--map',
    watched.newMap(),
    '--mynetworks',
    'none',
    '--no-smtp',
  ];
  const { stdout } = await popbsmtp('doctor', ...common, ...TRUSTED);
  assert.match(stdout, /^ok +logins +recognised .*dovecot 1, the last one /m);
  assert.match((await popbsmtp('doctor', ...common)).stdout, /trusted-relays = \["loghost-a"\]/);
});

test('run: tells once, and takes the name on SIGHUP', async () => {
  const map = watched.newMap();
  const config = join(watched.directory, 'popbsmtp.toml');
  const ours = join(watched.directory, 'ours.log');
  await writeFile(config, '');
  const daemon = watched.start(map, '--config', config, '--logto', ours);
  await waitForLine(ours, /watching/);
  await appendFile(watched.log, relayed('198.51.100.8') + loginLine('198.51.100.9'));
  await waitForLine(ours, /granted ip=198\.51\.100\.9 /);
  await waitForLine(ours, /behind a second header look like logins.*trusted-relays/);
  assert.deepEqual(await keysOf(map), ['198.51.100.9']);

  await writeFile(config, 'trusted-relays = ["loghost-a"]\n');
  daemon.signal('SIGHUP');
  await waitForLine(ours, /reloaded/);
  await appendFile(watched.log, relayed('198.51.100.8'));
  await waitForLine(ours, /granted ip=198\.51\.100\.8 /);
  await daemon.stop();
});
