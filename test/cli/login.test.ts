/**
 * A daemon as a process that is told of logins by command: what comes of them, and who may tell.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { MAIN } from '../real/popbsmtp.ts';
import { startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled } from './controlled.ts';

const rig = new Rig();
let host: Controlled;

beforeEach(async () => {
  host = await Controlled.make(rig);
});
after(() => rig.close());

const login = (ip: string, ...more: string[]) =>
  host.run('login', '--user', 'anna', '--ip', ip, ...more);

describe('a login by command', () => {
  test('opens the relay as one of the log does, and is told in the same words', async () => {
    const daemon = await host.start();
    const { code, stdout, stderr } = await login('::ffff:198.51.100.7', '--server', 'hook');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^198\.51\.100\.7 may relay until \w{3} \w{3} .* \d{4}\n$/);
    assert.deepEqual(await host.keys(), ['198.51.100.7']);
    await daemon.waitForLine(/^read ts=.* ip=198\.51\.100\.7$/);
    const [row] = await host.listed();
    assert.deepEqual([row?.['user'], row?.['server']], ['anna', 'hook']);
    const status = await host.run('status');
    assert.match(status.stdout, /^logins +1: hook 1; the last \ds ago$/m);
    await daemon.stop();
  });

  test('is judged by networks, orders, policy and limits', async () => {
    const daemon = await host.start(
      ...['--exclude', '192.0.2.0/24', '--deny-users', 'mallory', '--require-tls'],
    );
    await host.revoke('203.0.113.9');
    const said = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await host.run('login', ...args);
      assert.deepEqual([code, stderr], [0, '']);
      return stdout;
    };
    const table: readonly (readonly [args: readonly string[], said: string])[] = [
      [['--user', 'anna', '--ip', '192.0.2.1', '--tls'], '192.0.2.1 gets no grant: excluded\n'],
      [['--user', 'anna', '--ip', '203.0.113.9', '--tls'], '203.0.113.9 gets no grant: revoked\n'],
      [
        ['--user', 'mallory', '--ip', '203.0.113.1', '--tls'],
        '203.0.113.1 gets no grant: user not allowed\n',
      ],
      [['--user', 'anna', '--ip', '203.0.113.1'], '203.0.113.1 gets no grant: not encrypted\n'],
    ];
    for (const [args, expected] of table) assert.equal(await said(...args), expected);
    assert.deepEqual(await host.keys(), []);
    assert.match(await said('--user', 'anna', '--ip', '203.0.113.1', '--tls'), /may relay until/);
    await daemon.stop();
  });

  test('keeps its grant while its session is open, and ends with the logout', async () => {
    const daemon = await host.start('--grace', '2s');
    const session = ['--session', 'x', '--server', 'hook'] as const;
    const none = await host.run('logout', '--session', 'y', '--server', 'hook');
    assert.deepEqual([none.code, none.stdout], [0, 'no such session was open\n']);
    await login('198.51.100.7', ...session);
    await daemon.waitForLine(/^keeping ts=.* ip=198\.51\.100\.7$/);
    const other = await host.run('logout', '--session', 'x', '--server', 'other');
    assert.equal(other.stdout, 'no such session was open\n');
    const ended = await host.run('logout', ...session);
    assert.match(ended.stdout, /^198\.51\.100\.7: the session is over; /);
    await daemon.waitForLine(/^purging ts=.* ip=198\.51\.100\.7$/);
    assert.deepEqual(await host.keys(), []);
    await daemon.stop();
  });

  test('without a daemon does nothing, and says so', async () => {
    for (const [command, ...args] of [
      ['login', '--user', 'anna', '--ip', '198.51.100.7'],
      ['logout', '--session', 'x'],
    ] as const) {
      const { code, stdout, stderr } = await host.run(command, ...args);
      assert.deepEqual([code, stdout], [EXIT.unavailable, '']);
      assert.match(stderr, /^popbsmtp: no popbsmtp is running for lmdb:/);
    }
    assert.equal(existsSync(`${host.path}.lmdb`), false);
  });

  test('needs a user and an address, a logout its session', async () => {
    const bad: readonly (readonly [string, ...string[]])[] = [
      ['login', '--user', 'anna'],
      ['login', '--ip', '198.51.100.7'],
      ['login', '--user', 'anna', '--ip', '198.51.100'],
      ['logout', '--user', 'anna'],
    ];
    for (const [command, ...args] of bad)
      assert.equal((await host.run(command, ...args)).code, EXIT.usage, args.join(' '));
  });
});

/** The answer to one request at a socket. */
const asked = (path: string, request: object): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path, () => socket.end(`${JSON.stringify(request)}\n`));
    socket.setEncoding('utf8').on('data', chunk => {
      text += chunk;
    });
    socket.on('end', () => resolve(text)).on('error', reject);
  });

describe('the login socket', () => {
  const isRoot = process.getuid?.() === 0;

  test('is the group’s, takes logins and nothing else', { skip: !isRoot }, async () => {
    const daemon = await host.start('--login-socket-group', 'mail');
    const path = `${host.path}.login.sock`;
    await waitFor(
      'the login socket',
      () => existsSync(path) && (statSync(path).mode & 0o070) !== 0,
    );
    const mail = /^mail:[^:]*:(\d+):/m.exec(readFileSync('/etc/group', 'utf8'))?.[1];
    const { mode, gid } = statSync(path);
    assert.deepEqual([mode & 0o777, String(gid)], [0o660, mail]);
    assert.equal(statSync(host.socket).mode & 0o777, 0o600);
    for (const command of ['status', 'list', 'orders', 'allow', 'revoke', 'lift']) {
      const address = { address: '203.0.113.1', addresses: ['203.0.113.1'], seconds: 60 };
      const answer = await asked(path, {
        command,
        ...(command === 'revoke' || command === 'lift'
          ? { addresses: address.addresses, seconds: 60 }
          : address),
      });
      assert.match(answer, /"code":"CONTROL_REQUEST".*login and logout only/, command);
    }
    assert.deepEqual(await host.keys(), []);
    // A member of the group, who may not use the other one.
    chmodSync(dirname(host.path), 0o755);
    const member = startDaemon(rig, 'setpriv', [
      ...['--reuid', '65534', '--regid', String(gid), '--clear-groups', process.execPath, MAIN],
      ...['login', '--map', host.map, '--user', 'anna', '--ip', '198.51.100.7'],
    ]);
    assert.equal(await member.exited(), 0, member.transcript());
    assert.deepEqual(await host.keys(), ['198.51.100.7']);
    const stranger = startDaemon(rig, 'setpriv', [
      ...['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath, MAIN],
      ...['login', '--map', host.map, '--user', 'anna', '--ip', '198.51.100.8'],
    ]);
    assert.equal(await stranger.exited(), EXIT.noPermission, stranger.transcript());
    assert.deepEqual(await host.keys(), ['198.51.100.7']);
    await daemon.stop();
    assert.equal(existsSync(path), false);
  });

  test('of a group that there is not is told, and the daemon goes on', async () => {
    const daemon = await host.start('--login-socket-group', 'no-such-group');
    await waitFor('the warning', () =>
      /there is no group "no-such-group"/.test(daemon.stderr + daemon.stdout),
    );
    assert.equal(existsSync(`${host.path}.login.sock`), false);
    assert.match((await login('198.51.100.7')).stdout, /may relay until/);
    await daemon.stop();
  });
});
