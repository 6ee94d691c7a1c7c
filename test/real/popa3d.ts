/**
 * The real popa3d in an overlay, one system account: standalone, as Debian installs it, or by inetd.
 *
 * Promises: standalone it is started by Debian's own start script.  It then listens on port 110 of every address,
 * which cannot be changed, so it gets a network namespace of its own, and pop3-host.ts makes the way in.
 * Leaves to others: the syslog socket (rsyslog.ts); popa3d logs to the facility daemon.
 */
import { loopbackEndpoint } from './dovecot.ts';
import { OVERLAY_PROGRAMS, type Overlay, startOverlay } from './overlay.ts';
import { addSystemAccount, type Pop3Server, passInto, serveByInetd } from './pop3-host.ts';
import type { Rig } from './rig.ts';

/** For `requirePrograms`. */
export const POPA3D_PROGRAMS = [...OVERLAY_PROGRAMS, 'ip'] as const;

export interface Popa3d extends Pop3Server {
  /** The same server started by inetd, behind tcpd. */
  byInetd(from: string): ReturnType<Pop3Server['pop3']>;
}

const PORT = 110;
const PID_FILE = '/run/popa3d.pid';

async function startStandalone(overlay: Overlay): Promise<number> {
  // Its daemon keeps the output open, which would never end.
  const start = 'ip link set lo up; /etc/init.d/popa3d start >/dev/null 2>&1';
  await overlay.run('unshare', ['--net', 'sh', '-euc', start]);
  return Number(await overlay.run('cat', [PID_FILE]));
}

/** Installs and starts popa3d; it goes with the rig. */
export async function startPopa3d(rig: Rig): Promise<Popa3d> {
  const overlay = await startOverlay(rig, ['popa3d', 'openbsd-inetd', 'tcpd']);
  const account = await addSystemAccount(overlay);
  const standalone = await passInto(rig, overlay, await startStandalone(overlay), PORT);
  const inetd = await serveByInetd(overlay, '/usr/sbin/popa3d');
  return {
    account,
    pop3: from => loopbackEndpoint(standalone, from),
    byInetd: from => loopbackEndpoint(inetd, from),
  };
}
