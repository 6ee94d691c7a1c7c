/**
 * Who used a grant, with the real programs: three clients (one with a grant, one that authenticates, one in mynetworks), over both
 * families, mail that stays, goes away and waits in the queue, and another Postfix with a name of its own, through a rotation and
 * restarts of both daemons, in files of rsyslog's and in the journal: the report has what the clients did, to the message.
 */
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type MailServer, startDovecot } from './dovecot.ts';
import { logIn, openPop3 } from './login.ts';
import { MAIL_LOG_PROGRAMS, MAIL_LOGS, type MailLog } from './mail-log.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { freePort } from './ports.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { type Daemon, mustRun, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { askToRelay, type Sending, sendMail } from './smtp.ts';
import { waitFor, waitForPort } from './wait.ts';

const skip = requirePrograms(
  ['postfix', 'postmap', 'postqueue', 'dovecot', 'smtp-sink', ...MAIL_LOG_PROGRAMS],
  { root: true },
);

/** One with a grant over IPv4 and one over IPv6, one that has a grant and authenticates, one in mynetworks, one with nothing. */
const [GRANTED, SIX, AUTHENTICATED, TRUSTED, STRANGER] = [
  '127.0.0.2',
  '::1',
  '127.0.0.3',
  '127.0.0.1',
  '127.0.0.9',
];
const AWAY = 'far.example';
const SINK = 'sink.example';
const DEAF = 'deaf.example';
/** The `syslog_name` of the other instance. */
const OTHER_NAME = 'postfix-out';

interface Relayed {
  readonly ip: string;
  readonly user: string;
  readonly server: string;
  readonly messages: number;
  readonly recipients: number;
  readonly bytes: number;
}

for (const [place, startLog] of Object.entries(MAIL_LOGS))
  describe(`who used a grant, in ${place}`, { skip }, () => {
    const rig = new Rig();
    let log: MailLog;
    let dovecot: MailServer;
    let postfix: Postfix;
    let other: Postfix;
    let daemon: Daemon;
    let map = '';

    const start = async (): Promise<Daemon> => {
      const started = startDaemon(
        rig,
        process.execPath,
        [
          ...[MAIN, 'run', '--debug', '--watchlog', log.watchlog, '--map', map, '--grace', '1h'],
          ...['--mynetworks', '127.0.0.1/32', '--exclude', 'none', '--allow-own-addresses'],
          ...[
            '--whole-addresses',
            '--postfix-config',
            postfix.config,
            '--syslog-names',
            OTHER_NAME,
          ],
        ],
        { env: log.env },
      );
      await waitFor('popbsmtp', () => started.transcript().includes('watching'), {
        seen: () => started.transcript(),
      });
      return started;
    };

    before(async () => {
      log = await startLog(rig);
      const base = await rig.directory();
      map = `lmdb:${join(base, 'pop-before-smtp')}`;
      const first = await popbsmtp('run', '--watchlog', '-', '--map', map, '--mynetworks', 'none');
      assert.equal(first.code, 0, first.stderr);
      const authSocket = join(base, 'auth');
      dovecot = await startDovecot(rig, { authSocket, enter: log.enter });
      const sink = await freePort();
      startDaemon(rig, 'smtp-sink', ['-u', 'postfix', `127.0.0.1:${sink}`, '10']);
      await waitForPort('127.0.0.1', sink);
      postfix = await startPostfix(rig, {
        mynetworks: '127.0.0.1/32',
        enter: await log.inUnit('postfix@-.service'),
        restrictions: [
          'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,',
          `  check_client_access ${map}, reject_unauth_destination`,
          'smtpd_sasl_auth_enable = yes',
          'smtpd_sasl_type = dovecot',
          `smtpd_sasl_path = ${authSocket}`,
          `transport_maps = inline:{{${SINK}=smtp:[127.0.0.1]:${sink}}, {${DEAF}=smtp:[127.0.0.1]:1}}`,
          'smtp_tls_security_level = none',
          'inet_protocols = all',
          'maximal_backoff_time = 2s',
          'minimal_backoff_time = 1s',
          'queue_run_delay = 1s',
        ].join('\n'),
      });
      await appendFile(join(postfix.config, 'master.cf'), 'smtp unix - - n - - smtp\n');
      await postfix.control('reload');
      other = await startPostfix(rig, {
        mynetworks: '127.0.0.1/32',
        enter: await log.inUnit(`postfix@${OTHER_NAME}.service`),
        restrictions: [
          `syslog_name = ${OTHER_NAME}`,
          `smtpd_relay_restrictions = permit_mynetworks, check_client_access ${map}, reject_unauth_destination`,
        ].join('\n'),
      });
      daemon = await start();
    });
    after(() => rig.close());

    const send = (from: string, ...to: string[]): Promise<void> =>
      sendMail(postfix.smtp(from), { to });
    const sendWith = (sending: Sending): Promise<void> =>
      sendMail(postfix.smtp(AUTHENTICATED), sending);

    async function logInFrom(from: string): Promise<void> {
      const seen = daemon.lines.length;
      await logIn(openPop3, dovecot.pop3(from), dovecot.account);
      await daemon.waitForLine(new RegExp(`^read ts=.* ip=${from.replaceAll('.', '\\.')}$`), seen);
      await waitFor('a row', async () =>
        (await popbsmtp('list', '--map', map)).stdout.includes(from),
      );
    }

    async function report(): Promise<{
      readonly relayed: readonly Relayed[];
      readonly [name: string]: unknown;
    }> {
      const { code, stdout, stderr } = await popbsmtp('report', '--json', '--map', map);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    }

    const sentBy = (relayed: readonly Relayed[]): Record<string, readonly number[]> =>
      Object.fromEntries(
        relayed.map(({ ip, messages, recipients }) => [ip, [messages, recipients]]),
      );

    /** Of what waits in the queue. */
    const tries = async (): Promise<number> =>
      (await log.lines()).filter(line => /to=<a@deaf\.example>.*deferred/.test(line)).length;

    test('the report has what the clients did, to the message', async () => {
      for (const from of [GRANTED, SIX, AUTHENTICATED]) await logInFrom(from);
      await send(GRANTED, `a@${AWAY}`);
      await send(GRANTED, `a@${AWAY}`, `b@${AWAY}`, 'anna@example.org');
      await send(GRANTED, 'anna@example.org');
      await send(GRANTED, `a@${DEAF}`, `b@${DEAF}`);
      await send(SIX, `a@${SINK}`);
      await sendMail(other.smtp(SIX), { to: [`a@${AWAY}`, `b@${AWAY}`] });
      assert.equal((await askToRelay(other.smtp(STRANGER))).code, 554);
      const password = { user: 'anna', password: 'correct-horse' };
      await sendWith({ to: [`a@${AWAY}`], password });
      await sendWith({ to: [`a@${SINK}`], password });
      await send(TRUSTED, `a@${AWAY}`);
      assert.equal((await askToRelay(postfix.smtp(STRANGER))).code, 554);
      await send(STRANGER, 'anna@example.org');
      const before = { [GRANTED]: [3, 5], [SIX]: [2, 3] };
      await waitFor(
        'the messages',
        async () => {
          const { relayed } = await report();
          return JSON.stringify(sentBy(relayed)) === JSON.stringify(before) || undefined;
        },
        { seen: () => daemon.transcript() },
      );

      // The log is rotated; popbsmtp is killed, and Postfix goes on meanwhile; then Postfix is started anew.
      await log.rotate();
      await send(GRANTED, `c@${AWAY}`);
      await waitFor(
        'the message',
        async () => sentBy((await report()).relayed)[GRANTED]?.[0] === 4,
      );
      daemon.signal('SIGKILL');
      await daemon.exited();
      await send(GRANTED, `d@${AWAY}`);
      await postfix.control('stop');
      const tried = await tries();
      await postfix.control('start');
      await mustRun('postqueue', ['-c', postfix.config, '-f']);
      await sendMail(other.smtp(SIX), { to: [`c@${AWAY}`] });
      daemon = await start();
      await send(SIX, `b@${SINK}`, `c@${SINK}`);
      // Until what waits has been tried again.
      await waitFor('another try', async () => (await tries()) > tried + 1);
      const wanted = { [GRANTED]: [5, 7], [SIX]: [4, 6] };
      await waitFor(
        'all messages',
        async () => JSON.stringify(sentBy((await report()).relayed)) === JSON.stringify(wanted),
        {
          seen: () => daemon.transcript(),
        },
      );
      await daemon.stop();
      const all = await report();
      assert.deepEqual(sentBy(all.relayed), wanted);
      for (const row of all.relayed) {
        assert.deepEqual([row.user, row.server], ['anna', 'dovecot']);
        assert.ok(row.bytes > 100 * row.messages);
      }
      const { authenticated, refused } = Object(all['totals']);
      assert.deepEqual([authenticated, refused], [2, 2]);
      // The logs alone tell the same.
      const twin = `${map}-twin`;
      const filled = await popbsmtp(
        ...['history', '--import', ...(await log.finished()), '--map', twin],
        ...[
          '--mynetworks',
          '127.0.0.1/32',
          '--exclude',
          'none',
          '--grace',
          '1h',
          '--whole-addresses',
        ],
      );
      assert.equal(filled.code, 0, filled.stderr);
      const { stdout } = await popbsmtp('report', '--json', '--map', twin);
      assert.deepEqual(sentBy(JSON.parse(stdout).relayed), wanted);
    });
  });
