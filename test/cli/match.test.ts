/**
 * What `match` says at its end, on standard error.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { runProgram } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';

const rig = new Rig();
let root: string;
before(async () => {
  root = await rig.directory();
});
after(() => rig.close());

const COURIER =
  'Mar 22 11:05:00 mx imapd: LOGIN, user=nick, ip=[192.0.2.2], port=[1], protocol=IMAP';
const DOVECOT =
  'Mar 22 11:00:00 mx dovecot: imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.5';
const LOGOUT = 'Mar 22 11:00:00 mx dovecot: imap(a): Disconnected: Logged out in=120 out=757';
const MISSED = DOVECOT.replace('Login:', 'Logged on:');
const FAILED = DOVECOT.replace('Login:', 'Aborted login (auth failed, 1 attempts in 2 secs):');
const FOREIGN = MISSED.replace('dovecot:', 'postfix/smtpd[7]:');

async function summaryOf(...lines: readonly string[]): Promise<string[]> {
  const input = `${lines.join('\n')}\n`;
  const { code, stderr } = await runProgram(process.execPath, [MAIN, 'match', '-'], { input });
  assert.equal(code, 0);
  return stderr.split('\n').slice(0, -1);
}

describe('the summary', () => {
  test('counts lines, logins and logouts by server', async () => {
    const lines = [DOVECOT, COURIER, DOVECOT, LOGOUT, FAILED, FOREIGN];
    assert.deepEqual(await summaryOf(...lines), [
      '6 lines, 3 logins, 1 logout',
      '    courier: 1 login, 0 logouts',
      '    dovecot: 2 logins, 1 logout',
    ]);
  });

  test('says how many lines were skipped', async () => {
    assert.deepEqual(await summaryOf(FOREIGN, '', `Mar 22 11:00:00 mx x: ${'x'.repeat(9000)}`), [
      '3 lines, 0 logins, 0 logouts',
      '1 line of more than 8192 bytes skipped',
    ]);
  });

  test('shows up to five lines that look like logins and are not recognised', async () => {
    const hostile = MISSED.replace('<a>', '<\x1b[2J>');
    const lines = [FAILED, hostile, MISSED, FOREIGN, MISSED, MISSED, MISSED, MISSED, MISSED];
    const [count, missed, first, ...others] = await summaryOf(...lines);
    assert.equal(count, '9 lines, 0 logins, 0 logouts');
    assert.equal(
      missed,
      '7 lines look like logins but were not recognised; "popbsmtp explain" tells why:',
    );
    assert.equal(first, `    standard input:2: ${MISSED.replace('<a>', '<\\x1b[2J>')}`);
    assert.deepEqual(
      others,
      [3, 5, 6, 7].map(number => `    standard input:${number}: ${MISSED}`),
    );
  });

  test('says that somebody is tearing lines, and what was passed over for it', async () => {
    const at = COURIER.slice(0, COURIER.indexOf('LOGIN'));
    const lines = [`${at}LOGIN FAILED, user=A`, at, COURIER, COURIER];
    assert.deepEqual(await summaryOf(...lines, COURIER.replace('imapd', 'pop3d')), [
      '5 lines, 1 login, 0 logouts',
      '    courier: 1 login, 0 logouts',
      'somebody is tearing lines of imapd: of 4 lines that a stranger may have written, 2 that read like logins were passed over',
    ]);
  });

  test('counts logins under an unknown tag and behind an unknown beginning', async () => {
    const other = DOVECOT.replace('dovecot:', '0123456789ab[7]:');
    const lines = [other, other, `xyz ${DOVECOT}`, FOREIGN];
    const [count, tag, first, beginning, second, ...more] = await summaryOf(...lines);
    assert.equal(count, '4 lines, 0 logins, 0 logouts');
    assert.match(tag ?? '', /^2 lines under the tag 0123456789ab look like logins of dovecot/);
    assert.equal(first, `    standard input:1: ${other}`);
    assert.match(beginning ?? '', /^1 line looks like a login of dovecot, but its beginning/);
    assert.equal(second, `    standard input:3: xyz ${DOVECOT}`);
    assert.deepEqual(more, []);
  });

  test('says of a long log how many logins under an unknown tag there are at least', async () => {
    const other = DOVECOT.replace('dovecot:', '0123456789ab[7]:');
    const before = Array.from({ length: 300 }, () => 'Mar 22 11:00:00 mx 0123456789ab[7]: hello');
    const [, tag] = await summaryOf(...before, ...Array.from({ length: 256 }, () => other));
    assert.match(
      tag ?? '',
      /^at least \d+ lines? under the tag 0123456789ab looks? like (?:a login|logins)/,
    );
  });

  test('shortens long examples', async () => {
    const [, , example = ''] = await summaryOf(`${MISSED}, ${'x'.repeat(500)}`);
    assert.match(example, /x…$/);
    assert.ok(example.length < 250);
  });

  test('is one for all logs, each numbered by itself', async () => {
    const [one, two] = [join(root, 'one.log'), join(root, 'two.log')];
    await writeFile(one, `${DOVECOT}\n${MISSED}\n`);
    await writeFile(two, `${MISSED}\n${DOVECOT}\n`);
    const { stderr } = await popbsmtp('match', one, two);
    assert.deepEqual(stderr.split('\n').slice(0, -1), [
      '4 lines, 2 logins, 0 logouts',
      '    dovecot: 2 logins, 0 logouts',
      '2 lines look like logins but were not recognised; "popbsmtp explain" tells why:',
      `    ${one}:2: ${MISSED}`,
      `    ${two}:1: ${MISSED}`,
    ]);
  });
});
