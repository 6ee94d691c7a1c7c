/**
 * What a stranger writes to the real smtpd (HELO, sender, recipient, headers; every printable byte, and the words of Postfix's own lines)
 * attributes nothing to anybody: a neighbour's grant is never charged with it, and no entry is about an address that was not there.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Dialog } from './dialog.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { type Daemon, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { startRsyslog } from './rsyslog.ts';
import { sendMail } from './smtp.ts';
import { waitFor } from './wait.ts';

const skip = requirePrograms(['postfix', 'postmap', 'rsyslogd'], { root: true });

const [ANNA, STRANGER] = ['127.0.0.2', '127.0.0.9'];
const AWAY = 'far.example';

const PRINTABLE = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at));
const WORDS = [
  `client=unknown[${ANNA}]`,
  `4A1B2C3D4E: client=unknown[${ANNA}]`,
  `x[${ANNA}]`,
  `RCPT from unknown[${ANNA}]: 554 5.7.1 <x@example.net>: Relay access denied; `,
  '>, relay=none, dsn=2.0.0, status=sent (ok)',
  ', sasl_method=PLAIN, sasl_username=anna',
  ', orig_queue_id=4A1B2C3D4E, orig_client=x',
];
const TEXTS = [...PRINTABLE.map(byte => `a${byte}b${byte}`), ...WORDS];

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

describe('what a stranger writes', { skip }, () => {
  const rig = new Rig();
  let map = '';
  let postfix: Postfix;
  let daemon: Daemon;

  before(async () => {
    const syslog = await startRsyslog(rig);
    const base = await rig.directory();
    map = `lmdb:${join(base, 'pop-before-smtp')}`;
    const first = await popbsmtp('run', '--watchlog', '-', '--map', map, '--mynetworks', 'none');
    assert.equal(first.code, 0, first.stderr);
    const checks = join(base, 'header_checks');
    // So that headers are logged.
    await writeFile(checks, '/^(Subject|From): (.*)/ WARN\n');
    postfix = await startPostfix(rig, {
      mynetworks: '127.0.0.1/32',
      restrictions: [
        `smtpd_relay_restrictions = check_client_access ${map}, reject_unauth_destination`,
        `header_checks = regexp:${checks}`,
        'strict_rfc821_envelopes = no',
      ].join('\n'),
    });
    daemon = startDaemon(rig, process.execPath, [
      ...[MAIN, 'run', '--watchlog', syslog.log, '--map', map, '--mynetworks', '127.0.0.1/32'],
      ...['--exclude', 'none', '--allow-own-addresses', '--whole-addresses'],
    ]);
    await waitFor('popbsmtp', async () => (await popbsmtp('status', '--map', map)).code === 0, {
      seen: () => daemon.transcript(),
    });
    const login = ['login', '--ip', ANNA, '--user', 'anna', '--server', 'hook', '--map', map];
    assert.equal((await popbsmtp(...login)).code, 0);
  });
  after(() => rig.close());

  /** What is answered does not matter; a connection that is closed for it does not either. */
  async function say(text: string): Promise<void> {
    const dialog = await Dialog.open(postfix.smtp(STRANGER));
    try {
      await dialog.until(/^\d{3} /);
      for (const command of [
        `EHLO ${text}`,
        `MAIL FROM:<${quoted(text)}@example.net>`,
        `RCPT TO:<${quoted(text)}@elsewhere.example>`,
        `RCPT TO:<someone@elsewhere.example> ${text}`,
        'RCPT TO:<anna@example.org>',
      ]) {
        dialog.send(`${command}\r\n`);
        await dialog.until(/^\d{3} /);
      }
      dialog.send('DATA\r\n');
      if (!(await dialog.until(/^\d{3} /)).startsWith('354')) return;
      dialog.send(`Subject: ${text}\r\nFrom: ${text}\r\nMessage-ID: <${text}>\r\n\r\nx\r\n.\r\n`);
      await dialog.until(/^\d{3} /);
    } finally {
      await dialog.close();
    }
  }

  test('is nobody else, and no message of anybody', async () => {
    for (const text of TEXTS) await say(text);
    await sendMail(postfix.smtp(ANNA), { to: [`a@${AWAY}`] });
    const report = async (): Promise<{
      relayed: { ip: string; messages: number }[];
      totals: Record<string, number>;
    }> => JSON.parse((await popbsmtp('report', '--json', '--map', map)).stdout);
    // What came before has been read when this has.
    await waitFor('her message', async () => (await report()).relayed.length > 0);
    const { relayed, totals } = await report();
    assert.deepEqual(
      relayed.map(({ ip, messages }) => [ip, messages]),
      [[ANNA, 1]],
    );
    assert.equal(totals['authenticated'], 0);
    const { stdout } = await popbsmtp('history', '--json', '--map', map);
    const entries: { event: string; ip?: string }[] = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    const about = (ip: string): string[] => [
      ...new Set(entries.flatMap(entry => (entry.ip === ip ? [entry.event] : []))),
    ];
    assert.deepEqual(about(ANNA), ['login', 'relayed']);
    assert.deepEqual(about(STRANGER), ['refused']);
    const others = entries.filter(({ ip }) => ip !== undefined && ip !== ANNA && ip !== STRANGER);
    assert.deepEqual(others, []);
  });
});
