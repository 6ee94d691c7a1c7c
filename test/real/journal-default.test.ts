/**
 * The daemon without a log that is named, on a host whose logins are in the journal alone: it chooses the journal, and a login of
 * the real Dovecot is granted.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { JOURNAL_PROGRAMS, type Journal, startJournal } from './journal.ts';
import { logIn, openImap, openPop3 } from './login.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { type Daemon, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(['dovecot', 'doveadm', ...JOURNAL_PROGRAMS], { root: true });

/** A /var/log of the test's own with what the first argument does there; the rest is the program. */
const WITH_LOGS = 'mount -t tmpfs tmpfs /var/log; cd /var/log; eval "$1"; shift; exec "$@"';

describe('the daemon without a log that is named', { skip }, () => {
  const rig = new Rig();
  let journal: Journal;
  let dovecot: Dovecot;

  before(async () => {
    journal = await startJournal(rig);
    dovecot = await startDovecot(rig, { enter: journal.enter });
  });
  after(() => rig.close());

  /** @param logs shell commands that make what stands in /var/log */
  async function start(logs: string): Promise<{ readonly daemon: Daemon; readonly map: string }> {
    const [nsenter, ...inside] = journal.enter;
    const map = `lmdb:${join(await rig.directory(), 'pop-before-smtp')}`;
    const daemon = startDaemon(rig, nsenter, [
      ...[...inside, 'unshare', '--mount', '--propagation', 'private'],
      ...['sh', '-euc', WITH_LOGS, 'sh', logs, process.execPath, MAIN, 'run', '--debug'],
      ...['--map', map, '--mynetworks', 'none', '--exclude', 'none', '--allow-own-addresses'],
    ]);
    await daemon.waitForText(/watching /);
    return { daemon, map };
  }

  const granted = async (daemon: Daemon, map: string, ip: string): Promise<void> => {
    await daemon.waitForLine(new RegExp(`^read ts=.* ip=${ip.replaceAll('.', '\\.')}$`));
    await waitFor('a row', async () => (await popbsmtp('list', '--map', map)).stdout.includes(ip), {
      seen: () => daemon.transcript(),
    });
  };

  test('takes the journal where no log is, and grants the login that comes', async () => {
    const { daemon, map } = await start('');
    await daemon.waitForText(/watching journal$/m);
    await logIn(openPop3, dovecot.pop3('127.0.0.2'), dovecot.account);
    await granted(daemon, map, '127.0.0.2');
    assert.equal(await daemon.stop(), 0);
  });

  // As of a syslog daemon that was removed; what is in the journal by now is the login before.
  for (const [name, logs, told] of [
    ['empty', ': > mail.log', /mail\.log is empty and the journal has a login by dovecot/],
    [
      'old',
      'echo "Jan  1 00:00:00 mx dovecot: x" > mail.log; touch -d "2 days ago" mail.log',
      /mail\.log has not been written to since .* and the journal has a login by dovecot/,
    ],
  ] as const)
    test(`takes it where the usual log is ${name}, says so, and grants logins before and after`, async () => {
      const { daemon, map } = await start(logs);
      await daemon.waitForText(told);
      await daemon.waitForText(/watching journal$/m);
      await granted(daemon, map, '127.0.0.2');
      const from = name === 'empty' ? '127.0.0.3' : '127.0.0.4';
      await logIn(openImap, dovecot.imap(from), dovecot.account);
      await granted(daemon, map, from);
      assert.equal(await daemon.stop(), 0);
    });

  test('takes the usual log where that is alive', async () => {
    const { daemon } = await start('date "+%b %e %T mx cron[1]: x" > mail.log');
    await daemon.waitForText(/watching \/var\/log\/mail\.log from byte /);
    assert.doesNotMatch(daemon.transcript(), /watching (?:the )?journal/);
    assert.equal(await daemon.stop(), 0);
  });
});
