/**
 * The real tcpserver of ucspi-tcp-ipv6 in an overlay, with a `tcprules:` map as its rules, and behind it a server of the test's own
 * that lets clients relay as qmail-smtpd does: whose environment has RELAYCLIENT.
 *
 * Promises: it is started as popbsmtp-mta(7) says.
 */
import assert from 'node:assert/strict';
import type { Endpoint } from './dialog.ts';
import { loopbackEndpoint } from './dovecot.ts';
import { type OtherMta, popbsmtpIn, STATE, startHost } from './other-mta.ts';
import type { Overlay } from './overlay.ts';
import { freePort } from './ports.ts';
import type { Rig } from './rig.ts';
import type { Rsyslog } from './rsyslog.ts';
import { waitForPort } from './wait.ts';

export interface TcpServer extends OtherMta {
  readonly rules: string;
  smtp6(from: string): Endpoint;
}

const PATH = `${STATE}/tcp.smtp.cdb`;
const RULES = '/etc/tcp.smtp';
/** nobody and nogroup, as tcpserver takes them. */
const READER = 65534;

/** Answers with the environment that the rules have made. */
const SMTP = `#!/bin/sh
say() { printf '%s\\r\\n' "$1"; }
say '220 mx.example.org ESMTP'
while read -r verb rest; do
  case $verb in
    RCPT) if test "\${RELAYCLIENT+set}"; then say "250 A=$A from $TCPREMOTEIP"; else say '553 not in my list of rcpthosts'; fi ;;
    QUIT*) say '221 bye'; exit ;;
    *) say '250 ok' ;;
  esac
done
`;

/** Starts it, with a map that popbsmtp has made; it goes with the rig. */
export async function startTcpServer(rig: Rig, syslog: Rsyslog, text: string): Promise<TcpServer> {
  const overlay = await startHost(rig, syslog, [], 'nogroup');
  await overlay.write(RULES, text);
  const map = `tcprules:${PATH}`;
  const options = ['--map-mode', '0640', '--map-rules', RULES];
  await popbsmtpIn(overlay, [
    ...['run', '--map', map, ...options, '--watchlog', '-', '--mynetworks', 'none'],
  ]);
  const port = await serve(overlay, [`-u${READER}`, `-g${READER}`, '-x', PATH], ['test-smtp']);
  return {
    overlay,
    map,
    options,
    rules: RULES,
    smtp: from => loopbackEndpoint(port, from),
    smtp6: from => ({ host: '::1', port, from }),
  };
}

/** Starts tcpserver on a port of both families. */
async function serve(
  overlay: Overlay,
  options: readonly string[],
  program: readonly string[],
): Promise<number> {
  await overlay.write('/usr/local/bin/test-smtp', SMTP);
  await overlay.run('chmod', ['755', '/usr/local/bin/test-smtp']);
  const port = await freePort();
  const args = ['-HRl0', ...options, '0', String(port), ...program];
  await overlay.run('sh', ['-euc', 'tcpserver "$@" >/dev/null 2>&1 </dev/null &', 'sh', ...args]);
  for (const host of ['127.0.0.1', '::1']) await waitForPort(host, port);
  return port;
}

/** A server that lets everybody relay who reaches it: nftables lets those in who are in the sets of an `nft:` map, which popbsmtp has made. */
export async function startFirewalled(rig: Rig, syslog: Rsyslog): Promise<OtherMta> {
  const overlay = await startHost(rig, syslog, [], 'root');
  const map = 'nft:inet filter pop';
  const port = await serve(overlay, [], ['env', 'RELAYCLIENT=', 'test-smtp']);
  const first = ['run', '--map', map, '--watchlog', '-', '--mynetworks', 'none'];
  const made = await popbsmtpIn(overlay, first);
  assert.equal(made.code, 0, made.stderr);
  const rules = `table inet filter {
    chain input {
      type filter hook input priority filter
      ct state established accept
      tcp dport ${port} ip saddr @pop4 accept
      tcp dport ${port} ip6 saddr @pop6 accept
      tcp dport ${port} reject with tcp reset
    }
  }`;
  await overlay.run('nft', ['-f', '-'], { input: rules });
  const smtp = (from: string): Endpoint => loopbackEndpoint(port, from);
  return { overlay, map, options: [], smtp, refuses: 'connections' };
}
