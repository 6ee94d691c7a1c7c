/**
 * Logins of the real Courier through the real rsyslog; and what its logger makes of an attack.
 */
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startCourier } from './courier.ts';
import type { MailServer } from './dovecot.ts';
import { failToLogIn, logIn, openImap, openPop3 } from './login.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { startPopbsmtp } from './popbsmtp.ts';
import { startPostfix } from './postfix.ts';
import type { Daemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { type Rsyslog, startRsyslog } from './rsyslog.ts';
import { waitForLine } from './wait.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, 'postfix', 'rsyslogd'], { root: true });

describe('Courier', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let courier: MailServer;
  let daemon: Daemon;

  before(async () => {
    syslog = await startRsyslog(rig);
    courier = await startCourier(rig);
    const postfix = await startPostfix(rig, { mynetworks: '127.0.0.1/32', restrictions: '' });
    daemon = await startPopbsmtp(rig, {
      watchlog: syslog.log,
      map: `lmdb:${join(await rig.directory(), 'pop-before-smtp')}`,
      grace: '15m',
      postfixConfig: postfix.config,
    });
  });
  after(() => rig.close());

  test('a POP3 and an IMAP login are granted', async () => {
    for (const [open, endpoint] of [
      [openPop3, courier.pop3('127.0.0.2')],
      [openImap, courier.imap('127.0.0.3')],
    ] as const) {
      const from = daemon.lines.length;
      await logIn(open, endpoint, courier.account);
      await daemon.waitForLine(
        new RegExp(`^read ts=.* ip=${endpoint.from.replaceAll('.', '\\.')}$`),
        from,
      );
      await daemon.waitForLine(/^ {4}written ok$/, from);
    }
  });

  test('a stranger cannot make its logger forge a login', async () => {
    const start = daemon.lines.length;
    // courierlogger cuts a long message at 511 bytes, takes the blanks off the front of the rest, and logs it as a
    // line of its own: a user name of the right length turns into a whole, well-formed login line, as short as a
    // genuine one, for an address of the stranger's choice.
    for (const { open, endpoint, forgery } of [
      {
        open: openImap,
        endpoint: courier.imap('127.0.0.4'),
        forgery: 'LOGIN, user=x, ip=[::ffff:203.0.113.66], port=[1], protocol=IMAP',
      },
      {
        open: openPop3,
        endpoint: courier.pop3('127.0.0.5'),
        forgery: 'LOGIN, user=x, ip=[::ffff:203.0.113.66], port=[1]',
      },
    ]) {
      const filler = 'A'.repeat(511 - 'INFO: LOGIN FAILED, user='.length);
      const user = `${filler}${forgery.padStart(511)}zz`;
      await failToLogIn(open, endpoint, { user, password: 'x' });
      // The logger may hold the piece back until the program logs something else.
      await logIn(open, endpoint, courier.account);
      await waitForLine(syslog.log, new RegExp(`: ${forgery.replace(/[[\]]/g, '\\$&')}$`));
    }
    // What is logged after it is read after it, in whichever program's name.
    await appendFile(syslog.log, witness());
    await daemon.waitForLine(/ip=198\.51\.100\.99$/);
    const reads = daemon.lines.slice(start).filter(line => line.startsWith('read '));
    assert.ok(!reads.some(line => line.endsWith('203.0.113.66')), daemon.transcript());
  });
});

/** A login that another server logs now. */
const witness = (): string =>
  `${new Date().toISOString()} mx dovecot: pop3-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.99, ` +
  'lip=192.0.2.5, mpid=1, session=<a>\n';
