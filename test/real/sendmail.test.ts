/** The real sendmail lets clients relay by a `makemap:hash:` map, for as long as popbsmtp grants it, in both ways to ask it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type MailServer, startDovecot } from './dovecot.ts';
import { doctorIn, goesTheWholeWay, type OtherMta, popbsmtpIn, STATE } from './other-mta.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { type Rsyslog, startRsyslog } from './rsyslog.ts';
import { SENDMAIL, type Sendmail, startSendmails } from './sendmail.ts';
import { askToRelay, openRelaySession } from './smtp.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, 'dovecot', 'rsyslogd'], { root: true });

describe('sendmail', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let dovecot: MailServer;
  let sendmail: Sendmail;

  before(async () => {
    syslog = await startRsyslog(rig);
    dovecot = await startDovecot(rig);
    sendmail = await startSendmails(rig, syslog);
  });
  after(() => rig.close());

  const allow = async ({ overlay, map, options }: OtherMta, ip: string): Promise<void> => {
    const rules = ['--mynetworks', 'none', '--exclude', 'none'];
    const { code, stderr } = await popbsmtpIn(overlay, [
      ...['allow', ip, '--map', map, ...options, ...rules],
    ]);
    assert.equal(code, 0, stderr);
  };

  const codeOf = async (mta: OtherMta, from: string): Promise<number> =>
    (await askToRelay(mta.smtp(from))).code;

  for (const way of ['popauth', 'access'] as const) {
    test(`follows the grants in the map ${way}`, () =>
      goesTheWholeWay(rig, sendmail[way], { syslog, dovecot }));

    test(`finds whole addresses of both families in the map ${way}`, async () => {
      const mta = sendmail[way];
      for (const ip of ['127.0.0.7', '::1', '2001:db8::1']) await allow(mta, ip);
      assert.equal(await codeOf(mta, '127.0.0.7'), 250);
      assert.equal(await codeOf(mta, '127.0.0.70'), 550);
      const name = way === 'popauth' ? '' : 'Connect:';
      const ask = (map: string, key: string): Promise<string> =>
        mta.overlay.run(SENDMAIL, ['-C', `/etc/mail/${way}.cf`, '-bt'], {
          input: `/map ${map} ${name}${key}\n`,
        });
      const map = way === 'popauth' ? 'popauth' : 'access';
      assert.match(await ask(map, 'IPv6:2001:db8:0:0:0:0:0:1'), /returns/);
      assert.match(await ask(map, 'IPv6:2001:db8:0:0:0:0:0'), /no match/);
    });
  }

  for (const way of ['popauth', 'access'] as const)
    test(`learns of a grant and of its end while a session goes on, by the map ${way}`, async () => {
      const mta = sendmail[way];
      const session = await openRelaySession(mta.smtp('127.0.0.8'));
      assert.equal((await session.ask()).code, 550);
      await allow(mta, '127.0.0.8');
      assert.equal((await session.ask()).code, 250);
      const base = ['--map', mta.map, ...mta.options];
      const { code, stderr } = await popbsmtpIn(mta.overlay, ['revoke', '127.0.0.8', ...base]);
      assert.equal(code, 0, stderr);
      assert.equal((await session.ask()).code, 550);
      await session.quit();
    });

  for (const way of ['popauth', 'access'] as const)
    test(`is looked at by the doctor as far as it can be asked, with the map ${way}`, async () => {
      const mta = sendmail[way];
      await mta.overlay.run('cp', [`/etc/mail/${way}.cf`, '/etc/mail/sendmail.cf']);
      const { port } = mta.smtp('127.0.0.1');
      const told = await doctorIn(mta, `127.0.0.1:${port}`);
      assert.equal(told.length, 3, told.join('\n'));
      assert.match(told[0] ?? '', /^mta ok: sendmail names makemap:hash:/);
      assert.match(told[1] ?? '', /^relay ok: strangers are refused in 23 forms, and a row opens/);
      const other = { ...mta, map: `${mta.map}-other` };
      const missed = await doctorIn(other, `127.0.0.1:${port}`);
      assert.match(missed.join('\n'), /^mta error: sendmail does not name/m);
    });

  test('reads the map of the demo', async () => {
    const { overlay } = sendmail.popauth;
    const { code, stdout, stderr } = await popbsmtpIn(overlay, ['demo', '--mta', 'sendmail']);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.match(/^ {8}[\w:.]+\t\d{10}$/gm)?.length, 4, stdout);
  });

  test("leaves the administrator's own access map alone", async () => {
    const { access } = sendmail;
    await allow(access, '127.0.0.99');
    await assert.rejects(codeOf(access, '127.0.0.99'), /550 5\.7\.1 Access denied/);
  });

  test('reads whole maps only, and misses no row, while a writer hammers one', async () => {
    const { overlay } = sendmail.popauth;
    const hammer = join(import.meta.dirname, 'sendmail-hammer.js');
    const args = [hammer, STATE, '/etc/mail/popauth.cf'];
    // The map that its sendmail.cf names.
    await overlay.run('rm', [`${STATE}/popauth.db`]);
    // makemap makes nothing for root in the directory of another account.
    await overlay.run('chown', ['root', STATE]);
    assert.match(await overlay.run(process.execPath, args), /^\d+ commits, 30 readers, /m);
  });
});
