/**
 * The real SMTP server of Courier in an overlay: esmtpd on a free port of both families, which has a `smtpaccess:` map of popbsmtp's among
 * its rules.
 *
 * Promises: the map is named as popbsmtp-mta(7) says; nothing is delivered, since the tests send no DATA.  makesmtpaccess(8) wants root, so
 * the directory of the map is root's, and popbsmtp stays what it was started as.
 */
import { loopbackEndpoint } from './dovecot.ts';
import { type OtherMta, STATE, startHost } from './other-mta.ts';
import { freePort } from './ports.ts';
import type { Rig } from './rig.ts';
import type { Rsyslog } from './rsyslog.ts';
import { waitForPort } from './wait.ts';

const PATH = `${STATE}/smtpaccess`;
const RULES = '/etc/courier/smtpaccess';

/** Many clients of one network, no name server, and no waiting behind a refusal. */
const settings = (port: number): string => `
PORT=${port}
BOFHCHECKDNS=0
TARPIT=0
MAXPERC=40
MAXPERIP=40
TCPDOPTS="$TCPDOPTS -nodnslookup"
`;

/** Installs and starts it; it goes with the rig. */
export async function startCourierMta(rig: Rig, syslog: Rsyslog, rules: string): Promise<OtherMta> {
  const overlay = await startHost(rig, syslog, ['courier-mta'], 'courier', 'root');
  const port = await freePort();
  await overlay.write(`${RULES}/default`, rules);
  await overlay.run('ln', ['-s', PATH, `${RULES}/popbsmtp`]);
  await overlay.run('sh', ['-euc', 'cat >> /etc/courier/esmtpd'], { input: settings(port) });
  await overlay.write('/etc/courier/me', 'mx.example.org\n');
  // couriertcpd takes the rules that there are when it starts.
  await overlay.run('makedat.courier', [
    ...[`-src=${RULES}`, `-file=${RULES}.dat`, `-tmp=${RULES}.tmp`, '-cidr'],
  ]);
  await overlay.run('courier', ['start']);
  await overlay.run('esmtpd', ['start']);
  for (const host of ['127.0.0.1', '::1']) await waitForPort(host, port);
  const smtp = (from: string) => loopbackEndpoint(port, from);
  return { overlay, map: `smtpaccess:${PATH}`, options: [], smtp };
}
