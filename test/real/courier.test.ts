/**
 * Logins of the real Courier in files of rsyslog's and in the journal: every way in which a session ends, and what a stranger can
 * make it log.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Courier, startCourier } from './courier.ts';
import { IMITATIONS, TORN_IMITATIONS } from './imitations.ts';
import { failToLogIn, logIn, openImap, openPop3, type Session } from './login.ts';
import { MAIL_LOG_PROGRAMS, MAIL_LOGS, type MailLog } from './mail-log.ts';
import { type Matched, sorted } from './matching.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { startPopbsmtp } from './popbsmtp.ts';
import { startPostfix } from './postfix.ts';
import type { Daemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, 'postfix', ...MAIL_LOG_PROGRAMS], {
  root: true,
});

for (const [place, startLog] of Object.entries(MAIL_LOGS))
  describe(`Courier in ${place}`, { skip }, () => {
    const rig = new Rig();
    const expected: Matched[] = [];
    let log: MailLog;
    let courier: Courier;
    let daemon: Daemon;

    before(async () => {
      log = await startLog(rig);
      courier = await startCourier(rig, log.enter);
      const postfix = await startPostfix(rig, { mynetworks: '127.0.0.1/32', restrictions: '' });
      daemon = await startPopbsmtp(rig, {
        watchlog: log.watchlog,
        env: log.env,
        map: `lmdb:${join(await rig.directory(), 'pop-before-smtp')}`,
        grace: '15m',
        postfixConfig: postfix.config,
      });
    });
    after(() => rig.close());

    const expect = (from: string): void => {
      for (const event of ['login', 'logout'] as const)
        expected.push({ event, server: 'courier', ip: from, user: courier.account.user });
    };

    const ended = (): Promise<unknown> =>
      waitFor(
        'the sessions to end',
        async () => (await log.lines()).filter(endsSession).length === expected.length / 2,
        { seen: async () => (await log.lines()).join('\n') },
      );

    test('a POP3 and an IMAP login are granted', async () => {
      for (const [open, endpoint] of [
        [openPop3, courier.pop3('127.0.0.2')],
        [openImap, courier.imap('127.0.0.3')],
      ] as const) {
        const from = daemon.lines.length;
        expect(endpoint.from);
        await logIn(open, endpoint, courier.account);
        await daemon.waitForLine(
          new RegExp(`^read ts=.* ip=${endpoint.from.replaceAll('.', '\\.')}$`),
          from,
        );
        await daemon.waitForLine(/^ {4}written ok$/, from);
      }
    });

    test('each session that ends, in whatever way, is one logout', async () => {
      const begin = async (protocol: 'pop3' | 'imap', from: string): Promise<Session> => {
        const open = protocol === 'imap' ? openImap : openPop3;
        const session = await open(courier[protocol](from), courier.account);
        assert.ok(session.accepted, session.answer);
        expect(from);
        return session;
      };
      await (await begin('pop3', '127.0.0.13')).logout();
      await (await begin('imap', '127.0.0.14')).logout();
      await (await begin('pop3', '127.0.0.15')).drop();
      await (await begin('imap', '127.0.0.16')).drop();
      (await begin('pop3', '127.0.0.17')).dialog.reset();
      (await begin('imap', '127.0.0.18')).dialog.reset();
      await ended();
      const idle = await begin('pop3', '127.0.0.11');
      await courier.timeOutPop3();
      await ended();
      await idle.drop();
      const verbs = (await log.lines()).flatMap(
        line => /: ([A-Za-z]+), user=.*127\.0\.0\.1\d\]/.exec(line)?.[1] ?? [],
      );
      const ofPop3 = verbs.includes('disc') ? 'disc' : 'TIMEOUT';
      assert.deepEqual([...new Set(verbs)].sort(), ['DISCONNECTED', 'LOGIN', 'LOGOUT', ofPop3]);
      for (const [form, events] of Object.entries(await log.events()))
        assert.deepEqual(events, sorted(expected), form);
    });

    // The last, since no login counts for a while behind a line that the server has torn.
    test('logins that fail are none, whatever the name', async () => {
      let count = 0;
      // At once: it answers each of them after some seconds.
      for (const [open, at, names] of [
        [openPop3, courier.pop3, IMITATIONS],
        [openImap, courier.imap, [...IMITATIONS, ...TORN_IMITATIONS]],
      ] as const)
        await Promise.all(
          names.map(user => failToLogIn(open, at(`127.0.2.${++count}`), { user, password: 'x' })),
        );
      // A process of its own takes them to the log.
      const failed = async (): Promise<number> =>
        (await log.lines()).filter(line => line.includes(': LOGIN FAILED, ')).length;
      await waitFor('the failures', async () => (await failed()) >= count);
      assert.equal(await failed(), count);
      for (const [form, events] of Object.entries(await log.events()))
        assert.deepEqual(events, sorted(expected), form);
    });
  });

const endsSession = (line: string): boolean =>
  /: (?:LOGOUT|DISCONNECTED|TIMEOUT|disc), user=/.test(line);
