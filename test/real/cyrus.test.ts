/**
 * Logins of the real Cyrus in files of rsyslog's and in the journal.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCyrus } from './cyrus.ts';
import { Dialog, type Endpoint } from './dialog.ts';
import type { MailServer } from './dovecot.ts';
import { IMITATIONS, TORN_IMITATIONS, VICTIM } from './imitations.ts';
import { failToLogIn, logIn, openImap, openPop3 } from './login.ts';
import { MAIL_LOG_PROGRAMS, MAIL_LOGS, type MailLog } from './mail-log.ts';
import { type Matched, sorted } from './matching.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, ...MAIL_LOG_PROGRAMS], { root: true });

/** Its pattern file knows it by its unit, and its account's number differs. */
const PROCESSES = { server: 'cyrus', comms: ['imapd', 'pop3d'] } as const;

/** In POP3, and in IMAP by both commands. */
const FAILURES = 3 * IMITATIONS.length + 2 * TORN_IMITATIONS.length;

const login = (ip: string): Matched => ({ event: 'login', server: 'cyrus', ip, user: 'anna' });

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

for (const [place, startLog] of Object.entries(MAIL_LOGS))
  describe(`Cyrus in ${place}`, { skip }, () => {
    const rig = new Rig();
    let log: MailLog;
    let cyrus: MailServer;

    before(async () => {
      log = await startLog(rig, PROCESSES);
      cyrus = await startCyrus(rig, log.enter);
      // 127.0.0.1 and ::1 have a name, the others have none.
      for (const from of ['127.0.0.1', '::1', '127.0.0.2']) {
        await logIn(openPop3, cyrus.pop3(from), cyrus.account);
        await logIn(openImap, cyrus.imap(from), cyrus.account);
      }
      await authenticate();
      for (const user of IMITATIONS) {
        await failToLogIn(openPop3, cyrus.pop3('127.0.0.9'), { user, password: 'x' });
      }
      for (const user of [...IMITATIONS, ...TORN_IMITATIONS]) {
        await failToLogIn(openImap, cyrus.imap('127.0.0.9'), { user, password: 'x' });
        await sayToImap(cyrus.imap('127.0.0.9'), `AUTHENTICATE PLAIN ${base64(`\0${user}\0x`)}`);
      }
      await logInAnonymously();
      await logIn(openImap, cyrus.imap('127.0.0.5'), cyrus.account);
    });
    after(() => rig.close());

    /** With SASL, where the mechanism is another word in the line. */
    async function authenticate(): Promise<void> {
      const { user, password } = cyrus.account;
      const credentials = base64(`\0${user}\0${password}`);
      const answer = await sayToImap(cyrus.imap('127.0.0.3'), `AUTHENTICATE PLAIN ${credentials}`);
      assert.match(answer, /^a OK/);
      const pop3 = await Dialog.open(cyrus.pop3('127.0.0.4'));
      await pop3.until(/^\+OK/);
      pop3.send(`AUTH PLAIN\r\n`);
      await pop3.until(/^\+/);
      pop3.send(`${credentials}\r\n`);
      await pop3.until(/^\+OK/);
      await pop3.close();
    }

    /** Where a whole sentence of the client's follows the address. */
    async function logInAnonymously(): Promise<void> {
      const trace = `x [${VICTIM}] anna plaintext User logged in`;
      await sayToImap(cyrus.imap('127.0.0.9'), `LOGIN anonymous "${trace}"`);
      await sayToImap(cyrus.imap('127.0.0.9'), `AUTHENTICATE ANONYMOUS ${base64(trace)}`);
    }

    test('exactly the good logins, each with its address', async () => {
      const twice = ['127.0.0.1', '::1', '127.0.0.2'].flatMap(ip => [login(ip), login(ip)]);
      const once = ['127.0.0.3', '127.0.0.4', '127.0.0.5'].map(login);
      for (const [form, events] of Object.entries(await log.events())) {
        const logins = events.filter(({ event }) => event === 'login');
        assert.deepEqual(logins, sorted([...twice, ...once]), form);
      }
    });

    // IMAP's alone, and from 3.10 on; a session without a login has an end of nobody's.
    test('one end for each IMAP session of the account, where they are logged', async () => {
      const { user } = cyrus.account;
      const told = async (): Promise<boolean> =>
        (await log.lines()).some(line => line.includes(': session ended: '));
      const expected = (await told()) ? 5 : 0;
      for (const form of Object.keys(await log.events())) {
        const ends = async (): Promise<readonly Matched[]> =>
          ((await log.events())[form] ?? []).filter(({ event }) => event === 'logout');
        const ofAccount = async (): Promise<number> =>
          (await ends()).filter(end => end.user === user).length;
        await waitFor(`the ends in ${form}`, async () => (await ofAccount()) >= expected);
        assert.equal(await ofAccount(), expected);
        assert.deepEqual(
          new Set((await ends()).map(end => end.user).filter(name => name !== user)),
          new Set(expected === 0 ? [] : ['']),
        );
      }
    });

    test('each login that fails is in the log', async () => {
      const failed = (await log.lines()).filter(line => line.includes(': badlogin: '));
      assert.equal(failed.length, FAILURES);
    });
  });

/** Gives one command in a connection of its own. */
async function sayToImap(endpoint: Endpoint, command: string): Promise<string> {
  const dialog = await Dialog.open(endpoint);
  await dialog.until(/^\* OK/);
  dialog.send(`a ${command}\r\n`);
  const answer = await dialog.until(/^a /);
  await dialog.close();
  return answer;
}
