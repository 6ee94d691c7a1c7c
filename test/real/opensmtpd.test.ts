/** The real OpenSMTPD lets clients relay by a `table:` map, for as long as popbsmtp grants it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type MailServer, startDovecot } from './dovecot.ts';
import { startOpenSmtpd } from './opensmtpd.ts';
import { goesTheWholeWay, type OtherMta, popbsmtpIn } from './other-mta.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { type Rsyslog, startRsyslog } from './rsyslog.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, 'dovecot', 'rsyslogd'], { root: true });

describe('OpenSMTPD', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let dovecot: MailServer;
  let mta: OtherMta;

  before(async () => {
    syslog = await startRsyslog(rig);
    dovecot = await startDovecot(rig);
    mta = await startOpenSmtpd(rig, syslog);
  });
  after(() => rig.close());

  test('follows the grants in its table', () => goesTheWholeWay(rig, mta, { syslog, dovecot }));

  test('is none of what the doctor asks Postfix about', async () => {
    const { overlay, map, options } = mta;
    const { stdout, stderr } = await popbsmtpIn(overlay, [
      ...['doctor', '--map', map, ...options, '--mynetworks', 'none', '--json'],
    ]);
    const found = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { check: string; level: string });
    assert.deepEqual(
      found
        .filter(({ check }) =>
          /^(?:postfix|restrictions|maps|mynetworks|lookup|relay)$/.test(check),
        )
        .map(({ check, level }) => `${check} ${level}`),
      ['postfix ok'],
      stderr,
    );
  });
});
