/** The real esmtpd of Courier lets clients relay by a `smtpaccess:` map, for as long as popbsmtp grants it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCourierMta } from './courier-mta.ts';
import { type MailServer, startDovecot } from './dovecot.ts';
import { doctorIn, goesTheWholeWay, type OtherMta, popbsmtpIn } from './other-mta.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { mustRun } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { type Rsyslog, startRsyslog } from './rsyslog.ts';
import { askToRelay } from './smtp.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, 'dovecot', 'rsyslogd', 'ip'], { root: true });

describe('esmtpd of Courier', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let dovecot: MailServer;
  let mta: OtherMta;

  before(async () => {
    syslog = await startRsyslog(rig);
    dovecot = await startDovecot(rig);
    mta = await startCourierMta(rig, syslog, '127.1\tdeny\n127.2\tallow,BLOCK="555 not you"\n');
  });
  after(() => rig.close());

  const run = (command: string, address: string) => {
    const networks = ['--mynetworks', 'none', '--exclude', 'none', '--allow-own-addresses'];
    const more = command === 'allow' ? networks : [];
    return popbsmtpIn(mta.overlay, [command, address, '--map', mta.map, ...mta.options, ...more]);
  };
  const popbsmtp = async (command: string, address: string): Promise<string> => {
    const { code, stdout, stderr } = await run(command, address);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  test('follows the grants', () => goesTheWholeWay(rig, mta, { syslog, dovecot }));

  test('lets addresses of both families relay, and follows the rules all the same', async () => {
    for (const address of ['2001:db8:0:1::5', '2001:db8:0:1::50'])
      await mustRun('ip', ['address', 'add', `${address}/128`, 'dev', 'lo', 'nodad']);
    for (const address of ['127.0.0.7', '2001:db8:0:1::5', '127.2.0.1'])
      await popbsmtp('allow', address);
    const code = async (from: string) => (await askToRelay(mta.smtp(from))).code;
    assert.equal(await code('127.0.0.7'), 250);
    assert.equal(await code('127.0.0.70'), 513);
    assert.equal(await code('2001:db8:0:1::5'), 250);
    assert.equal(await code('2001:db8:0:1::50'), 513);
    assert.equal(await code('127.2.0.1'), 555);
    assert.match(await popbsmtp('allow', '127.1.0.1'), /a row of your own/);
    await assert.rejects(code('127.1.0.1'));
  });

  test('is looked at by the doctor as far as it can be asked', async () => {
    const { port } = mta.smtp('127.0.0.1');
    const told = await doctorIn(mta, `127.0.0.1:${port}`);
    assert.match(told[0] ?? '', /^mta ok: Courier names smtpaccess:/, told.join('\n'));
    assert.match(told[1] ?? '', /^relay ok: strangers are refused in 23 forms, and a row opens/);
    const link = '/etc/courier/smtpaccess/popbsmtp';
    await mta.overlay.run('mv', [link, '/root/link']);
    const missed = await doctorIn(mta, `127.0.0.1:${port}`);
    assert.match(missed.join('\n'), /^mta error: .* does not lead to smtpaccess:/m);
    await mta.overlay.run('mv', ['/root/link', link]);
    await mta.overlay.run('makesmtpaccess', []);
  });

  test('keeps its rules while somebody has an error in them, until they are corrected', async () => {
    const rules = '/etc/courier/smtpaccess/more';
    // Two rules of one key: makedat makes nothing.
    await mta.overlay.write(rules, '127.5\tallow\n127.5\tdeny\n');
    const purge = () => popbsmtpIn(mta.overlay, ['purge', '--map', mta.map, '--grace', '1s']);
    const failed = await purge();
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr + failed.stdout, /makesmtpaccess could not make the rows known/);
    await mta.overlay.run('rm', [rules]);
    assert.equal((await purge()).code, 0);
    assert.equal((await askToRelay(mta.smtp('127.0.0.7'))).code, 513);
  });
});
