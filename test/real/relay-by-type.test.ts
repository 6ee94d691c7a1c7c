/**
 * The whole chain with maps that are replaced: a login opens the relay and its end closes it, for each type that smtpd
 * notices a change of, and the maps that follow a first one are the same.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type MailServer, startDovecot } from './dovecot.ts';
import { logIn, openPop3 } from './login.ts';
import { requireType, type Type } from './map-kinds.ts';
import { GraceFile, popbsmtp, startPopbsmtp } from './popbsmtp.ts';
import { startPostfix } from './postfix.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { type Rsyslog, startRsyslog } from './rsyslog.ts';
import { askToRelay } from './smtp.ts';
import { linesOf, waitFor } from './wait.ts';

const TYPES: readonly { readonly type: Type; readonly follows: Type; readonly from: string }[] = [
  { type: 'hash', follows: 'lmdb', from: '127.0.0.41' },
  { type: 'btree', follows: 'texthash', from: '127.0.0.42' },
  { type: 'cdb', follows: 'cidr', from: '127.0.0.43' },
];

const skip =
  requirePrograms(['postfix', 'postmap', 'dovecot', 'rsyslogd'], { root: true }) ||
  (TYPES.map(({ type }) => requireType(type)).find(reason => reason !== false) ?? false);

describe('from the login to the relay', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let dovecot: MailServer;

  before(async () => {
    syslog = await startRsyslog(rig);
    dovecot = await startDovecot(rig);
  });
  after(() => rig.close());

  for (const { type, follows, from } of TYPES) {
    test(`by a ${type}: map, which a ${follows}: map follows`, async () => {
      const path = join(await rig.directory(), 'pop-before-smtp');
      const [map, mirror] = [`${type}:${path}`, `${follows}:${path}`];
      const first = await popbsmtp('run', '--watchlog', '-', '--map', map, '--mynetworks', 'none');
      assert.equal(first.code, 0, first.stderr);
      const postfix = await startPostfix(rig, {
        mynetworks: '127.0.0.1/32',
        restrictions: `smtpd_relay_restrictions = check_client_access ${map}, reject_unauth_destination`,
      });
      const grace = await GraceFile.make(rig, '1h');
      const start = () =>
        startPopbsmtp(rig, {
          watchlog: syslog.log,
          map: [map, mirror],
          grace,
          postfixConfig: postfix.config,
        });
      const answer = async (client = from): Promise<number> =>
        (await askToRelay(postfix.smtp(client))).code;
      /** Without what the daemon adds, which changes by the second. */
      const rows = async (of: string): Promise<string> =>
        (await popbsmtp('list', '--json', '--map', of)).stdout.replace(/,"time":.*/g, '');
      const equal = (): Promise<unknown> =>
        waitFor(`${mirror} to follow`, async () => (await rows(map)) === (await rows(mirror)));

      let daemon = await start();
      assert.equal(await answer(), 554, 'before the login');
      await logIn(openPop3, dovecot.pop3(from), dovecot.account);
      await waitFor('its row', async () => (await rows(map)).includes(`"${from}"`), {
        seen: () => daemon.transcript(),
      });
      assert.equal(await answer(), 250, 'after the login');
      assert.equal(await answer('127.0.0.200'), 554, 'somebody else');
      await equal();

      const before = await rows(map);
      daemon.signal('SIGTERM');
      assert.equal(await daemon.exited(), 0);
      assert.equal(await answer(), 250, 'while no daemon runs');
      daemon = await start();
      assert.equal(await rows(map), before, 'a restarted daemon goes on where it was');

      await grace.change(daemon, '2s');
      await waitFor('the end of the grant', async () => (await answer()) === 554, {
        seen: () => daemon.transcript(),
      });
      await daemon.waitForLine(new RegExp(`^purging ts=.*=${from}$`));
      assert.equal(await rows(map), '');
      await equal();
      assert.equal(await daemon.stop(), 0);
      assert.match(daemon.stderr, /^watching [^\n]*\nreloaded [^\n]*\n$/);
      const changed = (await linesOf(syslog.log)).filter(line => line.includes(`table ${map}`));
      assert.ok(changed.length > 0, 'smtpd has noticed');
    });
  }
});
