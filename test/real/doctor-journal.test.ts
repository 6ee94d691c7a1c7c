/**
 * The doctor on the real journal: it counts the logins that the daemon would believe, and the refusals that Postfix has logged.
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
const REFUSED =
  'NOQUEUE: reject: RCPT from unknown[2001:db8::50]: 554 5.7.1 <you@example.net>: Relay access denied; from=<anna@example.org> to=<you@example.net> proto=ESMTP helo=<x>';

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

  const NOBODY = ['--reuid=65534', '--clear-groups'];

  const logAs = (as: readonly string[], tag: string, text: string): Promise<string> =>
    journal.run('setpriv', [...as, 'logger', '-p', 'mail.info', '-t', tag, text]);

  /** Until so many entries under the tag are there. */
  const arrived = (tag: string, number: number): Promise<unknown> =>
    waitFor(`${number} entries of ${tag}`, async () => {
      const args = ['--no-pager', '--quiet', '--output=cat', `--identifier=${tag}`];
      return (await journal.run('journalctl', args)).split('\n').length === number + 1;
    });

  test('that nothing has been logged in', async () => {
    assertFound(await doctor(), [
      ['log', 'warning', /the journal has no entry of a POP3/],
      ['policy', 'skipped', /no login in the log/],
    ]);
  });

  test('that a server and a stranger have written to', async () => {
    await logAs(NOBODY, 'dovecot', LOGIN);
    await logAs([], 'dovecot', LOGIN);
    await arrived('dovecot', 2);
    const result = await doctor();
    assertFound(result, []);
    const logins = findingsOf(result).find(({ check }) => check === 'logins');
    assert.match(logins?.what ?? '', /^recognised among the last 1 line: dovecot 1, the last one/);
  });

  test('in which a stranger, and then Postfix itself, tells of a client that it refused', async () => {
    await logAs(NOBODY, 'postfix/smtpd', REFUSED);
    await arrived('postfix/smtpd', 1);
    assertFound(await doctor(), []);
    await logAs(['--reuid=postfix', '--clear-groups'], 'postfix/smtpd', REFUSED);
    await arrived('postfix/smtpd', 2);
    assertFound(await doctor(), [
      [
        'clients',
        'warning',
        /^anna logged in from 198\.51\.100\.7 and was refused at 2001:db8::50/,
      ],
    ]);
  });
});
