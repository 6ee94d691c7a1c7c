/**
 * Orders by hand, as the real Postfix feels them: `allow` opens the relay, `revoke` closes it, and a login does not
 * open it again before the time is up; with a daemon and without one.
 */
import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loginLine } from '../cli/watched-log.ts';
import { popbsmtp, startPopbsmtp } from './popbsmtp.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { type Daemon, mustRun, type Result, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { askToRelay } from './smtp.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(['postfix', 'postmap'], { root: true });

describe('orders by hand', { skip }, () => {
  const rig = new Rig();
  let map: string;
  let log: string;
  let postfix: Postfix;
  let daemon: Daemon;

  before(async () => {
    const directory = await rig.directory();
    map = `lmdb:${join(directory, 'pop-before-smtp')}`;
    log = join(directory, 'mail.log');
    await writeFile(log, '');
    const first = await popbsmtp('run', '--watchlog', '-', '--map', map, '--mynetworks', 'none');
    assert.equal(first.code, 0, first.stderr);
    postfix = await startPostfix(rig, {
      mynetworks: '127.0.0.1/32',
      restrictions: `smtpd_relay_restrictions = permit_mynetworks, check_client_access ${map}, reject_unauth_destination`,
    });
    daemon = await start();
  });
  after(() => rig.close());

  const start = async (): Promise<Daemon> => {
    const started = await startPopbsmtp(rig, {
      watchlog: log,
      map,
      grace: '1h',
      postfixConfig: postfix.config,
    });
    const isServed = async (): Promise<boolean> =>
      (await popbsmtp('status', '--map', map)).code === 0;
    await waitFor('the control socket', isServed);
    return started;
  };

  const answer = async (from: string): Promise<number> =>
    (await askToRelay(postfix.smtp(from))).code;

  async function order(command: 'allow' | 'revoke', ...args: string[]): Promise<Result> {
    const config = command === 'allow' ? ['--postfix-config', postfix.config] : [];
    const networks = command === 'allow' ? ['--exclude', 'none'] : [];
    return popbsmtp(command, '--map', map, '--grace', '1h', ...config, ...networks, ...args);
  }

  async function obeyed(command: 'allow' | 'revoke', ...args: string[]): Promise<void> {
    const { code, stderr } = await order(command, ...args);
    assert.equal(code, 0, stderr);
  }

  /** Logs in, and waits until the daemon has dealt with that. */
  async function logIn(from: string): Promise<void> {
    const lines = daemon.lines.length;
    await appendFile(log, loginLine(from));
    await daemon.waitForLine(new RegExp(`^read .*ip=${from.replaceAll('.', '\\.')}$`), lines);
  }

  test('allow opens, revoke closes, and a login opens again only when the time is up', async () => {
    assert.equal(await answer('127.0.0.2'), 554);
    await obeyed('allow', '127.0.0.2');
    assert.equal(await answer('127.0.0.2'), 250);
    assert.equal(await answer('127.0.0.200'), 554, 'somebody else');
    await obeyed('revoke', '127.0.0.2', '--for', '1h');
    await logIn('127.0.0.2');
    assert.equal(await answer('127.0.0.2'), 554, 'before the time was up');
    const asked = Date.now();
    await obeyed('revoke', '127.0.0.2', '--for', '4s');
    await waitFor('a login to open the relay again', async () => {
      await logIn('127.0.0.2');
      const code = await answer('127.0.0.2');
      // Times are whole seconds.
      const isOver = Date.now() - asked > 3000;
      assert.ok(isOver || code === 554, `${code} before the time was up`);
      return code === 250;
    });
    await daemon.waitForLine(/^ {4}ignored --- revoked$/);
  });

  test('allow closes again by itself', async () => {
    await obeyed('allow', '127.0.0.3', '--for', '3s');
    await daemon.waitForLine(/^purging .*ip=127\.0\.0\.3$/);
    assert.equal(await answer('127.0.0.3'), 554);
  });

  test('revoke of a user closes what his logins have opened', async () => {
    await logIn('127.0.0.4');
    await waitFor('the grant', async () => (await answer('127.0.0.4')) === 250);
    await obeyed('revoke', '--user', 'anna');
    assert.equal(await answer('127.0.0.4'), 554);
    await logIn('127.0.0.4');
    assert.equal(await answer('127.0.0.4'), 554);
    assert.equal(await answer('127.0.0.2'), 554, 'where she had logged in as well');
  });

  test('an address in mynetworks needs none, and gets no row', async () => {
    const { code, stdout } = await order('allow', '127.0.0.1');
    assert.deepEqual([code, /^127\.0\.0\.1 is in mynetworks/.test(stdout)], [0, true]);
    const query = await runProgram('postmap', ['-c', postfix.config, '-q', '127.0.0.1', map]);
    assert.equal(query.stdout, '');
  });

  test("a row of the administrator's stays open, and revoke says so", async () => {
    await mustRun('postmap', ['-c', postfix.config, '-i', map], { input: '127.0.0.5 OK\n' });
    const { code, stderr } = await order('revoke', '127.0.0.5', '127.0.0.6');
    assert.equal(code, 65);
    assert.match(stderr, /^popbsmtp: 127\.0\.0\.5: the map has a row of your own.*postmap -d/);
    assert.equal(await answer('127.0.0.5'), 250);
  });

  test('without a daemon the same, and the next one goes on with it', async () => {
    await daemon.stop();
    await obeyed('allow', '127.0.0.7');
    assert.equal(await answer('127.0.0.7'), 250);
    await obeyed('revoke', '127.0.0.7');
    assert.equal(await answer('127.0.0.7'), 554);
    await obeyed('allow', '127.0.0.8');
    daemon = await start();
    await logIn('127.0.0.7');
    assert.equal(await answer('127.0.0.7'), 554);
    assert.equal(await answer('127.0.0.8'), 250);
    const inLog = await popbsmtp('list', '--map', map, '--orders');
    assert.match(inLog.stdout, /^allow {3}until .* {2}127\.0\.0\.8$/m);
  });
});
