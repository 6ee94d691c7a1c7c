/**
 * A Dovecot whose elements stand in another order and whose lines have another tag, as the real doveconf tells the daemon.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { keysOf } from '../cli/watched-log.ts';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { failToLogIn, logIn, openImap, openPop3 } from './login.ts';
import { MAIN } from './popbsmtp.ts';
import { mustRun, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, type Rsyslog, startRsyslog } from './rsyslog.ts';
import { linesOf, waitFor } from './wait.ts';

const skip = requirePrograms(['dovecot', 'doveconf', 'mount', 'umount', ...RSYSLOG_PROGRAMS], {
  root: true,
});

const ELEMENTS = 'session=<%{session}> user=<%u> %c rip=%r lip=%l method=%m';
const INSTANCE = 'mailstore';
/** What doveconf reads unless told otherwise; the files of these tests are seen by nobody else. */
const CONFIGURATION = '/etc/dovecot/dovecot.conf';
const [POP3, IMAP, WRONG, LAST] = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'] as const;

describe('elements and instance_name, as doveconf tells them', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let dovecot: Dovecot;

  before(async () => {
    syslog = await startRsyslog(rig);
    dovecot = await startDovecot(rig, { elements: ELEMENTS, instance: INSTANCE });
  });
  after(() => rig.close());

  test('the logins are granted, and none from elsewhere', async () => {
    await mustRun('mount', ['--bind', dovecot.configuration, CONFIGURATION]);
    rig.defer(() => mustRun('umount', [CONFIGURATION]));
    const map = `lmdb:${join(await rig.directory(), 'pop-before-smtp')}`;
    const daemon = startDaemon(rig, process.execPath, [
      ...[MAIN, 'run', '--debug', '--watchlog', syslog.log],
      ...['--map', map, '--mynetworks', 'none', '--exclude', 'none'],
    ]);
    await waitFor('popbsmtp', () => daemon.stderr.includes('watching'), {
      seen: () => daemon.transcript(),
    });
    const { account } = dovecot;
    await logIn(openPop3, dovecot.pop3(POP3), account);
    await logIn(openImap, dovecot.imap(IMAP), account);
    await failToLogIn(openImap, dovecot.imap(WRONG), { ...account, password: 'wrong' });
    await logIn(openImap, dovecot.imap(LAST), account);
    await daemon.waitForLine(new RegExp(`ip=${LAST}$`));
    await waitFor('the rows', async () => (await keysOf(map)).length === 3, {
      seen: () => daemon.transcript(),
    });
    assert.deepEqual((await keysOf(map)).sort(), [POP3, IMAP, LAST]);
    const logins = (await linesOf(syslog.log)).filter(line => line.includes(`rip=${POP3}, `));
    assert.match(logins[0] ?? '', / mailstore: pop3-login: Log(?:in|ged in): session=</);
  });
});
