/**
 * The daemon's own log, as a process writes it: formats, priorities, names.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loginLine, WatchedLog } from '../cli/watched-log.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { waitForLine } from '../real/wait.ts';

const rig = new Rig();
let watched: WatchedLog;
let count = 0;

before(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

/**
 * What a daemon writes to standard output about two logins, the second one excluded.
 *
 * @param isJournal whether it is to take standard output for the journal
 */
async function outputOf(isJournal: boolean, ...options: string[]): Promise<string[]> {
  const output = join(watched.directory, `output-${++count}`);
  const log = join(watched.directory, `input-${count}`);
  await writeFile(log, '');
  const file = await open(output, 'w');
  const { dev, ino } = await file.stat({ bigint: true });
  const args = ['--watchlog', log, '--map', watched.newMap(), '--mynetworks', 'none'];
  const child = spawn(process.execPath, [MAIN, ...args, '--exclude', '198.51.100.2', ...options], {
    stdio: ['ignore', file.fd, 'inherit'],
    env: { ...process.env, JOURNAL_STREAM: isJournal ? `${dev}:${ino}` : '1:1' },
  });
  const ended = once(child, 'exit');
  try {
    await waitForLine(output, /watching/);
    await appendFile(log, loginLine('198.51.100.1'));
    await waitForLine(output, /granted/);
    await appendFile(log, loginLine('198.51.100.2'));
    await waitForLine(output, /ignored/);
  } finally {
    child.kill('SIGTERM');
    await ended;
    await file.close();
  }
  return (await readFile(output, 'utf8')).split('\n').slice(0, -1);
}

const STAMP = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;

describe('the log', () => {
  test('as text has a stamp in each line', async () => {
    const [, granted = '', ignored = ''] = await outputOf(false);
    const who = 'user="anna" server=dovecot';
    assert.match(granted, new RegExp(`^${STAMP} granted ip=198\\.51\\.100\\.1 ${who}$`));
    assert.match(
      ignored,
      new RegExp(`^${STAMP} ignored ip=198\\.51\\.100\\.2 ${who} reason="excluded"$`),
    );
  });

  test('to the journal has priorities and no stamps', async () => {
    const lines = await outputOf(true);
    assert.match(lines[0] ?? '', /^<6>watching \//);
    assert.equal(lines[1], '<6>granted ip=198.51.100.1 user="anna" server=dovecot');
  });

  test('to the journal tells warnings by their priority', async () => {
    const limit = ['--max-users-per-address', '1', '--log-users', 'none'];
    const options = ['--grace-for', '198.51.100.0/24=1h', ...limit];
    const lines = await outputOf(true, ...options, '--watchlog', join(watched.directory, 'later'));
    assert.ok(
      lines.some(line => /^<4>.*\/later does not exist yet/.test(line)),
      lines.join('\n'),
    );
    assert.ok(lines.every(line => /^<[46]>/.test(line)));
  });

  for (const isJournal of [false, true]) {
    test(`as JSON is an object a line${isJournal ? ', in the journal as well' : ''}`, async () => {
      const lines = await outputOf(isJournal, '--log-format', 'json');
      const mark = isJournal ? '<6>' : '';
      const objects = lines.map(line => {
        assert.ok(line.startsWith(`${mark}{`), line);
        return JSON.parse(line.slice(mark.length));
      });
      const [watching, granted, ignored] = objects;
      assert.match(granted.time, new RegExp(`^${STAMP}$`));
      assert.match(granted.login, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.deepEqual(granted, {
        time: granted.time,
        level: 'info',
        event: 'granted',
        ip: '198.51.100.1',
        user: 'anna',
        server: 'dovecot',
        login: granted.login,
        message: 'granted ip=198.51.100.1 user="anna" server=dovecot',
      });
      assert.deepEqual(Object.keys(granted).slice(0, 3), ['time', 'level', 'event']);
      assert.deepEqual([ignored.event, ignored.reason], ['ignored', 'excluded']);
      assert.deepEqual([watching.event, watching.state], ['source', 'opened']);
    });
  }

  test('leaves names out, or hashes them, the same way each time', async () => {
    for (const [how, user] of [
      ['none', /user="" /],
      ['hashed', /user="[0-9a-f]{16}" /],
    ] as const) {
      const lines = await outputOf(false, '--log-users', how);
      assert.ok(!lines.join('\n').includes('anna'));
      const users = lines.flatMap(line => user.exec(line)?.[0] ?? []);
      assert.equal(users.length, 2, lines.join('\n'));
      assert.equal(new Set(users).size, 1);
    }
  });
});

test('replay names nobody in JSON where the log is not to', async () => {
  const log = join(watched.directory, 'finished.log');
  await writeFile(log, loginLine('198.51.100.1'));
  const args = ['replay', log, '--json', '--nowrite', '--mynetworks', 'none'];
  const userOf = async (...more: string[]): Promise<unknown> =>
    JSON.parse((await popbsmtp(...args, '--map', watched.newMap(), ...more)).stdout).user;
  assert.equal(await userOf(), 'anna');
  assert.equal(await userOf('--log-users', 'none'), null);
  assert.match(String(await userOf('--log-users', 'hashed')), /^[0-9a-f]{16}$/);
});
