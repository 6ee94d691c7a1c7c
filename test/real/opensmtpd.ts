/**
 * The real OpenSMTPD in an overlay: a daemon on a free port of 127.0.0.1, which has a `table:` of popbsmtp's as its list of sources.
 *
 * Promises: the table is named as popbsmtp-mta(7) says; nothing is delivered, since the tests send no DATA.
 * smtpctl(8) wants root, so the directory of the map is root's, and popbsmtp stays what it was started as.
 */
import assert from 'node:assert/strict';
import { loopbackEndpoint } from './dovecot.ts';
import { LOGS, type OtherMta, popbsmtpIn, STATE, startHost } from './other-mta.ts';
import { freePort } from './ports.ts';
import type { Rig } from './rig.ts';
import type { Rsyslog } from './rsyslog.ts';
import { waitForPort } from './wait.ts';

const PATH = `${STATE}/pop-before-smtp`;
const MAP = `table:${PATH}`;
const UPDATE = ['/usr/sbin/smtpctl', 'update', 'table', 'pop_before_smtp'];

const configuration = (port: number): string => `
table pop_before_smtp file:${PATH}
table hammer file:${LOGS}/hammer
listen on 127.0.0.1 port ${port}
action "out" relay
match from src <pop_before_smtp> for any action "out"
match from src <hammer> for any action "out"
`;

/** Installs and starts OpenSMTPD, with a table that popbsmtp has made; it goes with the rig. */
export async function startOpenSmtpd(rig: Rig, syslog: Rsyslog): Promise<OtherMta> {
  const overlay = await startHost(rig, syslog, ['opensmtpd'], 'opensmtpd', 'root');
  const options = [...['--map-mode', '0640'], ...UPDATE.flatMap(word => ['--table-command', word])];
  const first = ['run', '--map', MAP, ...options, '--watchlog', '-', '--mynetworks', 'none'];
  const made = await popbsmtpIn(overlay, first);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /smtpctl could not make the rows known/);
  // For a writer of the test's own.
  await overlay.write(`${LOGS}/hammer`, '# @list\n');
  const port = await freePort();
  await overlay.write('/etc/mailname', 'mx.example.org\n');
  await overlay.write('/etc/smtpd.conf', configuration(port));
  await overlay.run('smtpd', []);
  await waitForPort('127.0.0.1', port);
  return { overlay, map: MAP, options, smtp: from => loopbackEndpoint(port, from) };
}
