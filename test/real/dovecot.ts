/**
 * A Dovecot of the test's own: POP3 and IMAP on free ports of 127.0.0.1 and ::1, one account.
 *
 * Promises: the installed configuration is not touched; it logs where every Dovecot does unless told otherwise, to the mail
 * facility of syslog, under its usual tag; a wrong password is answered without delay.
 * Leaves to others: the syslog socket (rsyslog.ts); the clients (login.ts).
 * Needs root.  Written for Dovecot 2.3.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint } from './dialog.ts';
import type { Account } from './login.ts';
import { freePorts, LOOPBACK } from './ports.ts';
import { mustRun, startDaemon } from './processes.ts';
import type { Rig } from './rig.ts';
import { waitForPort } from './wait.ts';

export interface MailServer {
  readonly account: Account;
  pop3(from: string): Endpoint;
  imap(from: string): Endpoint;
}

export interface Dovecot extends MailServer {
  /** Encrypted from the first byte on; only with the option `tls`. */
  pop3s(from: string): Endpoint;
  imaps(from: string): Endpoint;
  /** Ends the account's sessions, as an administrator does. */
  kick(): Promise<void>;
  /** Stops the server; sessions that are open go on until the client leaves. */
  stop(): Promise<void>;
}

export interface DovecotOptions {
  /**
   * `auth_username_chars`: Dovecot's default lets no hostile name through to the log; installations
   * that need other names empty the setting, and then everything passes, in capitals as well.
   */
  readonly usernameChars?: string;
  /** Names of further accounts, with the same password. */
  readonly users?: readonly string[];
  /** `login_log_format_elements`, where it is not the default. */
  readonly elements?: string;
  /** `log_path`, where it is not syslog. */
  readonly logPath?: string;
  /** Serves encrypted connections as well, with a certificate of its own making (openssl). */
  readonly tls?: boolean;
}

const ACCOUNT: Account = { user: 'anna', password: 'correct-horse' };

interface Ports {
  readonly pop3: number;
  readonly imap: number;
  /** 0 for none, as for Dovecot. */
  readonly pop3s: number;
  readonly imaps: number;
}

const configuration = (base: string, { pop3, imap, pop3s, imaps }: Ports, more: string): string => `
protocols = imap pop3
listen = 127.0.0.1, ::1
base_dir = ${base}/run
state_dir = ${base}/state
syslog_facility = mail
ssl = ${imaps === 0 ? 'no' : `yes\nssl_cert = <${base}/cert.pem\nssl_key = <${base}/key.pem`}
disable_plaintext_auth = no
auth_failure_delay = 0
# As much as it can log.
auth_verbose = yes
imap_id_log = *
mail_location = maildir:~/Maildir
first_valid_uid = 1
${more}
passdb {
  driver = passwd-file
  args = scheme=PLAIN ${base}/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${base}/home/%u
}
# No growing delay for an address that failed before: the tests fail often, and on purpose.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = ${pop3}
  }
  inet_listener pop3s {
    port = ${pop3s}
    ssl = yes
  }
}
service imap-login {
  inet_listener imap {
    port = ${imap}
  }
  inet_listener imaps {
    port = ${imaps}
    ssl = yes
  }
}
`;

/** An endpoint of a server that listens on both loopback addresses, for a client at `from`. */
export const loopbackEndpoint = (port: number, from: string): Endpoint => ({
  host: from.includes(':') ? '::1' : '127.0.0.1',
  port,
  from,
});

/** A certificate that nobody has signed but its owner. */
async function makeCertificate(base: string): Promise<void> {
  await mustRun('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=localhost', '-days', '1'],
    ...['-keyout', join(base, 'key.pem'), '-out', join(base, 'cert.pem')],
  ]);
}

/** Starts an instance; it is stopped when the rig closes. */
export async function startDovecot(rig: Rig, options: DovecotOptions = {}): Promise<Dovecot> {
  const base = await rig.directory();
  const { usernameChars, users = [], elements, logPath, tls = false } = options;
  const [pop3 = 0, imap = 0, pop3s = 0, imaps = 0] = await freePorts(tls ? 4 : 2);
  if (tls) await makeCertificate(base);
  await mkdir(join(base, 'home'));
  await chmod(join(base, 'home'), 0o1777);
  const entries = [ACCOUNT.user, ...users].map(user => `${user}:${ACCOUNT.password}\n`);
  await writeFile(join(base, 'users'), entries.join(''));
  const names = `auth_username_format = %u\nauth_username_chars = ${usernameChars}`;
  const order = elements === undefined ? '' : `login_log_format_elements = ${elements}\n`;
  const path = logPath === undefined ? '' : `log_path = ${logPath}\n`;
  const more = `${path}${order}${usernameChars === undefined ? '' : names}`;
  const file = join(base, 'dovecot.conf');
  await writeFile(file, configuration(base, { pop3, imap, pop3s, imaps }, more));
  const daemon = startDaemon(rig, 'dovecot', ['-F', '-c', file]);
  for (const port of [pop3, imap, pop3s, imaps].filter(one => one !== 0)) {
    for (const host of LOOPBACK) {
      await waitForPort(host, port, { seen: () => daemon.transcript() });
    }
  }
  const command = async (...words: string[]): Promise<void> => {
    await mustRun('doveadm', ['-c', file, ...words]);
  };
  return {
    account: ACCOUNT,
    pop3: from => loopbackEndpoint(pop3, from),
    imap: from => loopbackEndpoint(imap, from),
    pop3s: from => ({ ...loopbackEndpoint(pop3s, from), tls }),
    imaps: from => ({ ...loopbackEndpoint(imaps, from), tls }),
    kick: () => command('kick', ACCOUNT.user),
    stop: () => command('stop'),
  };
}
