/**
 * Logins of the real solid-pop3d through the real rsyslog.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Dialog } from './dialog.ts';
import { IMITATIONS } from './imitations.ts';
import { failToLogIn, logIn, openPop3 } from './login.ts';
import { eventsIn, type Matched, sorted } from './matching.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import type { Pop3Server } from './pop3-host.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, type Rsyslog, startRsyslog } from './rsyslog.ts';
import { startSolidPop3d } from './solid-pop3d.ts';

const skip = requirePrograms([...OVERLAY_PROGRAMS, ...RSYSLOG_PROGRAMS], { root: true });

const login = (ip: string): Matched => ({
  event: 'login',
  server: 'solid-pop3d',
  ip,
  user: 'anna',
});

describe('solid-pop3d', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let solid: Pop3Server;

  before(async () => {
    // It logs to local0; and tcpd to daemon, where it says `connect from` under the server's own tag.
    syslog = await startRsyslog(rig, 'local0.*;daemon.*;mail.*');
    solid = await startSolidPop3d(rig);
    // 127.0.0.1 has a name, the others have none.
    for (const from of ['127.0.0.1', '127.0.0.2']) {
      await logIn(openPop3, solid.pop3(from), solid.account);
    }
    await interleave();
    for (const user of IMITATIONS) {
      await failToLogIn(openPop3, solid.pop3('127.0.0.9'), { user, password: 'x' });
    }
    const session = await openPop3(solid.pop3('127.0.0.5'), solid.account);
    assert.ok(session.accepted, session.answer);
    await session.drop();
    await syslog.settle();
  });
  after(() => rig.close());

  /** The earlier one of two connections fails after the later one has logged in. */
  async function interleave(): Promise<void> {
    const early = await Dialog.open(solid.pop3('127.0.0.3'));
    await early.until(/^\+OK/);
    await logIn(openPop3, solid.pop3('127.0.0.4'), solid.account);
    early.send('USER anna\r\nPASS x\r\n');
    await early.until(/^-ERR/);
    await early.close();
  }

  for (const format of ['log', 'traditional'] as const) {
    test(`${format}: exactly the good logins, each with its address`, async () => {
      const expected = ['127.0.0.1', '127.0.0.2', '127.0.0.4', '127.0.0.5'].map(login);
      assert.deepEqual(await eventsIn(syslog[format]), sorted(expected));
    });
  }
});
