/**
 * The real solid-pop3d in an overlay, started by inetd as Debian installs it; one system account.
 *
 * Leaves to others: the syslog socket (rsyslog.ts).
 */
import { loopbackEndpoint } from './dovecot.ts';
import { startOverlay } from './overlay.ts';
import { addSystemAccount, type Pop3Server, serveByInetd } from './pop3-host.ts';
import type { Rig } from './rig.ts';

/** Installs and starts solid-pop3d; it goes with the rig. */
export async function startSolidPop3d(rig: Rig): Promise<Pop3Server> {
  const overlay = await startOverlay(rig, ['solid-pop3d', 'openbsd-inetd', 'tcpd']);
  const account = await addSystemAccount(overlay);
  const port = await serveByInetd(overlay, '/usr/sbin/solid-pop3d');
  return { account, pop3: from => loopbackEndpoint(port, from) };
}
