/**
 * The real Courier in an overlay: POP3 and IMAP on free ports of 127.0.0.1, one account in userdb.
 *
 * Promises: it is started by Debian's own start scripts with Debian's own configuration; only the
 * ports, the address and the authentication module differ, and the limit of sessions from one address.
 * Leaves to others: the syslog socket (rsyslog.ts, journal.ts), which must be there before.
 */
import type { MailServer } from './dovecot.ts';
import { loopbackEndpoint } from './dovecot.ts';
import type { Account } from './login.ts';
import { type Overlay, startOverlay } from './overlay.ts';
import { freePorts } from './ports.ts';
import { mustRun } from './processes.ts';
import type { Rig } from './rig.ts';
import { waitForPort } from './wait.ts';

export interface Courier extends MailServer {
  /**
   * Has the POP3 sessions time out now: with their own timer's signal, which otherwise comes after minutes.  IMAP
   * ones wait half an hour in select(2), which nothing shortens.
   */
  timeOutPop3(): Promise<void>;
}

const PACKAGES = ['courier-imap', 'courier-pop'];

/** Holds userdb; a part of courier-authlib since 0.72.7. */
const USERDB = 'courier-authlib-userdb';

const ACCOUNT: Account = { user: 'anna', password: 'correct-horse' };
const HOME = '/srv/anna';

/** Sets shell variables in a configuration file of Courier's, all of which exist there. */
async function configure(
  overlay: Overlay,
  file: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<void> {
  const edits = Object.entries(settings).map(([name, value]) => `s|^${name}=.*|${name}=${value}|`);
  await overlay.run('sed', ['-i', edits.join('\n'), `/etc/courier/${file}`]);
}

async function addAccount(overlay: Overlay): Promise<void> {
  const hash = await overlay.run('userdbpw', ['-md5'], { input: `${ACCOUNT.password}\n` });
  await overlay.run('install', ['-d', '-o', 'mail', '-g', 'mail', HOME]);
  const fields = [
    'uid=8',
    'gid=8',
    `home=${HOME}`,
    `mail=${HOME}/Maildir`,
    `systempw=${hash.trim()}`,
  ];
  await overlay.write('/etc/courier/userdb', `${ACCOUNT.user}\t${fields.join('|')}\n`);
  await overlay.run('chmod', ['700', '/etc/courier/userdb']);
  await overlay.run('makeuserdb', []);
  await overlay.run('setpriv', [
    '--reuid=mail',
    '--regid=mail',
    '--clear-groups',
    'maildirmake.courier',
    `${HOME}/Maildir`,
  ]);
}

/**
 * Installs and starts Courier; it goes with the rig.
 *
 * @param enter a command that starts it elsewhere, as in a journal's namespace
 */
export async function startCourier(rig: Rig, enter: readonly string[] = []): Promise<Courier> {
  const policy = await mustRun('apt-cache', ['policy', USERDB]);
  const userdb = /Candidate: [^(]/.test(policy) ? USERDB : 'courier-authlib';
  const overlay = await startOverlay(rig, [...PACKAGES, userdb], enter);
  const [pop3 = 0, imap = 0] = await freePorts(2);
  await configure(overlay, 'authdaemonrc', { authmodulelist: '"authuserdb"' });
  await configure(overlay, 'pop3d', { ADDRESS: '127.0.0.1', PORT: pop3, MAXPERIP: 40 });
  await configure(overlay, 'imapd', { ADDRESS: '127.0.0.1', PORT: imap, MAXPERIP: 40 });
  await addAccount(overlay);
  // Courier 6 has them no more in /usr/sbin; /usr/bin/imapd, behind both, is another program.
  for (const program of ['authdaemond', 'pop3d', 'imapd']) {
    const start = `PATH=/usr/sbin:/usr/lib/courier:$PATH exec ${program} start`;
    await overlay.run('sh', ['-euc', start]);
  }
  await waitForPort('127.0.0.1', pop3);
  await waitForPort('127.0.0.1', imap);
  return {
    account: ACCOUNT,
    pop3: from => loopbackEndpoint(pop3, from),
    imap: from => loopbackEndpoint(imap, from),
    timeOutPop3: async () => {
      const pids = await overlay.run('pidof', ['courierpop3d']);
      await overlay.run('kill', ['-s', 'ALRM', ...pids.trim().split(' ')]);
    },
  };
}
