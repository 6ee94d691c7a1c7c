/**
 * Logins of the real Dovecot in files of rsyslog's and in the journal, every way in which a session ends, and what a stranger
 * can make it log when its restriction on user names is lifted.
 *
 * Not among the ends: inactivity, for which Dovecot waits 10 minutes (POP3) or 30 (IMAP), whatever the settings.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Dialog } from './dialog.ts';
import { type Dovecot, LOGIN_LINE, startDovecot } from './dovecot.ts';
import { IMITATIONS, TORN_IMITATIONS, VICTIM } from './imitations.ts';
import { failToLogIn, logIn, type Open, openImap, openPop3, type Session } from './login.ts';
import { MAIL_LOG_PROGRAMS, MAIL_LOGS, type MailLog } from './mail-log.ts';
import { type Matched, sorted } from './matching.ts';
import { popbsmtp } from './popbsmtp.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(['dovecot', 'doveadm', ...MAIL_LOG_PROGRAMS], { root: true });

const login = (ip: string, user = 'anna'): Matched => ({
  event: 'login',
  server: 'dovecot',
  ip,
  user,
});
/** It says no address. */
const LOGOUT: Matched = { event: 'logout', server: 'dovecot', ip: null, user: 'anna' };

/** The lines of the processes that serve a session, which is over then. */
const ENDED = /dovecot(?:\[\d+\])?: (?:imap|pop3)\(.*\)<\d+><[^<>]*>: Disconnected/;

const sessionsEnd = (log: MailLog, count: number): Promise<unknown> =>
  waitFor(
    `${count} sessions to end`,
    async () => (await log.lines()).filter(line => ENDED.test(line)).length === count,
    { seen: async () => (await log.lines()).join('\n') },
  );

/** An IMAP client that leaves while a command runs, the address, and what it said. */
const UNFINISHED = [
  ['127.0.0.21', 'b SELECT INBOX\r\nc IDLE\r\n', /^\+/],
  ['127.0.0.22', 'b APPEND INBOX {100}\r\n', /^\+/],
  ['127.0.0.23', 'b SELECT INBOX\r\nc FETCH 1:* (fl', /^b OK/],
] as const;

for (const [place, startLog] of Object.entries(MAIL_LOGS))
  describe(`sessions of Dovecot, in ${place}`, { skip }, () => {
    const rig = new Rig();
    const from: string[] = [];
    let log: MailLog;
    let dovecot: Dovecot;

    before(async () => {
      log = await startLog(rig);
      dovecot = await startDovecot(rig, { enter: log.enter });
      await both('127.0.0.2', session => session.logout());
      await both('127.0.0.3', session => session.drop());
      await both('127.0.0.4', async ({ dialog }) => dialog.reset());
      await both('127.0.0.5', tooManyErrors);
      await both('127.0.0.6', async session => {
        await dovecot.kick();
        await session.drop();
      });
      for (const [address, words, answer] of UNFINISHED) {
        const { dialog } = await start(openImap, address);
        dialog.send(words);
        await dialog.until(answer);
        await dialog.close();
      }
      await endWithoutLogin();
      const open = [await start(openPop3, '::1'), await start(openImap, '::1')];
      await dovecot.stop();
      for (const session of open) await session.drop();
      await sessionsEnd(log, from.length);
    });
    after(() => rig.close());

    async function start(open: Open, address: string): Promise<Session> {
      const endpoint = open === openImap ? dovecot.imap(address) : dovecot.pop3(address);
      const session = await open(endpoint, dovecot.account);
      assert.ok(session.accepted, session.answer);
      from.push(address);
      return session;
    }

    async function both(address: string, end: (session: Session) => Promise<void>): Promise<void> {
      for (const open of [openPop3, openImap]) await end(await start(open, address));
    }

    /** Neither a login nor its end. */
    async function endWithoutLogin(): Promise<void> {
      for (const [endpoint, words] of [
        [dovecot.pop3('127.0.0.9'), 'QUIT\r\n'],
        [dovecot.imap('127.0.0.9'), 'a LOGOUT\r\n'],
        [dovecot.pop3('127.0.0.9'), ''],
        [dovecot.imap('127.0.0.9'), ''],
      ] as const) {
        const dialog = await Dialog.open(endpoint);
        await dialog.until(/OK/);
        dialog.send(words);
        await dialog.close();
      }
    }

    test('each login with its address, and one logout for each', async () => {
      const expected = sorted([...from.map(ip => login(ip)), ...from.map(() => LOGOUT)]);
      for (const [form, events] of Object.entries(await log.events()))
        assert.deepEqual(events, expected, form);
    });
  });

/** Until the server has had enough. */
async function tooManyErrors({ dialog }: Session): Promise<void> {
  dialog.send('x BOGUS\r\n'.repeat(30));
  await dialog.close();
}

for (const [place, startLog] of Object.entries(MAIL_LOGS))
  describe(`what a stranger can have Dovecot log, in ${place}`, { skip }, () => {
    const rig = new Rig();
    /** Should names like these ever belong to accounts. */
    const harmless = `x, method=PLAIN, rip=${VICTIM}, lip=127.0.0.1`;
    const hostile = `x>, method=PLAIN, rip=${VICTIM}, lip=127.0.0.1, mpid=1, session=<a`;
    let log: MailLog;
    let dovecot: Dovecot;

    before(async () => {
      log = await startLog(rig);
      dovecot = await startDovecot(rig, {
        enter: log.enter,
        usernameChars: '',
        users: [harmless, hostile],
      });
      await refuse(openPop3, IMITATIONS);
      await refuse(openImap, [...IMITATIONS, ...TORN_IMITATIONS]);
      await identify();
      const { password } = dovecot.account;
      await logIn(openPop3, dovecot.pop3('127.0.0.2'), { user: harmless, password });
      await logIn(openImap, dovecot.imap('127.0.0.3'), { user: hostile, password });
      await logIn(openImap, dovecot.imap('127.0.0.4'), dovecot.account);
      await sessionsEnd(log, 3);
    });
    after(() => rig.close());

    /** All at once, since Dovecot answers failures twice a second. */
    async function refuse(open: Open, users: readonly string[]): Promise<void> {
      const endpoint = open === openImap ? dovecot.imap('127.0.0.9') : dovecot.pop3('127.0.0.9');
      await Promise.all(users.map(user => failToLogIn(open, endpoint, { user, password: 'x' })));
    }

    /** In IMAP's ID, before a login. */
    async function identify(): Promise<void> {
      for (const text of IMITATIONS) {
        const quoted = `"${text.replace(/["\\\x80-\xff]/g, '?')}"`;
        const dialog = await Dialog.open(dovecot.imap('127.0.0.9'));
        await dialog.until(/^\* OK/);
        dialog.send(`a ID ("name" ${quoted} "x: user=<x>, rip=${VICTIM}" "1")\r\n`);
        await dialog.until(/^a /);
        await dialog.close();
      }
    }

    test('the names are in the log as they were given', async () => {
      const lines = await log.lines();
      // 2.4 logs no ID; `imap_id_log` is gone.
      const ids = dovecot.version.startsWith('2.3.')
        ? ['ID sent: name=imap-login: Login: user=<x>']
        : [];
      for (const words of [`user=<${hostile}>`, ...ids]) {
        assert.ok(
          lines.some(line => line.includes(words)),
          words,
        );
      }
    });

    test('no login but the good ones, and none from elsewhere', async () => {
      for (const [form, events] of Object.entries(await log.events())) {
        const logins = events.filter(({ event }) => event === 'login');
        // The hostile name costs its owner the grant.
        assert.deepEqual(logins, [login('127.0.0.2', harmless), login('127.0.0.4')], form);
      }
    });

    test('no session of the account ends but its own', async () => {
      for (const [form, events] of Object.entries(await log.events())) {
        const logouts = events.filter(({ event, user }) => event === 'logout' && user === 'anna');
        assert.deepEqual(logouts, [LOGOUT], form);
      }
    });
  });

for (const [place, startLog] of Object.entries(MAIL_LOGS))
  describe(`its elements in another order, in ${place}`, { skip }, () => {
    const ELEMENTS =
      'session=<%{session}> user=<%u> %c rip=%r rport=%b lip=%l orig=<%{orig_user}> %k method=%m';
    const OPTION = ['--dovecot-elements', ELEMENTS] as const;
    const rig = new Rig();
    const PLAIN = ['127.0.0.2', '127.0.0.3'] as const;
    const ENCRYPTED = '127.0.0.4';
    let log: MailLog;

    before(async () => {
      log = await startLog(rig);
      const dovecot = await startDovecot(rig, {
        enter: log.enter,
        elements: ELEMENTS,
        tls: true,
      });
      const { account } = dovecot;
      await logIn(openPop3, dovecot.pop3(PLAIN[0]), account);
      await logIn(openImap, dovecot.imap(PLAIN[1]), account);
      await logIn(openImap, dovecot.imaps(ENCRYPTED), account);
      await sessionsEnd(log, 3);
    });
    after(() => rig.close());

    test('each login with its address, and none from elsewhere', async () => {
      for (const [form, events] of Object.entries(await log.events(...OPTION))) {
        const logins = events.filter(({ event }) => event === 'login');
        assert.deepEqual(
          logins,
          [...PLAIN, ENCRYPTED].map(ip => login(ip)),
          form,
        );
      }
    });

    test('without the option they are not recognised', async () => {
      for (const [form, events] of Object.entries(await log.events()))
        assert.deepEqual(
          events.filter(({ event }) => event === 'login'),
          [],
          form,
        );
    });

    test('TLS is said of the encrypted login alone', async () => {
      const logins = (await log.lines()).filter(line => LOGIN_LINE.test(line));
      const { stdout } = await popbsmtp(
        'explain',
        '--json',
        ...OPTION,
        '--mynetworks',
        'none',
        ...logins,
      );
      const told = stdout
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line));
      assert.deepEqual(
        told.filter(({ event }) => event === 'login').map(({ ip, tls }) => [ip, tls]),
        [...PLAIN.map(ip => [ip, false]), [ENCRYPTED, true]],
      );
    });
  });
