/**
 * `match` and `replay` as commands, over logs whose every line is known.
 */
import assert from 'node:assert/strict';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { runProgram } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';

process.env['TZ'] = 'Europe/Berlin';

const rig = new Rig();
let directory: string;
let log: string;
let count = 0;

const LOG = [
  'Mar 22 11:00:00 mx dovecot: pop3-login: Login: user=<anna>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.5, mpid=1, session=<a>',
  'Mar 22 11:00:01 mx postfix/smtpd[9]: connect from client.example.org[192.0.2.1]',
  '',
  'Mar 22 11:05:00 mx imapd: LOGIN, user=nick, ip=[::ffff:192.0.2.2], port=[54236], protocol=IMAP',
  'Mar 22 11:10:00 mx dovecot: pop3-login: Login: user=<anna>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.5, mpid=2, session=<b>',
  `Mar 22 11:10:30 mx dovecot: ${'x'.repeat(9000)}`,
  'Mar 22 11:11:00 mx imapd: LOGOUT, user=nick, ip=[::ffff:192.0.2.2], port=[54236], headers=0, body=0, rcvd=11, sent=82, time=1',
  'Mar 22 11:12:00 mx ipop3d[12]: Login user=j\xfcrgen host=[127.0.0.1] nmsgs=3/3',
  'Mar 22 11:21:00 mx cron[7]: nothing to do with it',
  'Mar 22 11:22:00 mx qpopper[12]: (v4.0.9) POP login by user "eva" at (192.0.2.3) 192.0.2.3',
];

before(async () => {
  directory = await rig.directory();
  log = join(directory, 'mail.log');
  await writeFile(log, `${LOG.join('\n')}\n`, 'latin1');
  // The stamps have no year; the file's last change tells it: Fri Mar 22 11:22:00 2002 in Berlin.
  await utimes(log, 1_016_792_520, 1_016_792_520);
});
after(() => rig.close());

const newMap = (): string => `lmdb:${join(directory, `map-${++count}`)}`;

async function objects(...args: string[]): Promise<unknown[]> {
  const { code, stdout, stderr } = await popbsmtp(...args);
  assert.equal(code, 0, stderr);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line));
}

/** The rows, as `postmap -s` prints them. */
async function listed(map: string): Promise<string[]> {
  const { stdout } = await popbsmtp('list', '--json', '--map', map);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line): { ip: string; value: string } => JSON.parse(line))
    .map(({ ip, value }) => `${ip}\t${value}`);
}

describe('match', () => {
  test('prints one object for each event, with the number of its line', async () => {
    const event = 'login';
    assert.deepEqual(await objects('match', '--json', log), [
      {
        line: 1,
        event,
        server: 'dovecot',
        ip: '192.0.2.1',
        user: 'anna',
        time: '2002-03-22T10:00:00Z',
        encrypted: false,
      },
      {
        line: 4,
        event,
        server: 'courier',
        ip: '192.0.2.2',
        user: 'nick',
        time: '2002-03-22T10:05:00Z',
        encrypted: false,
      },
      {
        line: 5,
        event,
        server: 'dovecot',
        ip: '192.0.2.1',
        user: 'anna',
        time: '2002-03-22T10:10:00Z',
        encrypted: false,
      },
      {
        line: 7,
        event: 'logout',
        server: 'courier',
        ip: '192.0.2.2',
        user: 'nick',
        time: '2002-03-22T10:11:00Z',
      },
      {
        line: 8,
        event,
        server: 'uw-imap',
        ip: '127.0.0.1',
        user: 'jürgen',
        time: '2002-03-22T10:12:00Z',
        encrypted: null,
      },
      {
        line: 10,
        event,
        server: 'qpopper',
        ip: '192.0.2.3',
        user: 'eva',
        time: '2002-03-22T10:22:00Z',
        encrypted: null,
      },
    ]);
  });

  test('reads standard input, and a last line without an end', async () => {
    const input = LOG.slice(0, 4).join('\n');
    const { stdout } = await runProgram(process.execPath, [MAIN, 'match', '-'], { input });
    assert.deepEqual(
      stdout
        .split('\n')
        .slice(0, -1)
        .map(line => line.replace(/ ts=.* ip=/, ' ip=')),
      [
        '1: login ip=192.0.2.1 user="anna" server=dovecot',
        '4: login ip=192.0.2.2 user="nick" server=courier',
      ],
    );
  });
});

describe('replay', () => {
  test('tells what would have happened, and leaves the map as it would have been', async () => {
    const map = newMap();
    const { code, stdout, stderr } = await popbsmtp(
      'replay',
      log,
      '--debug',
      '--map',
      map,
      '--mynetworks',
      'none',
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.split('\n').slice(0, -1), [
      'read ts=Mar 22 11:00:00 ip=192.0.2.1',
      '    accepted --- not in mynetworks',
      '    written ok',
      'read ts=Mar 22 11:05:00 ip=192.0.2.2',
      '    accepted --- not in mynetworks',
      '    written ok',
      'read ts=Mar 22 11:10:00 ip=192.0.2.1',
      'logout ts=Mar 22 11:11:00 ip=192.0.2.2',
      'read ts=Mar 22 11:12:00 ip=127.0.0.1',
      '    ignored --- excluded',
      'read ts=Mar 22 11:22:00 ip=192.0.2.3',
      '    accepted --- not in mynetworks',
      '    written ok',
    ]);
    assert.match(
      stderr,
      /3 granted, 1 refreshed, 1 ignored; 0 purged; 3 grants at Fri Mar 22 11:22:00 2002/,
    );
    assert.deepEqual(await listed(map), [
      '192.0.2.1\t1016791800',
      '192.0.2.2\t1016791860',
      '192.0.2.3\t1016792520',
    ]);
  });

  test('says the same as JSON', async () => {
    const found = await objects(
      'replay',
      '--json',
      log,
      '--map',
      newMap(),
      '--mynetworks',
      '192.0.2.0/31',
    );
    assert.deepEqual(found.slice(0, 3), [
      {
        event: 'login',
        outcome: 'ignored',
        reason: 'in mynetworks',
        server: 'dovecot',
        ip: '192.0.2.1',
        user: 'anna',
        time: '2002-03-22T10:00:00Z',
      },
      {
        event: 'login',
        outcome: 'granted',
        reason: null,
        server: 'courier',
        ip: '192.0.2.2',
        user: 'nick',
        time: '2002-03-22T10:05:00Z',
      },
      {
        event: 'login',
        outcome: 'ignored',
        reason: 'in mynetworks',
        server: 'dovecot',
        ip: '192.0.2.1',
        user: 'anna',
        time: '2002-03-22T10:10:00Z',
      },
    ]);
  });

  test('takes away what the map held before, and writes nothing in a dry run', async () => {
    const map = newMap();
    await popbsmtp('replay', log, '--map', map, '--mynetworks', 'none');
    const before = await listed(map);
    const short = join(directory, 'short.log');
    await writeFile(short, `${LOG[9]}\n`);
    await popbsmtp('replay', short, '--map', map, '--mynetworks', 'none', '--nowrite');
    assert.deepEqual(await listed(map), before);
    await popbsmtp('replay', short, '--map', map, '--mynetworks', 'none');
    assert.deepEqual(
      (await listed(map)).map(row => row.replace(/\t.*/, '')),
      ['192.0.2.3'],
    );
  });

  test('does not go by a stamp that the line cannot have been written at', async () => {
    const ahead = join(directory, 'ahead.log');
    const stamped = (time: string, ip: string): string =>
      `${time} mx dovecot: pop3-login: Login: user=<anna>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=1, session=<a>\n`;
    await writeFile(
      ahead,
      stamped('2002-03-22T10:20:00Z', '192.0.2.1') +
        stamped('2002-04-22T10:20:00Z', '192.0.2.2') +
        stamped('2002-03-22T10:22:00Z', '192.0.2.3') +
        stamped('2002-03-22T12:00:00Z', '192.0.2.4'),
    );
    await utimes(ahead, 1_016_792_520, 1_016_792_520);
    const map = newMap();
    await popbsmtp('replay', ahead, '--map', map, '--mynetworks', 'none');
    assert.deepEqual((await listed(map)).sort(), [
      '192.0.2.1\t1016792400',
      '192.0.2.3\t1016792520',
      '192.0.2.4\t1016792520',
    ]);
  });

  test('is one clock for several logs', async () => {
    const next = join(directory, 'next.log');
    await writeFile(next, 'Mar 22 11:30:00 mx cron[1]: later\n');
    await utimes(next, 1_016_793_000, 1_016_793_000);
    const map = newMap();
    const alone = await popbsmtp(
      'replay',
      log,
      next,
      '--debug',
      '--nowrite',
      '--mynetworks',
      'none',
    );
    assert.deepEqual(
      alone.stdout.split('\n').filter(line => line.startsWith('purging')),
      [
        'purging ts=Fri Mar 22 11:10:00 2002 ip=192.0.2.1',
        'purging ts=Fri Mar 22 11:11:00 2002 ip=192.0.2.2',
      ],
    );
    await popbsmtp('replay', log, next, '--map', map, '--mynetworks', 'none');
    assert.deepEqual(
      (await listed(map)).map(row => row.replace(/\t.*/, '')),
      ['192.0.2.3'],
    );
  });
});
