/**
 * `match` and `replay` of the real journal: what the server says is counted, what a local user says is not, and is told.
 */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { JOURNAL_PROGRAMS, type Journal, startJournal } from './journal.ts';
import { MAIN } from './popbsmtp.ts';
import { type Result, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(JOURNAL_PROGRAMS, { root: true });

const message = (ip: string): string =>
  `pop3-login: Login: user=<anna>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=1, session=<${ip}>`;
const STRANGER = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'] as const;

describe('the journal as a finished log', { skip }, () => {
  const rig = new Rig();
  let journal: Journal;
  let path: string;
  let map: string;

  const run = (...args: string[]): Promise<Result> =>
    runProgram(process.execPath, [MAIN, ...args], { env: { PATH: path } });

  before(async () => {
    journal = await startJournal(rig);
    path = `${dirname(await journal.entrance('journalctl'))}:${process.env['PATH'] ?? ''}`;
    map = `lmdb:${join(await rig.directory(), 'map')}`;
    const log = ['-p', 'mail.info', '-t', 'dovecot'];
    await journal.run('logger', [...log, message('198.51.100.1')]);
    await journal.run('logger', ['-p', 'mail.info', '-t', 'postfix/smtpd', 'connect']);
    const [setpriv, ...stranger] = STRANGER;
    await journal.run(setpriv, [...stranger, 'logger', ...log, message('203.0.113.66')]);
    await journal.run('logger', [...log, message('198.51.100.2')]);
    await waitFor('the entries', async () =>
      (await run('match', 'journal')).stdout.includes('198.51.100.2'),
    );
  });
  after(() => rig.close());

  test('match counts what the server said, and tells what it did not', async () => {
    const { code, stdout, stderr } = await run('match', '--json', 'journal');
    assert.equal(code, 0, stderr);
    const events = stdout
      .split('\n')
      .slice(0, -1)
      .map((line): Record<string, unknown> => JSON.parse(line));
    assert.deepEqual(
      events.map(({ ip, encrypted }) => [ip, encrypted]),
      [
        ['198.51.100.1', false],
        ['198.51.100.2', false],
      ],
    );
    assert.match(stderr, /^\d+ lines, 2 logins, 0 logouts$/m);
    assert.match(
      stderr,
      /^popbsmtp: 1 entry of journal under the tag dovecot was not taken, the latest from uid \d+/m,
    );
  });

  test('a local user counts where the administrator says so', async () => {
    const { stderr } = await run('match', '--count', '--journal-trust', 'any', 'journal');
    assert.match(stderr, /^\d+ lines, 3 logins, 0 logouts$/m);
  });

  test('one without a file is refused', async () => {
    const name = `journal:${await rig.directory()}`;
    const { code, stdout, stderr } = await run('match', '--count', name);
    assert.deepEqual([code, stdout], [66, '']);
    assert.match(stderr, /^popbsmtp: cannot read journal:\S+: it has no files; see that /m);
  });

  test('replay plays it', async () => {
    const args = ['--map', map, '--mynetworks', 'none', '--nowrite'];
    const { code, stderr } = await run('replay', ...args, 'journal');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^\d+ lines; logins: 2 granted, 0 refreshed, 0 ignored;/m);
  });
});
