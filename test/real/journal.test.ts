/**
 * The real journal as a source: who is believed, and that nothing is lost or told twice.
 */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import {
  type JournalRules,
  JournalSource,
  type JournalTimes,
} from '../../src/source/journal-source.ts';
import { type JournalTrust, ONLY_ROOT, trustDeclared } from '../../src/source/journal-trust.ts';
import { checkJournal } from '../../src/source/journalctl.ts';
import type { Notice } from '../../src/source/source.ts';
import { type MailServer, startDovecot } from './dovecot.ts';
import { JOURNAL_PROGRAMS, type Journal, startJournal } from './journal.ts';
import { failToLogIn, logIn, openImap, openPop3 } from './login.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms([...JOURNAL_PROGRAMS, 'dovecot', 'perl'], { root: true });

/** As Dovecot would write it. */
const FORGERY =
  'imap-login: Login: user=<anna>, method=PLAIN, rip=203.0.113.66, lip=192.0.2.5, mpid=1, session=<x>';
const STRANGER = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
const TIMES: JournalTimes = { firstPauseMs: 1, longestPauseMs: 50, noticeMs: 100 };

describe('the systemd journal', { skip }, () => {
  const rig = new Rig();
  let journal: Journal;
  let journalctl: string;
  let lines: string[];
  let notices: Notice[];
  let sources: JournalSource[];

  before(async () => {
    journal = await startJournal(rig);
    journalctl = await journal.entrance('journalctl');
  });
  after(() => rig.close());

  beforeEach(() => {
    lines = [];
    notices = [];
    sources = [];
  });
  afterEach(() => Promise.all(sources.map(source => source.stop())));

  const rulesFor = (tag: string, declared: JournalTrust = ONLY_ROOT) => ({
    tags: [tag],
    trust: trustDeclared([{ programs: [tag], journal: declared }]),
  });

  function follow(
    tag: string,
    cursor: string | null = null,
    declared: JournalTrust = ONLY_ROOT,
    hostFirst: Pick<JournalRules, 'untagged' | 'hostFirst'> = {},
  ): JournalSource {
    const receiver = {
      lines: async (batch: readonly string[]) => void lines.push(...batch),
      notice: (notice: Notice) => void notices.push(notice),
    };
    const start = { cursor, since: () => epoch(Date.now() / 1000 - 900) };
    const rules = { ...rulesFor(tag, declared), ...hostFirst };
    const source = new JournalSource(receiver, rules, start, journalctl, TIMES);
    sources.push(source);
    source.start();
    return source;
  }

  /** What was delivered, without the prefix. */
  const messages = (): string[] => lines.map(line => line.replace(/^\S+ \S+ \S+: /, ''));

  const delivered = (count: number): Promise<unknown> =>
    waitFor(`${count} lines`, () => lines.length >= count, {
      seen: () => `${lines.join('\n')}\n${JSON.stringify(notices)}`,
    });

  const log = (tag: string, texts: readonly string[]): Promise<string> =>
    journal.run('logger', ['-p', 'mail.info', '-t', tag], { input: `${texts.join('\n')}\n` });

  const numbered = (from: number, to: number): string[] =>
    Array.from({ length: to - from + 1 }, (_, index) => `message ${from + index}`);

  describe('with the real Dovecot', () => {
    let dovecot: MailServer;

    before(async () => {
      const { PATH = '' } = process.env;
      process.env['PATH'] = `${dirname(await journal.entrance('dovecot'))}:${PATH}`;
      dovecot = await startDovecot(rig);
      process.env['PATH'] = PATH;
    });

    test('its logins are delivered', async () => {
      follow('dovecot');
      await logIn(openImap, dovecot.imap('127.0.0.2'), dovecot.account);
      await logIn(openPop3, dovecot.pop3('127.0.0.3'), dovecot.account);
      for (const pattern of [
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ dovecot\[\d+\]: imap-login: Log(?:in|ged in): user=<anna>, .*rip=127\.0\.0\.2, /,
        / dovecot\[\d+\]: pop3-login: Log(?:in|ged in): user=<anna>, .*rip=127\.0\.0\.3, /,
      ]) {
        await waitFor(`${pattern}`, () => lines.some(line => pattern.test(line)), {
          seen: () => `${lines.join('\n')}\n${JSON.stringify(notices)}`,
        });
      }
      assert.deepEqual(
        notices.map(({ kind }) => kind),
        ['opened'],
      );
    });

    test('the same message of another user is not', async () => {
      follow('dovecot');
      const start = lines.length;
      const forge = (...command: readonly string[]): Promise<string> =>
        journal.run('setpriv', [...STRANGER, ...command], { input: `${FORGERY}\n` });
      await forge('logger', '-p', 'mail.info', '-t', 'dovecot');
      await forge('systemd-cat', '-t', 'dovecot', 'cat');
      await journal.run('setpriv', [...STRANGER, 'logger', '--journald'], {
        input: `_UID=0\nSYSLOG_IDENTIFIER=dovecot\nMESSAGE=${FORGERY}\n`,
      });
      const stranger = { user: 'nobody', password: 'guess' };
      await failToLogIn(openImap, dovecot.imap('127.0.0.4'), stranger);
      await waitFor('what Dovecot says then', () =>
        lines.slice(start).some(line => line.includes('rip=127.0.0.4')),
      );
      assert.equal(lines.join().includes('203.0.113.66'), false);
      await waitFor(
        'the notice',
        () => notices.some(notice => notice.kind === 'untrusted' && notice.count === 3),
        { seen: () => JSON.stringify(notices) },
      );
      const [first] = notices.filter(notice => notice.kind === 'untrusted');
      assert.deepEqual(first, {
        kind: 'untrusted',
        path: 'journal',
        tag: 'dovecot',
        uid: 65534,
        transport: 'syslog',
        count: 1,
      });
    });
  });

  test('a message of root is delivered by syslog and by the own protocol of the journal', async () => {
    follow('imapd');
    await log('imapd', ['by syslog']);
    await journal.run('logger', ['--journald'], {
      input: 'SYSLOG_IDENTIFIER=imapd\nMESSAGE=by its own protocol\n',
    });
    await delivered(2);
    assert.deepEqual(messages().sort(), ['by its own protocol', 'by syslog']);
  });

  const bySystemdCat = (tag: string, input: string): Promise<string> =>
    journal.run('systemd-cat', ['-t', tag, 'cat'], { input });

  test('a line end makes two entries of a stream, and one of a datagram', async () => {
    await bySystemdCat('streaming', `first\n${FORGERY}\n`);
    // A server that is trusted whatever way it takes has the second one taken for its own words.
    follow('streaming', null, { ...ONLY_ROOT, transports: ['stdout', 'syslog'] });
    await delivered(2);
    assert.deepEqual(messages(), ['first', FORGERY]);
    await journal.run('sh', ['-c', `printf '<22>streaming: first\\n${FORGERY}' | ${SEND}`]);
    await delivered(3);
    assert.equal(messages()[2], `first#012${FORGERY}`);
  });

  test('a stream is not taken for the words of a server that logs by syslog', async () => {
    follow('streams');
    await bySystemdCat('streams', `first\n${FORGERY}\n`);
    await log('streams', ['the end']);
    await delivered(1);
    assert.deepEqual(messages(), ['the end']);
    await waitFor('the notice', () =>
      notices.some(
        notice =>
          notice.kind === 'untrusted' && notice.count === 2 && notice.transport === 'stdout',
      ),
    );
  });

  test('the pieces of a line that journald breaks are no lines, where streams are taken', async () => {
    follow('broken', null, { ...ONLY_ROOT, transports: ['stdout', 'syslog'] });
    // LineMax= is 48K (journald.conf(5)); what follows would be the beginning of an entry.
    await bySystemdCat('broken', `one\n${'x'.repeat(48 * 1024)}${FORGERY}\ntwo\n`);
    await bySystemdCat('broken', `three\nx\0${FORGERY}\nfour\nno end`);
    // Streams and datagrams come by two sockets, between which journald keeps no order.
    await delivered(4);
    await log('broken', ['the end']);
    await delivered(5);
    assert.deepEqual(messages(), ['one', 'two', 'three', 'four', 'the end']);
  });

  describe('nginx by datagram has a tag with nohostname, and none without', () => {
    const said = '2026/11/23 00:53:00 [info] 7#7: *1 client logged in';
    const send = async (...hosts: readonly string[]): Promise<void> => {
      for (const host of hosts)
        await journal.run('sh', [
          '-c',
          `printf '<190>Nov 23 00:53:00 ${host}nginx: ${said} ${host}' | ${SEND}`,
        ]);
    };

    test('so it is not found by its tag', async () => {
      follow('nginx');
      await send(`${hostname()} `, '');
      await delivered(1);
      assert.deepEqual(messages(), [`${said} `]);
    });

    test('but beside the tags, behind this host’s name and no other', async () => {
      const untagged = [[{ name: '_TRANSPORT', value: 'syslog' }]];
      follow('nginx', null, ONLY_ROOT, { untagged, hostFirst: new Set(['nginx']) });
      await send(`${hostname()} `, 'another ');
      await log('nginx', ['the end']);
      await waitFor('the end', () => messages().includes('the end'), {
        seen: () => `${lines.join('\n')}\n${JSON.stringify(notices)}`,
      });
      assert.ok(messages().includes(`${said} ${hostname()} `), lines.join('\n'));
      assert.ok(!messages().includes(`${said} another `));
    });
  });

  test('a message is what was sent, with the blanks at its end and without new lines', async () => {
    follow('popper');
    for (const [index, text] of [
      'LOGIN FAILED, user=AAA            ',
      'blanks before an end  \t ',
      'caf\xe9 \x80\xff',
      'one\x07two',
    ].entries()) {
      const octal = [...Buffer.from(`<22>popper: ${text}`, 'latin1')];
      const script = octal.map(byte => `\\${byte.toString(8).padStart(3, '0')}`).join('');
      // One datagram, byte for byte, as syslog(3) sends it.
      await journal.run('sh', ['-c', `printf '${script}' | ${SEND}`]);
      await delivered(index + 1);
    }
    assert.deepEqual(messages(), [
      'LOGIN FAILED, user=AAA            ',
      'blanks before an end  #011 ',
      'caf\xe9 \x80\xff',
      'one#007two',
    ]);
  });

  test('journalctl may be killed again and again, and the journal rotated', async () => {
    const source = follow('killed');
    const expected: string[] = [];
    for (let round = 0; round < 10; round++) {
      const more = numbered(round * 50 + 1, round * 50 + 50);
      expected.push(...more);
      const logging = log('killed', more);
      const pid = await waitFor('journalctl', () => source.pid);
      process.kill(pid, round % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
      await waitFor('its end', () => source.pid !== pid);
      if (round % 4 === 1) await journal.run('journalctl', ['--rotate']);
      await logging;
    }
    await delivered(expected.length);
    assert.deepEqual(messages(), expected);
  });

  test('another run goes on behind the cursor of the last', async () => {
    const first = follow('resumed');
    await log('resumed', numbered(1, 3));
    await delivered(3);
    await first.stop();
    const { cursor } = first;
    assert.notEqual(cursor, null);
    await log('resumed', numbered(4, 6));
    follow('resumed', cursor);
    await delivered(6);
    await log('resumed', numbered(7, 7));
    await delivered(7);
    assert.deepEqual(messages(), numbered(1, 7));
  });

  test('other tags are watched for from where it is', async () => {
    const source = follow('before');
    await log('before', ['message 1']);
    await delivered(1);
    await log('after', ['message 2']);
    source.setRules(rulesFor('after'));
    await delivered(2);
    await log('after', ['message 3']);
    await delivered(3);
    assert.deepEqual(messages(), numbered(1, 3));
  });

  test('a cursor that journalctl refuses is replaced by the time', async () => {
    await log('refused', numbered(1, 2));
    follow('refused', 'rubbish');
    await delivered(2);
    assert.deepEqual(messages(), numbered(1, 2));
  });

  test('the check passes for root, and not for an account that may not read it', async () => {
    await checkJournal('journal', journalctl);
    const theirs = await journal.entrance('journalctl', ['setpriv', ...STRANGER]);
    await assert.rejects(checkJournal('journal', theirs), { code: 'JOURNAL_UNREADABLE', exit: 77 });
  });
});

/** Sends its input as one datagram. */
const SEND = `perl -MIO::Socket::UNIX -e '
  my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => "/dev/log") or die "$!";
  $socket->send(join("", <STDIN>));
'`;
