/**
 * The real Dovecot in a file as Red Hat writes it: journald takes the messages, rsyslogd reads them there through imjournal.
 *
 * Leaves to others: the same through rsyslog's own socket (dovecot.test.ts), and the journal without rsyslog (journal.test.ts).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Endpoint } from './dialog.ts';
import { type MailServer, startDovecot } from './dovecot.ts';
import { JOURNAL_PROGRAMS, type Journal, startJournal } from './journal.ts';
import { failToLogIn, type Open, openImap, openPop3, type Session } from './login.ts';
import { eventsIn, type Matched, sorted } from './matching.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, type Rsyslog, startImjournal } from './rsyslog.ts';
import { linesOf, waitFor } from './wait.ts';

const skip = requirePrograms([...JOURNAL_PROGRAMS, ...RSYSLOG_PROGRAMS, 'dovecot'], { root: true });

const STRANGER = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
const STRANGERS_ADDRESS = '203.0.113.66';
const SAID = `imap-login: Login: user=<anna>, method=PLAIN, rip=${STRANGERS_ADDRESS}, lip=192.0.2.5, mpid=1, session=<x>`;
const ENTRIES = ['--no-pager', '--quiet', '--output=json'];
const FORMATS = ['traditional', 'log'] as const;
const STAMP_AND_HOST = {
  traditional: /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ /,
  log: /^\d{4}-\d\d-\d\dT\S+ \S+ /,
};

/** What of an entry is compared. */
interface Entry {
  readonly SYSLOG_IDENTIFIER: string;
  readonly _PID: string;
  readonly MESSAGE: string;
}

describe('imjournal', { skip }, () => {
  const rig = new Rig();
  let journal: Journal;
  let syslog: Rsyslog;
  let dovecot: MailServer;

  before(async () => {
    journal = await startJournal(rig);
    syslog = await startImjournal(rig, journal);
    dovecot = await startDovecot(rig, { program: await journal.entrance('dovecot') });
  });
  after(() => rig.close());

  const log = (lines: readonly string[], ...as: readonly string[]): Promise<string> =>
    journal.run('setpriv', [...as, 'logger', '-p', 'mail.info', '-t', 'dovecot'], {
      input: lines.map(line => `${line}\n`).join(''),
    });

  /** What the journal has of the mail facility, in its order, as rsyslog writes it behind stamp and host. */
  async function recorded(): Promise<string[]> {
    const text = await journal.run('journalctl', [...ENTRIES, 'SYSLOG_FACILITY=2']);
    return text.split('\n').flatMap(line => {
      if (line === '') return [];
      const { SYSLOG_IDENTIFIER: tag, _PID: pid, MESSAGE: message }: Entry = JSON.parse(line);
      const text = message.replaceAll('\t', '#011');
      return [`${tag}[${pid}]:${text.startsWith(' ') ? '' : ' '}${text}`];
    });
  }

  const written = async (format: (typeof FORMATS)[number]): Promise<string[]> =>
    (await linesOf(syslog[format])).map(line => line.replace(STAMP_AND_HOST[format], ''));

  test('Dovecot’s logins and logouts are exactly those of its clients', async () => {
    const { account } = dovecot;
    const expected: Matched[] = [];
    const begin = async (open: Open, endpoint: Endpoint): Promise<Session> => {
      const session = await open(endpoint, account);
      assert.ok(session.accepted, session.answer);
      const event = { server: 'dovecot', user: account.user };
      // A logout names the session and no address.
      expected.push({ event: 'login', ...event, ip: endpoint.from });
      expected.push({ event: 'logout', ...event, ip: null });
      return session;
    };
    await (await begin(openPop3, dovecot.pop3('127.0.0.2'))).logout();
    await (await begin(openImap, dovecot.imap('127.0.0.3'))).logout();
    await (await begin(openPop3, dovecot.pop3('127.0.0.4'))).drop();
    await (await begin(openImap, dovecot.imap('::1'))).drop();
    const wrong = { ...account, password: 'wrong' };
    await failToLogIn(openPop3, dovecot.pop3('127.0.0.9'), wrong);
    await failToLogIn(openImap, dovecot.imap('127.0.0.9'), wrong);
    await waitFor(
      'the sessions to end',
      async () => (await eventsIn(syslog.log)).length >= expected.length,
      { seen: async () => (await linesOf(syslog.log)).join('\n') },
    );
    await syslog.settle();
    for (const format of FORMATS)
      assert.deepEqual(await eventsIn(syslog[format]), sorted(expected));
  });

  // journald itself takes the blanks off the end: what came stands in SYSLOG_RAW, which imjournal does not write.  One at the
  // beginning is lost since both templates have `%msg:::sp-if-no-1st-sp%`, and the message does not include the blank behind
  // the tag, as that of imuxsock does.
  test('messages keep their order, and their blanks but the first and those at the end', async () => {
    const texts = [
      ' one before',
      '  two before',
      'two  between',
      'two after  ',
      '   ',
      'a\ttab\t',
      '',
    ];
    const kept = ['one before', ' two before', 'two  between', 'two after', '', 'a#011tab', ''];
    await log(texts);
    const entries = await recorded();
    await syslog.settle();
    for (const format of FORMATS) {
      const lines = (await written(format)).slice(0, entries.length);
      assert.deepEqual(lines, entries);
      assert.deepEqual(
        lines.slice(-texts.length).map(line => line.replace(/^dovecot\[\d+\]: /, '')),
        kept,
      );
    }
  });

  // As in every file: rsyslog drops the user id that the journal knows, so only watching the journal itself tells them apart.
  // imjournal adds the process id of the sender, which logger has not written, as it adds that of Dovecot's log process.
  test('what a local user logs under Dovecot’s tag reads as Dovecot’s', async () => {
    await log([SAID], ...STRANGER);
    await syslog.settle();
    const text = await journal.run('journalctl', [...ENTRIES, '_UID=65534']);
    const { _PID: pid }: Entry = JSON.parse(text);
    for (const format of FORMATS) {
      assert.ok((await written(format)).includes(`dovecot[${pid}]: ${SAID}`));
      const events = await eventsIn(syslog[format]);
      assert.deepEqual(
        events.filter(({ ip }) => ip === STRANGERS_ADDRESS),
        [{ event: 'login', server: 'dovecot', ip: STRANGERS_ADDRESS, user: 'anna' }],
      );
    }
  });
});
