/**
 * Logins of the real Courier through the real rsyslog, and every way in which a session ends.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Courier, startCourier } from './courier.ts';
import { logIn, openImap, openPop3, type Session } from './login.ts';
import { eventsIn, type Matched, sorted } from './matching.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { startPopbsmtp } from './popbsmtp.ts';
import { startPostfix } from './postfix.ts';
import type { Daemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, type Rsyslog, startRsyslog } from './rsyslog.ts';
import { linesOf, waitFor } from './wait.ts';

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
      .flatMap(line => /: ([A-Za-z]+), user=/.exec(line)?.[1] ?? []);
    const ofPop3 = verbs.includes('disc') ? 'disc' : 'TIMEOUT';
    assert.deepEqual([...new Set(verbs)].sort(), ['DISCONNECTED', 'LOGIN', 'LOGOUT', ofPop3]);
    for (const log of [syslog.log, syslog.traditional]) {
      const since = (await eventsIn(log)).filter(({ ip }) => /^127\.0\.0\.1\d$/.test(ip ?? ''));
      assert.deepEqual(since, sorted(expected));
    }
  });
});

const endsSession = (line: string): boolean =>
  /: (?:LOGOUT|DISCONNECTED|TIMEOUT|disc), user=/.test(line);
