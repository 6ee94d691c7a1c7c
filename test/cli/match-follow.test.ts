/**
 * `match --follow` as a process: what it prints while logs grow, and how it ends.
 */
import assert from 'node:assert/strict';
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { type Daemon, startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { loginLine } from './watched-log.ts';

const rig = new Rig();
let root: string;
let log: string;
before(async () => {
  root = await rig.directory();
});
after(() => rig.close());
let count = 0;
beforeEach(async () => {
  log = join(root, `mail-${++count}.log`);
  await writeFile(log, loginLine('192.0.2.99'));
});

async function start(...args: readonly string[]): Promise<Daemon> {
  const following = startDaemon(rig, process.execPath, [MAIN, 'match', '--follow', ...args]);
  await waitForSaid(following, `following ${log}`);
  return following;
}

const waitForSaid = (program: Daemon, line: string): Promise<true> =>
  waitFor(line, () => program.stderr.split('\n').includes(`popbsmtp: ${line}`) && true, {
    seen: () => program.transcript(),
  });

describe('what is printed', () => {
  test('logins that come, in the form of match, numbered from where it began', async () => {
    const following = await start(log);
    await appendFile(log, loginLine('192.0.2.1'));
    assert.match(
      await following.waitForLine(/192\.0\.2\.1 /),
      /^1: login ts=.{15} ip=192\.0\.2\.1 user="anna" server=dovecot$/,
    );
    await rename(log, `${log}.1`);
    await writeFile(log, `nothing\n${loginLine('192.0.2.2')}`);
    await following.waitForLine(/^3: login .* ip=192\.0\.2\.2 /);
    assert.equal(following.lines.length, 2, following.transcript());
  });

  test('JSON, for programs', async () => {
    const following = await start('--json', log);
    await appendFile(log, loginLine('192.0.2.1'));
    const event: unknown = JSON.parse(await following.waitForLine(/./));
    const keys = ['line', 'event', 'server', 'ip', 'user', 'time', 'encrypted'];
    assert.deepEqual(Object.keys(event ?? {}), keys);
  });

  test('of several logs at once, one of which is yet to come', async () => {
    const later = `${log}.later`;
    const following = await start(log, later);
    await waitForSaid(following, `waiting for ${later}: there is no such file yet`);
    await writeFile(later, loginLine('192.0.2.1'));
    await following.waitForLine(/192\.0\.2\.1 /);
    await appendFile(log, loginLine('192.0.2.2'));
    await following.waitForLine(/192\.0\.2\.2 /);
  });
});

describe('the end', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal}: the summary, and 0`, async () => {
      const following = await start(log);
      await appendFile(log, `${'x'.repeat(9000)}\n${loginLine('192.0.2.1')}`);
      await following.waitForLine(/192\.0\.2\.1 /);
      following.signal(signal);
      assert.equal(await following.exited(), EXIT.ok, following.transcript());
      assert.deepEqual(following.stderr.split('\n').slice(1, -1), [
        '2 lines, 1 login, 0 logouts',
        '    dovecot: 1 login, 0 logouts',
        '1 line of more than 8192 bytes skipped',
      ]);
    });
  }

  test('while the only log is waited for', async () => {
    const none = join(root, 'none.log');
    const following = startDaemon(rig, process.execPath, [MAIN, 'match', '--follow', none]);
    await waitForSaid(following, `waiting for ${none}: there is no such file yet`);
    following.signal('SIGTERM');
    assert.equal(await following.exited(), EXIT.ok, following.transcript());
  });

  test('without a word when nobody reads what it prints', async () => {
    const script = '"$0" "$1" match --follow "$2" | head -n 1';
    const following = startDaemon(rig, 'sh', ['-c', script, process.execPath, MAIN, log]);
    await waitForSaid(following, `following ${log}`);
    // The first line ends head; a write after that finds nobody, and the pipeline ends.
    await waitFor(
      'the end',
      async () => {
        if (following.running) await appendFile(log, loginLine('192.0.2.1'));
        return !following.running;
      },
      { seen: () => following.transcript() },
    );
    assert.equal(await following.exited(), EXIT.ok);
    assert.equal(following.stderr, `popbsmtp: following ${log}\n`);
  });
});

describe('what cannot be followed is an error', () => {
  const table: readonly (readonly [string, number, RegExp])[] = [
    ['-', EXIT.usage, /standard input is read as it comes: leave out --follow/],
    ['/', EXIT.noInput, /directory/],
    ['mail.log.2.gz', EXIT.usage, /packed log such as mail\.log\.2\.gz: leave out --follow/],
    ['/nowhere/mail.log', EXIT.noPermission, /cannot read \/nowhere: /],
  ];
  for (const [path, code, message] of table) {
    test(path, async () => {
      const result = await popbsmtp('match', '--follow', path);
      assert.equal(result.code, code);
      assert.match(result.stderr, message);
      assert.equal(result.stderr.trim().split('\n').length, 1);
    });
  }
});
