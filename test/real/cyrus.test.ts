/**
 * Logins of the real Cyrus through the real rsyslog.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCyrus } from './cyrus.ts';
import { Dialog, type Endpoint } from './dialog.ts';
import type { MailServer } from './dovecot.ts';
import { IMITATIONS, TORN_IMITATIONS, VICTIM } from './imitations.ts';
import { failToLogIn, logIn, openImap, openPop3 } from './login.ts';
import { eventsIn, type Matched, sorted } from './matching.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, type Rsyslog, startRsyslog } from './rsyslog.ts';
import { linesOf } from './wait.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, ...RSYSLOG_PROGRAMS], { root: true });

const login = (ip: string): Matched => ({ event: 'login', server: 'cyrus', ip, user: 'anna' });

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

describe('Cyrus', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let cyrus: MailServer;

  before(async () => {
    syslog = await startRsyslog(rig);
    cyrus = await startCyrus(rig);
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
    await syslog.settle();
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

  for (const format of ['log', 'traditional'] as const) {
    test(`${format}: exactly the good logins, each with its address`, async () => {
      const twice = ['127.0.0.1', '::1', '127.0.0.2'].flatMap(ip => [login(ip), login(ip)]);
      const once = ['127.0.0.3', '127.0.0.4', '127.0.0.5'].map(login);
      const logins = (await eventsIn(syslog[format])).filter(({ event }) => event === 'login');
      assert.deepEqual(logins, sorted([...twice, ...once]));
    });

    // IMAP's alone, and from 3.10 on; a session without a login has an end of nobody's.
    test(`${format}: one end for each IMAP session of the account, where they are logged`, async () => {
      const text = (await linesOf(syslog[format])).join('\n');
      const expected = text.includes(': session ended: ') ? 5 : 0;
      const ends = (await eventsIn(syslog[format])).filter(({ event }) => event === 'logout');
      const { user } = cyrus.account;
      assert.equal(ends.filter(end => end.user === user).length, expected);
      assert.deepEqual(
        new Set(ends.map(end => end.user).filter(name => name !== user)),
        new Set(expected === 0 ? [] : ['']),
      );
    });
  }
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
