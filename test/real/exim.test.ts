/**
 * The real Exim lets clients relay by a `cdb:` map, for as long as popbsmtp grants it.
 *
 * To see the readers fail: in src/map/replaced-map.ts, have half of the new file written over the old one before each `rename`.
 */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { epoch } from '../../src/base/clock.ts';
import { openMap } from '../../src/map/map-types.ts';
import { addresses } from '../map/addresses.ts';
import { type MailServer, startDovecot } from './dovecot.ts';
import { type Exim, startExim } from './exim.ts';
import { doctorIn, goesTheWholeWay, LOGS, popbsmtpIn } from './other-mta.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { type Rsyslog, startRsyslog } from './rsyslog.ts';
import { askToRelay } from './smtp.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, 'dovecot', 'rsyslogd'], { root: true });

/** What the readers do at least, and the writer. */
const VISITS = 50;
const COMMITS = 50;

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

  test('is looked at by the doctor as far as it can be asked', async () => {
    const { port } = exim.byLookup('127.0.0.1');
    const told = await doctorIn(exim, `127.0.0.1:${port}`);
    assert.equal(told.length, 3, told.join('\n'));
    assert.match(told[0] ?? '', /^mta ok: Exim names cdb:/);
    assert.match(
      told[1] ?? '',
      /^relay ok: strangers are refused in 23 forms, and a row opens the relay/,
    );
    const other = { ...exim, map: `${exim.map}-other` };
    assert.match(
      (await doctorIn(other, `127.0.0.1:${port}`)).join('\n'),
      /^mta error: Exim does not name/m,
    );
  });

  test('reads the map of the demo', async () => {
    const { code, stdout, stderr } = await popbsmtpIn(exim.overlay, ['demo', '--mta', 'exim']);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.match(/^ {8}\d{10}$/gm)?.length, 4, stdout);
  });

  test('never misses a row, nor finds another, while a writer hammers the map', async () => {
    const map = await openMap({
      type: 'cdb',
      path: join(dirname(syslog.log), 'hammer'),
      mode: 0o644,
    });
    const present = addresses('10.1', 200);
    await map.commit(present.map(one => ({ ip: one, stamp: epoch(1) })));
    const asked = present.flatMap((one, index) => [one, `10.2.0.${index % 200}`]);
    const questions = asked.map(
      one => `[\${lookup{${one}}cdb{${LOGS}/hammer.cdb}{$value}{none}}]\n`,
    );
    let ended = false;
    const read = async (): Promise<void> => {
      for (let visit = 0; visit < VISITS; visit++) {
        const said = await exim.overlay.run('exim4', ['-be'], { input: questions.join('') });
        const answers = said.match(/(?<=\[)\w+(?=\])/g) ?? [];
        assert.deepEqual(
          answers,
          asked.map((_, index) => (index % 2 === 0 ? '1' : 'none')),
        );
      }
    };
    const readers = Promise.all([read(), read()]).finally(() => {
      ended = true;
    });
    readers.catch(() => undefined);
    const changing = addresses('10.3', 3000);
    for (let round = 0; round < COMMITS || !ended; round++) {
      const stamp = round % 3 === 2 ? null : epoch(round);
      const start = (round * 101) % changing.length;
      await map.commit(changing.slice(start, start + 300).map(one => ({ ip: one, stamp })));
      await nextTurn();
    }
    await map.close();
    await readers;
  });
});
