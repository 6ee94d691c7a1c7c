/**
 * `--require-tls` with the real Dovecot and the real rsyslog: only who came over TLS may relay.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { keysOf } from '../cli/watched-log.ts';
import { type Dovecot, LOGIN_LINE, startDovecot } from './dovecot.ts';
import { logIn, openImap, openPop3 } from './login.ts';
import { MAIN } from './popbsmtp.ts';
import { type Daemon, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, type Rsyslog, startRsyslog } from './rsyslog.ts';
import { linesOf, waitFor } from './wait.ts';

const skip = requirePrograms(['dovecot', 'doveadm', 'openssl', ...RSYSLOG_PROGRAMS], {
  root: true,
});

const PLAIN = ['127.0.0.2', '127.0.0.3'] as const;
/** Dovecot calls a plain connection from its own address `secured`. */
const SECURED = '127.0.0.1';
const ENCRYPTED = ['127.0.0.4', '127.0.0.5', '::1'] as const;

describe('Dovecot with and without TLS', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let dovecot: Dovecot;
  let map: string;
  let daemon: Daemon;

  before(async () => {
    syslog = await startRsyslog(rig);
    dovecot = await startDovecot(rig, { tls: true });
    map = `lmdb:${join(await rig.directory(), 'pop-before-smtp')}`;
    daemon = startDaemon(rig, process.execPath, [
      ...[MAIN, 'run', '--debug', '--require-tls', '--watchlog', syslog.log],
      ...['--map', map, '--mynetworks', 'none', '--exclude', 'none'],
    ]);
    await waitFor('popbsmtp', () => daemon.stderr.includes('watching'));
    const { account } = dovecot;
    await logIn(openPop3, dovecot.pop3(PLAIN[0]), account);
    await logIn(openImap, dovecot.imap(PLAIN[1]), account);
    await logIn(openImap, dovecot.imap(SECURED), account);
    await logIn(openPop3, dovecot.pop3s(ENCRYPTED[0]), account);
    await logIn(openImap, dovecot.imaps(ENCRYPTED[1]), account);
    await logIn(openImap, dovecot.imaps(ENCRYPTED[2]), account);
    await daemon.waitForLine(new RegExp(`ip=${ENCRYPTED[2]}$`));
  });
  after(() => rig.close());

  test('the log says which is which', async () => {
    const logins = (await linesOf(syslog.log)).filter(line => LOGIN_LINE.test(line));
    const endOf = (ip: string): string =>
      logins.find(line => line.includes(`rip=${ip},`))?.replace(/.* mpid=\d+, /, '') ?? '';
    for (const ip of PLAIN) assert.match(endOf(ip), /^session=/);
    assert.match(endOf(SECURED), /^secured, /);
    for (const ip of ENCRYPTED) assert.match(endOf(ip), /^TLS, /);
  });

  test('only the encrypted logins get a grant', async () => {
    assert.deepEqual((await keysOf(map)).sort(), [...ENCRYPTED].sort());
    const refused = daemon.lines.flatMap((line, index) =>
      line === '    ignored --- not encrypted' ? [daemon.lines[index - 1]] : [],
    );
    assert.deepEqual(
      refused.map(line => line?.replace(/.* ip=/, '')),
      [...PLAIN, SECURED],
    );
  });
});
