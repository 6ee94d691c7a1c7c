/**
 * The whole chain with the real programs: Dovecot logs a login, rsyslog writes it, popbsmtp grants the
 * address, Postfix relays for it, and after the grace period refuses again.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Dialog, type Endpoint } from './dialog.ts';
import { type MailServer, startDovecot } from './dovecot.ts';
import { failToLogIn, logIn, openImap, openPop3 } from './login.ts';
import { GraceFile, popbsmtp, startPopbsmtp } from './popbsmtp.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import type { Daemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { type Rsyslog, startRsyslog } from './rsyslog.ts';
import { askToRelay } from './smtp.ts';
import { linesOf, waitFor, waitForLine } from './wait.ts';

const skip = requirePrograms(['postfix', 'postmap', 'dovecot', 'rsyslogd'], { root: true });

describe('from the login to the relay', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let dovecot: MailServer;
  let postfix: Postfix;
  let daemon: Daemon;
  let map: string;
  let grace: GraceFile;

  before(async () => {
    grace = await GraceFile.make(rig, '1h');
    syslog = await startRsyslog(rig);
    map = `lmdb:${join(await rig.directory(), 'pop-before-smtp')}`;
    // As the README says: the daemon makes the map, and only then main.cf may name it.
    const first = await popbsmtp('run', '--watchlog', '-', '--map', map, '--mynetworks', 'none');
    assert.equal(first.code, 0, first.stderr);
    dovecot = await startDovecot(rig);
    postfix = await startPostfix(rig, {
      mynetworks: '127.0.0.1/32',
      restrictions: [
        'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,',
        `  check_client_access ${map},`,
        '  reject_unauth_destination',
      ].join('\n'),
    });
    daemon = await start();
  });
  after(() => rig.close());

  const start = (): Promise<Daemon> =>
    startPopbsmtp(rig, {
      watchlog: syslog.log,
      map,
      grace,
      postfixConfig: postfix.config,
    });

  const answer = async (from: string): Promise<number> =>
    (await askToRelay(postfix.smtp(from))).code;

  const logInFrom = (from: string, imap = false): Promise<void> => {
    const endpoint: Endpoint = imap ? dovecot.imap(from) : dovecot.pop3(from);
    return logIn(imap ? openImap : openPop3, endpoint, dovecot.account);
  };

  const granted = async (ip: string): Promise<void> => {
    await daemon.waitForLine(new RegExp(`^read ts=.* ip=${ip.replaceAll('.', '\\.')}$`));
    await waitFor(`a row for ${ip}`, async () => (await rowsOf(map)).has(ip));
  };

  /** The grace period is over, for all. */
  async function refusedAgain(...clients: readonly string[]): Promise<void> {
    await grace.change(daemon, '2s');
    for (const from of clients) {
      await waitFor(`the end of the grant of ${from}`, async () => (await answer(from)) === 554, {
        seen: () => daemon.transcript(),
      });
      await daemon.waitForLine(new RegExp(`^purging ts=.* ip=${from}$`));
    }
    await grace.change(daemon, '1h');
  }

  test('a POP3 login, and an IMAP login, open the relay for the grace period', async () => {
    for (const [from, imap] of [
      ['127.0.0.2', false],
      ['127.0.0.3', true],
    ] as const) {
      assert.equal(await answer(from), 554, 'before the login');
      await logInFrom(from, imap);
      await granted(from);
      assert.equal(await answer(from), 250, 'after the login');
      assert.equal(await answer('127.0.0.200'), 554, 'somebody else');
    }
    await refusedAgain('127.0.0.2', '127.0.0.3');
  });

  test('the same over IPv6', async () => {
    assert.equal(await answer('::1'), 554);
    await logInFrom('::1');
    await granted('::1');
    assert.equal(await answer('::1'), 250);
    await refusedAgain('::1');
  });

  test('an address in mynetworks is never written', async () => {
    const from = daemon.lines.length;
    await logInFrom('127.0.0.1');
    await daemon.waitForLine(/^ {4}ignored --- in mynetworks$/, from);
    assert.ok(!(await rowsOf(map)).has('127.0.0.1'));
  });

  test('a failed login opens nothing, whatever user name it gives', async () => {
    const from = daemon.lines.length;
    const imitations = [
      'x>, method=PLAIN, rip=127.0.0.66, lip=127.0.0.1, mpid=1, session=<a',
      'x>, method=PLAIN, rip=127.0.0.66, lip=127.0.0.1',
    ];
    for (const user of imitations) {
      for (const [open, endpoint] of [
        [openImap, dovecot.imap('127.0.0.9')],
        [openPop3, dovecot.pop3('127.0.0.9')],
      ] as const) {
        await failToLogIn(open, endpoint, { user, password: 'x' });
      }
    }
    // What is logged after them is read after them.
    await logInFrom('127.0.0.10');
    await granted('127.0.0.10');
    const reads = daemon.lines.slice(from).filter(line => line.startsWith('read '));
    assert.deepEqual(
      reads.map(line => line.replace(/.* ip=/, '')),
      ['127.0.0.10'],
    );
    assert.equal(await answer('127.0.0.66'), 554);
    assert.equal(await answer('127.0.0.9'), 554);
  });

  test('clients that say goodbye with their password leave no session open, whichever line comes first', async () => {
    const clients = Array.from({ length: 6 }, (_, index) => `127.0.0.${40 + index}`);
    const { user, password } = dovecot.account;
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        clients.map(async from => {
          const dialog = await Dialog.open(dovecot.pop3(from));
          await dialog.until(/^\+OK/);
          dialog.send(`USER ${user}\r\nPASS ${password}\r\nQUIT\r\n`);
          await dialog.until(/^\+OK Logging out/);
          await dialog.close();
        }),
      );
    }
    const lines = (wanted: RegExp): number => daemon.lines.filter(line => wanted.test(line)).length;
    await waitFor('every login', () => lines(/^read ts=.* ip=127\.0\.0\.4[0-5]$/) === 60);
    await waitFor(
      'the end of every session',
      async () => (await popbsmtp('status', '--map', map)).stdout.includes(' 0 open,'),
      { seen: () => daemon.transcript() },
    );
  });

  test('a restarted daemon goes on where it was', async () => {
    await logInFrom('127.0.0.20');
    await granted('127.0.0.20');
    const before = (await rowsOf(map)).get('127.0.0.20');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.exited(), 0);
    assert.equal(await answer('127.0.0.20'), 250, 'while no daemon runs');
    daemon = await start();
    assert.equal((await rowsOf(map)).get('127.0.0.20'), before);
    assert.equal(await answer('127.0.0.20'), 250);
    await refusedAgain('127.0.0.20');
  });

  test('one smtpd process served it all, and never noticed that its table changed', async () => {
    const lines = await linesOf(syslog.log);
    const pids = new Set(
      lines.flatMap(
        line => /postfix\/smtpd\[(\d+)\]: connect from \S+\[127\./.exec(line)?.[1] ?? [],
      ),
    );
    assert.equal(pids.size, 1, [...pids].join());
    assert.ok(!lines.some(line => line.includes('table has changed')));
  });

  test('a login in the traditional format of syslog is the same login', async () => {
    const other = `lmdb:${join(await rig.directory(), 'pop-before-smtp')}`;
    const reader = await startPopbsmtp(rig, {
      watchlog: syslog.traditional,
      map: other,
      grace,
      postfixConfig: postfix.config,
    });
    await logInFrom('127.0.0.30');
    await waitForLine(syslog.traditional, /rip=127\.0\.0\.30/);
    await reader.waitForLine(/ip=127\.0\.0\.30$/);
    await waitFor('its row', async () => (await rowsOf(other)).has('127.0.0.30'));
    await reader.stop();
  });

  test('a second daemon for the same map is refused, and told the pid of the first', async () => {
    const { code, stderr } = await popbsmtp(
      ...['run', '--watchlog', syslog.log, '--map', map, '--mynetworks', 'none'],
    );
    assert.equal(code, 75);
    assert.match(stderr, new RegExp(`^popbsmtp: .*\\b${daemon.pid}\\b.*\\n$`));
  });
});

/** Keys and values, as `popbsmtp list` shows them. */
async function rowsOf(map: string): Promise<Map<string, string>> {
  const { code, stdout, stderr } = await popbsmtp('list', '--json', '--map', map);
  assert.equal(code, 0, stderr);
  const rows = stdout
    .split('\n')
    .slice(0, -1)
    .map((line): { ip: string; value: string } => JSON.parse(line));
  return new Map(rows.map(({ ip, value }) => [ip, value]));
}
