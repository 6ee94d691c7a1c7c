/**
 * Logins of the real Courier through the real rsyslog, every way in which a session ends, and what its logger
 * makes of an attack.
 */
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Courier, startCourier } from './courier.ts';
import { failToLogIn, logIn, openImap, openPop3, type Session } from './login.ts';
import { eventsIn, type Matched, sorted } from './matching.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { startPopbsmtp } from './popbsmtp.ts';
import { startPostfix } from './postfix.ts';
import type { Daemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, type Rsyslog, startRsyslog } from './rsyslog.ts';
import { linesOf, waitFor, waitForLine } from './wait.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, 'postfix', ...RSYSLOG_PROGRAMS], { root: true });

describe('Courier', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let courier: Courier;
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

  test('each session that ends, in whatever way, is one logout', async () => {
    const started = (await linesOf(syslog.log)).length;
    const expected: Matched[] = [];
    const begin = async (protocol: 'pop3' | 'imap', from: string): Promise<Session> => {
      const open = protocol === 'imap' ? openImap : openPop3;
      const session = await open(courier[protocol](from), courier.account);
      assert.ok(session.accepted, session.answer);
      for (const event of ['login', 'logout'] as const) {
        expected.push({ event, server: 'courier', ip: from, user: courier.account.user });
      }
      return session;
    };
    const ended = (count: number): Promise<unknown> =>
      waitFor(
        `${count} sessions to end`,
        async () => (await linesOf(syslog.log)).slice(started).filter(endsSession).length === count,
        { seen: async () => (await linesOf(syslog.log)).slice(started).join('\n') },
      );
    await (await begin('pop3', '127.0.0.13')).logout();
    await (await begin('imap', '127.0.0.14')).logout();
    await (await begin('pop3', '127.0.0.15')).drop();
    await (await begin('imap', '127.0.0.16')).drop();
    (await begin('pop3', '127.0.0.17')).dialog.reset();
    (await begin('imap', '127.0.0.18')).dialog.reset();
    await ended(6);
    const idle = await begin('pop3', '127.0.0.11');
    await courier.timeOutPop3();
    await ended(7);
    await idle.drop();
    await syslog.settle();
    const verbs = (await linesOf(syslog.log))
      .slice(started)
      .flatMap(line => /: ([A-Z]+), user=/.exec(line)?.[1] ?? []);
    assert.deepEqual([...new Set(verbs)].sort(), ['DISCONNECTED', 'LOGIN', 'LOGOUT', 'TIMEOUT']);
    for (const log of [syslog.log, syslog.traditional]) {
      const since = (await eventsIn(log)).filter(({ ip }) => /^127\.0\.0\.1\d$/.test(ip ?? ''));
      assert.deepEqual(since, sorted(expected));
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

const endsSession = (line: string): boolean =>
  /: (?:LOGOUT|DISCONNECTED|TIMEOUT), user=/.test(line);

/** A login that another server logs now. */
const witness = (): string =>
  `${new Date().toISOString()} mx dovecot: pop3-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.99, ` +
  'lip=192.0.2.5, mpid=1, session=<a>\n';
