/** The real Exim lets clients relay by a `cdb:` map, for as long as popbsmtp grants it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type MailServer, startDovecot } from './dovecot.ts';
import { type Exim, startExim } from './exim.ts';
import { goesTheWholeWay, popbsmtpIn } from './other-mta.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { type Rsyslog, startRsyslog } from './rsyslog.ts';
import { askToRelay } from './smtp.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, 'dovecot', 'rsyslogd'], { root: true });

describe('Exim', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let dovecot: MailServer;
  let exim: Exim;

  before(async () => {
    syslog = await startRsyslog(rig);
    dovecot = await startDovecot(rig);
    exim = await startExim(rig, syslog);
  });
  after(() => rig.close());

  test('defers while there is no map, or fails', async () => {
    const answers = [
      await askToRelay(exim.smtp('127.0.0.60')),
      await askToRelay(exim.byLookup('127.0.0.60')),
    ];
    assert.deepEqual(
      answers.map(({ code }) => code),
      [421, 451],
    );
  });

  test('follows the grants in a host list', () => goesTheWholeWay(rig, exim, { syslog, dovecot }));

  test('finds whole addresses of both families, by a host list and by a lookup', async () => {
    const allow = (ip: string) =>
      popbsmtpIn(exim.overlay, [
        'allow',
        ip,
        '--map',
        exim.map,
        ...exim.options,
        '--mynetworks',
        'none',
        '--exclude',
        'none',
      ]);
    for (const ip of ['127.0.0.7', '::1']) {
      const { code, stderr } = await allow(ip);
      assert.equal(code, 0, stderr);
    }
    const codes = async (from: string): Promise<number[]> => [
      (await askToRelay(exim.smtp(from))).code,
      (await askToRelay(exim.byLookup(from))).code,
    ];
    assert.deepEqual(await codes('127.0.0.7'), [250, 250]);
    // In a host list an IPv6 address is looked up with dots (Exim 4.96).
    assert.deepEqual(await codes('::1'), [550, 250]);
    assert.deepEqual(await codes('127.0.0.70'), [550, 550]);
  });
});
