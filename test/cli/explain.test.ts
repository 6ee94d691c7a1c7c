/**
 * `explain` as a command: what it says on a terminal and to programs.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { runProgram } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';

process.env['TZ'] = 'Europe/Berlin';

const rig = new Rig();
let root: string;
before(async () => {
  root = await rig.directory();
});
after(() => rig.close());

const LOGIN = (time: string, ip: string): string =>
  `${time} mx dovecot[7]: imap-login: Login: user=<anna>, method=PLAIN, rip=${ip}, lip=198.51.100.5, mpid=1, session=<a>`;
const OLD = '2002-03-22T10:00:00Z';
/** Late enough not to be too old, whenever the test runs: what lies in the future by less than a day counts as now. */
const LATE = new Date(Date.now() + 12 * 3_600_000).toISOString();
const FUTURE = '2099-01-01T00:00:00Z';
const ALONE = ['--mynetworks', 'none'] as const;

/** The rows of a text, by their labels. */
async function explained(...args: readonly string[]): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await popbsmtp('explain', ...args);
  assert.deepEqual([code, stderr], [0, '']);
  return rowsOf(stdout);
}

const rowsOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split('\n')
      .slice(0, -1)
      .map(line => [line.slice(0, 11).trim(), line.slice(11)]),
  );

describe('Dovecot as it is configured', () => {
  const AT = `${LATE} mx dovecot: imap-login: Login:`;

  test('its elements in another order, as the option says them', async () => {
    const line = `${AT} rip=198.51.100.7, user=<anna>, TLS`;
    const elements = ['--dovecot-elements', 'rip=%r user=<%u> %c'];
    const rows = await explained(line, ...elements, '--require-tls', ...ALONE);
    assert.match(rows['result'] ?? '', /^login ip=198\.51\.100\.7 user="anna"/);
    assert.equal(rows['encrypted'], 'yes');
    assert.match(rows['grant'] ?? '', /^until /);
    const without = await explained(line, ...ALONE);
    assert.match(without['result'] ?? '', /^no login: /);
  });

  test('an order that a client could imitate something in is an error that says what to do', async () => {
    const { code, stderr } = await popbsmtp(
      'match',
      '--dovecot-elements',
      'user=%u rip=%r lip=%l',
      '-',
    );
    assert.equal(code, 64);
    assert.match(
      stderr,
      /^popbsmtp: --dovecot-elements: "user=%u" holds what a client may choose, .*; write user=<…> .*\n$/,
    );
  });

  test('TLS where it is not known to stand is told as such, and as no plain connection', async () => {
    const line = `${AT} user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, zone=eu, TLS, session=<a>`;
    const rows = await explained(line, '--require-tls', ...ALONE);
    assert.match(rows['encrypted'] ?? '', /^not known: the line speaks of TLS/);
    assert.match(rows['grant'] ?? '', /^none: /);
  });

  test('under another instance_name: how its tag is named', async () => {
    const rows = await explained(
      `${LATE} mx mailstore: imap-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=9`,
      ...ALONE,
    );
    assert.match(rows['result'] ?? '', /^no login: no pattern file names this program$/);
    assert.match(
      rows['hint'] ?? '',
      /dovecot\.toml .*extend = true and programs = \["mailstore"\]/,
    );
  });
});

describe('a line that no pattern describes', () => {
  test('is told with the nearest pattern, and where that stopped', async () => {
    const message =
      'imap-login: Logged on: user=<anna>, method=PLAIN, rip=198.51.100.1, lip=198.51.100.5';
    const rows = await explained(`Mar 22 11:00:00 mx dovecot: ${message}`, ...ALONE);
    assert.match(rows['time'] ?? '', /^[A-Z][a-z]{2} Mar 22 11:00:00 \d{4}$/);
    assert.deepEqual([rows['host'], rows['program'], rows['pid']], ['mx', 'dovecot', '-']);
    assert.equal(rows['message'], message);
    assert.match(
      rows['tried'] ?? '',
      /^dovecot login "login", dovecot login "session before the address", /,
    );
    assert.match(rows['result'] ?? '', /^no login: no pattern of this program describes/);
    assert.match(rows['nearest'] ?? '', /^dovecot login "login" in \/.*patterns\/dovecot\.toml$/);
    assert.equal(rows['matched'], '"imap-login: Logged "');
    assert.equal(rows['then came'], `"${message.slice('imap-login: Logged '.length)}"`);
    assert.equal(rows['expected'], '"in: user=<"');
    assert.match(rows['hint'] ?? '', /looks like a login/);
    assert.ok(!('grant' in rows));
  });

  test('is shown so that it cannot command the terminal', async () => {
    const { stdout } = await popbsmtp('explain', 'Mar 22 11:00:00 mx dovecot: \x1b[2Jx', ...ALONE);
    assert.match(stdout, /^message {4}\\x1b\[2Jx$/m);
    assert.ok(!stdout.includes('\x1b'));
  });

  test('is told as such when nobody knows its program, or its prefix', async () => {
    const cron = await explained('Mar 22 11:00:00 mx cron[7]: hello', ...ALONE);
    assert.equal(cron['tried'], 'no pattern');
    assert.match(cron['result'] ?? '', /no pattern file names this program/);
    const bare = await explained('hello', ...ALONE);
    assert.match(bare['result'] ?? '', /its beginning is not understood/);
  });
});

describe('a login', () => {
  test('is told with its pattern, and with the grant that it would lead to', async () => {
    const table: readonly (readonly [string, string, readonly string[], RegExp])[] = [
      [LATE, '198.51.100.1', ['--grace=2h'], /^until .*, 2h after the login$/],
      [OLD, '198.51.100.1', [], /^none: the login is older than the grace period of 15m$/],
      [FUTURE, '198.51.100.1', [], /^none: .* a time more than a day ahead$/],
      [LATE, '127.0.0.1', [], /^none: the address is excluded \(--exclude\)$/],
      [LATE, '198.51.100.1', ['--exclude=198.51.100.0/24'], /^none: the address is excluded/],
      [
        LATE,
        '198.51.100.1',
        ['--mynetworks=198.51.100.0/24'],
        /^none: the address is in mynetworks/,
      ],
    ];
    for (const [time, ip, options, grant] of table) {
      const rows = await explained(LOGIN(time, ip), ...ALONE, ...options);
      assert.equal(rows['result'], `login ip=${ip} user="anna" server=dovecot`);
      assert.match(rows['by'] ?? '', /^dovecot login "login" in /);
      assert.match(rows['grant'] ?? '', grant);
      assert.equal(rows['pid'], '7');
    }
  });

  test('is told without mynetworks where Postfix cannot be asked', async () => {
    const rows = await explained(
      LOGIN(LATE, '198.51.100.1'),
      '--postfix-config',
      join(root, 'none'),
    );
    assert.match(rows['mynetworks'] ?? '', /^not known, and taken for empty: .*--mynetworks/);
    assert.match(rows['grant'] ?? '', /^until /);
  });

  test('is judged by the configuration file, too', async () => {
    const file = join(root, 'popbsmtp.toml');
    await writeFile(file, 'mynetworks = "198.51.100.0/24"\n');
    const rows = await explained(LOGIN(LATE, '198.51.100.1'), '--config', file);
    assert.match(rows['grant'] ?? '', /in mynetworks/);
  });

  test('is recognised by a pattern of one’s own', async () => {
    const own = join(root, 'patterns');
    await mkdir(own);
    await writeFile(
      join(own, 'toyd.toml'),
      `programs = ["toyd"]
      [[login]]
      name = "hello"
      expression = 'hello {ip}'
      match = [{ line = 'Nov 23 00:53:00 mx toyd: hello 198.51.100.1', ip = "198.51.100.1" }]`,
    );
    const line = `${OLD} mx toyd: hello 198.51.100.1`;
    const rows = await explained(line, '--patterns', own, ...ALONE);
    assert.equal(rows['by'], `toyd login "hello" in ${own}/toyd.toml`);
  });
});

test('a wrong option is an error, whatever the line is', async () => {
  const { code, stdout, stderr } = await popbsmtp('explain', 'hello', ...ALONE, '--exclude=x');
  assert.deepEqual([code, stdout], [64, '']);
  assert.match(stderr, /^popbsmtp: --exclude: "x" is not a network/);
});

describe('several lines', () => {
  const FIRST = `${OLD} mx imapd: ${'LOGIN FAILED, user='.padEnd(505, 'A')}`;
  const SECOND = `${OLD} mx imapd: LOGIN, user=x, ip=[203.0.113.66], port=[1], protocol=IMAP`;

  test('are those of one log, in their order', async () => {
    const { stdout } = await popbsmtp('explain', FIRST, SECOND, ...ALONE);
    const [first = '', second = '', ...more] = stdout.split('\n\n');
    assert.equal(more.length, 0);
    for (const text of [`${first}\n`, second])
      assert.match(rowsOf(text)['result'] ?? '', /^no login: it may be a piece of a longer line/);
    const alone = await explained(SECOND, ...ALONE);
    assert.match(alone['result'] ?? '', /^login ip=203\.0\.113\.66/);
  });

  test('come from standard input as they are, bytes and all', async () => {
    const input = Buffer.from(
      `${LOGIN(OLD, '198.51.100.1').replace('anna', 'j\xfcrgen')}\n\nhello`,
      'latin1',
    );
    const file = join(root, 'input');
    await writeFile(file, input);
    for (const operand of ['', ' -']) {
      const script = `"${process.execPath}" "${MAIN}" explain${operand} --json --mynetworks none <"${file}"`;
      const { code, stdout } = await runProgram('sh', ['-c', script]);
      assert.equal(code, 0);
      const objects = stdout
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line));
      assert.deepEqual(
        objects.map(({ event, user }) => [event, user]),
        [
          ['login', 'jürgen'],
          [null, null],
        ],
      );
    }
  });

  test('are one when they are words that nobody has quoted', async () => {
    const rows = await explained(...LOGIN(OLD, '198.51.100.1').split(' '), ...ALONE);
    assert.match(rows['result'] ?? '', /^login ip=198\.51\.100\.1/);
  });
});

test('JSON says the same in one object', async () => {
  const args = [
    LOGIN(OLD, '198.51.100.1').replace('Login:', 'Logged on:'),
    LOGIN(OLD, '198.51.100.1'),
  ];
  const { stdout } = await popbsmtp('explain', '--json', ...args, ...ALONE);
  const [missed, found] = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  assert.equal(missed.time, OLD);
  assert.equal(missed.event, null);
  assert.equal(missed.reason.kind, 'not described');
  assert.equal(missed.nearest.matched, 'imap-login: Logged ');
  assert.deepEqual(missed.nearest.expected, ['"in: user=<"']);
  assert.equal(missed.loginLike, true);
  assert.equal(missed.grant, null);
  const { event, server, ip, user, reason, grant, tried } = found;
  assert.deepEqual(
    { event, server, ip, user, reason },
    { event: 'login', server: 'dovecot', ip: '198.51.100.1', user: 'anna', reason: null },
  );
  assert.deepEqual(grant, { outcome: 'ignored', until: null, reason: 'too old', mynetworks: null });
  assert.equal(tried[0].rest, '');
});
