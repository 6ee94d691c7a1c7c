/** The real OpenSMTPD lets clients relay by a `table:` map, for as long as popbsmtp grants it. */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { openMap } from '../../src/map/map-types.ts';
import { addresses } from '../map/addresses.ts';
import { type MailServer, startDovecot } from './dovecot.ts';
import { startOpenSmtpd } from './opensmtpd.ts';
import { doctorIn, goesTheWholeWay, type OtherMta, popbsmtpIn } from './other-mta.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { type Rsyslog, startRsyslog } from './rsyslog.ts';
import { askToRelay } from './smtp.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, 'dovecot', 'rsyslogd'], { root: true });

/** What the clients ask at least, and the least that the writer does. */
const VISITS = 60;
const COMMITS = 50;

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

  test('is looked at by the doctor as far as it can be asked', async () => {
    const { port } = mta.smtp('127.0.0.1');
    const told = await doctorIn(mta, `127.0.0.1:${port}`);
    assert.equal(told.length, 3, told.join('\n'));
    assert.match(told[0] ?? '', /^mta ok: OpenSMTPD names table:/);
    assert.match(
      told[1] ?? '',
      /^relay ok: strangers are refused in 23 forms, and a row opens the relay/,
    );
    const other = {
      ...mta,
      options: mta.options.map(word => word.replace('pop_before', 'another')),
    };
    assert.match(
      (await doctorIn(other, `127.0.0.1:${port}`)).join('\n'),
      /^mta error: table-command updates another/m,
    );
  });

  test('takes the map of the demo for a list', async () => {
    const { code, stdout, stderr } = await popbsmtpIn(mta.overlay, ['demo', '--mta', 'opensmtpd']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ {8}configuration OK$/m);
  });

  test('never misses an address, nor finds another, while a writer hammers the table', async () => {
    const path = join(dirname(syslog.log), 'hammer');
    const [command, ...args] = mta.overlay.argv('smtpctl', ['update', 'table', 'hammer']);
    const map = await openMap({ type: 'table', path, mode: 0o644, command: [command, ...args] });
    const present = addresses('127.1', 100);
    await map.commit(present.map(one => ({ ip: one, stamp: epoch(1) })));
    let ended = false;
    const ask = async (offset: number): Promise<void> => {
      for (let visit = 0; visit < VISITS; visit++) {
        const known = present[(visit * 7 + offset) % present.length] ?? assert.fail();
        assert.equal((await askToRelay(mta.smtp(known))).code, 250, known);
        assert.equal((await askToRelay(mta.smtp(`127.2.0.${visit % 100}`))).code, 550);
      }
    };
    const readers = Promise.all([ask(0), ask(50)]).finally(() => {
      ended = true;
    });
    readers.catch(() => undefined);
    const changing = addresses('127.3', 1000);
    for (let round = 0; round < COMMITS || !ended; round++) {
      const stamp = round % 3 === 2 ? null : epoch(round);
      const start = (round * 101) % changing.length;
      await map.commit(changing.slice(start, start + 300).map(one => ({ ip: one, stamp })));
    }
    await map.close();
    await readers;
  });
});
