/**
 * The real Cyrus in an overlay: POP3 and IMAP on free ports of 127.0.0.1 and ::1, one account in sasldb.
 *
 * Promises: it is started by Debian's own start script with Debian's own configuration; only ports and addresses
 * differ, the account database, and that mailboxes make themselves.  Anonymous logins are allowed, since they let
 * a stranger write the most into the log.
 * Leaves to others: the syslog socket (rsyslog.ts, journal.ts), which must be there before.
 */
import type { MailServer } from './dovecot.ts';
import { loopbackEndpoint } from './dovecot.ts';
import type { Account } from './login.ts';
import { type Overlay, startOverlay } from './overlay.ts';
import { freePorts, LOOPBACK } from './ports.ts';
import type { Rig } from './rig.ts';
import { waitForPort } from './wait.ts';

const ACCOUNT: Account = { user: 'anna', password: 'correct-horse' };
const HOST = 'mx.example.org';

const SETTINGS = [
  `servername: ${HOST}`,
  'sasl_auxprop_plugin: sasldb',
  'autocreate_users: anyone',
  'allowanonymouslogin: yes',
  // The tests log in more often than once a minute, and fail often.
  'popminpoll: 0',
  'failedloginpause: 0',
];

/** Leaves the two services on their ports, and of the others those that listen on no port. */
async function configure(overlay: Overlay, pop3: number, imap: number): Promise<void> {
  const services = [
    `s|listen="imap"|listen="localhost:${imap}"|`,
    `s|listen="pop3"|listen="localhost:${pop3}"|`,
    '/cmd="\\(nntpd\\|httpd\\|timsieved\\)/d',
  ];
  await overlay.run('sed', ['-i', services.join('\n'), '/etc/cyrus.conf']);
  const names = SETTINGS.map(line => `/^${line.replace(/:.*/, ':')}/d`);
  await overlay.run('sed', [
    '-i',
    [...names, `$a ${SETTINGS.join('\\n')}`].join('\n'),
    '/etc/imapd.conf',
  ]);
  await overlay.write('/etc/hosts', '127.0.0.1 localhost\n::1 localhost\n');
}

async function addAccount(overlay: Overlay): Promise<void> {
  const { user, password } = ACCOUNT;
  await overlay.run('saslpasswd2', ['-p', '-c', '-u', HOST, user], { input: password });
  await overlay.run('chown', ['cyrus:sasl', '/etc/sasldb2']);
}

/**
 * Installs and starts Cyrus; it goes with the rig.
 *
 * @param enter a command that starts it elsewhere, as in a journal's namespace
 */
export async function startCyrus(rig: Rig, enter: readonly string[] = []): Promise<MailServer> {
  const overlay = await startOverlay(rig, ['cyrus-imapd', 'cyrus-pop3d', 'sasl2-bin'], enter);
  const [pop3 = 0, imap = 0] = await freePorts(2);
  await configure(overlay, pop3, imap);
  await addAccount(overlay);
  await overlay.run('sh', ['-euc', '/etc/init.d/cyrus-imapd start >/dev/null 2>&1']);
  for (const port of [pop3, imap]) {
    for (const host of LOOPBACK) await waitForPort(host, port);
  }
  return {
    account: ACCOUNT,
    pop3: from => loopbackEndpoint(pop3, from),
    imap: from => loopbackEndpoint(imap, from),
  };
}
