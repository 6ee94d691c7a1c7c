/**
 * Logins of the real popa3d through the real rsyslog, standalone and by inetd.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Dialog } from './dialog.ts';
import { IMITATIONS } from './imitations.ts';
import { failToLogIn, logIn, openPop3 } from './login.ts';
import { eventsIn, type Matched, sorted } from './matching.ts';
import { POPA3D_PROGRAMS, type Popa3d, startPopa3d } from './popa3d.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, type Rsyslog, startRsyslog } from './rsyslog.ts';

const skip = requirePrograms([...POPA3D_PROGRAMS, ...RSYSLOG_PROGRAMS], { root: true });

const login = (ip: string): Matched => ({ event: 'login', server: 'popa3d', ip, user: 'anna' });

describe('popa3d', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let popa3d: Popa3d;

  before(async () => {
    syslog = await startRsyslog(rig, 'daemon.*;mail.*');
    popa3d = await startPopa3d(rig);
    await logIn(openPop3, popa3d.pop3('127.0.0.2'), popa3d.account);
    await logIn(openPop3, popa3d.byInetd('127.0.0.3'), popa3d.account);
    await interleave();
    for (const endpoint of [popa3d.pop3('127.0.0.9'), popa3d.byInetd('127.0.0.9')]) {
      for (const user of IMITATIONS) await failToLogIn(openPop3, endpoint, { user, password: 'x' });
    }
    await logIn(openPop3, popa3d.pop3('127.0.0.6'), popa3d.account);
    await syslog.settle();
  });
  after(() => rig.close());

  /** The earlier one of two connections fails after the later one has logged in. */
  async function interleave(): Promise<void> {
    const early = await Dialog.open(popa3d.pop3('127.0.0.4'));
    await early.until(/^\+OK/);
    await logIn(openPop3, popa3d.pop3('127.0.0.5'), popa3d.account);
    early.send('USER anna\r\nPASS x\r\n');
    await early.until(/^-ERR/);
    await early.close();
  }

  for (const format of ['log', 'traditional'] as const) {
    test(`${format}: exactly the good logins, each with its address`, async () => {
      const expected = ['127.0.0.2', '127.0.0.3', '127.0.0.5', '127.0.0.6'].map(login);
      assert.deepEqual(await eventsIn(syslog[format]), sorted(expected));
    });
  }
});
