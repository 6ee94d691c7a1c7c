/**
 * The doctor on the real journal: it counts the logins that the daemon would believe.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertFound, findingsOf, Installation } from './doctor-world.ts';
import { JOURNAL_PROGRAMS, type Journal, startJournal } from './journal.ts';
import { MAIN } from './popbsmtp.ts';
import { type Result, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms([...JOURNAL_PROGRAMS, 'postconf', 'postmap'], { root: true });

const LOGIN =
  'pop3-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=1, session=<a>';

describe('the doctor on the journal', { skip }, () => {
  const rig = new Rig();
  let installation: Installation;
  let journal: Journal;
  let path: string;

  before(async () => {
    ({ installation } = await Installation.make(rig));
    journal = await startJournal(rig);
    path = `${dirname(await journal.entrance('journalctl'))}:${process.env['PATH'] ?? ''}`;
  });
  after(() => rig.close());

  const doctor = (): Promise<Result> => {
    const args = installation.options({ '--watchlog': 'journal' });
    return runProgram(process.execPath, [MAIN, 'doctor', '--json', '--no-smtp', ...args], {
      env: { PATH: path },
    });
  };

  const log = (text: string, ...as: string[]): Promise<string> =>
    journal.run('setpriv', [...as, 'logger', '-p', 'mail.info', '-t', 'dovecot', text]);

  test('that nothing has been logged in', async () => {
    assertFound(await doctor(), [
      ['log', 'warning', /the journal has no entry of a POP3/],
      ['policy', 'skipped', /no login in the log/],
    ]);
  });

  test('that a server and a stranger have written to', async () => {
    await log(LOGIN, '--reuid=65534', '--clear-groups');
    await log(LOGIN);
    await waitFor('the entry', async () => {
      const found = await journal.run('journalctl', ['--no-pager', '--identifier=dovecot']);
      return found.split('Login: user=').length === 3;
    });
    const result = await doctor();
    assertFound(result, []);
    const logins = findingsOf(result).find(({ check }) => check === 'logins');
    assert.match(logins?.what ?? '', /^recognised among the last 1 line: dovecot 1, the last one/);
  });
});
