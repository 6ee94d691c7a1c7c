/**
 * A Dovecot of the test's own: POP3 and IMAP on free ports of 127.0.0.1 and ::1, one account.
 *
 * Promises: the installed configuration is not touched; it logs where every Dovecot does, to the mail
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
}

const ACCOUNT: Account = { user: 'anna', password: 'correct-horse' };

const configuration = (base: string, pop3: number, imap: number, more: string): string => `
protocols = imap pop3
listen = 127.0.0.1, ::1
base_dir = ${base}/run
state_dir = ${base}/state
syslog_facility = mail
ssl = no
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
    port = 0
  }
}
service imap-login {
  inet_listener imap {
    port = ${imap}
  }
  inet_listener imaps {
    port = 0
  }
}
`;

/** An endpoint of a server that listens on both loopback addresses, for a client at `from`. */
export const loopbackEndpoint = (port: number, from: string): Endpoint => ({
  host: from.includes(':') ? '::1' : '127.0.0.1',
  port,
  from,
});

/** Starts an instance; it is stopped when the rig closes. */
export async function startDovecot(rig: Rig, options: DovecotOptions = {}): Promise<Dovecot> {
  const base = await rig.directory();
  const [pop3 = 0, imap = 0] = await freePorts(2);
  await mkdir(join(base, 'home'));
  await chmod(join(base, 'home'), 0o1777);
  const { usernameChars, users = [] } = options;
  const entries = [ACCOUNT.user, ...users].map(user => `${user}:${ACCOUNT.password}\n`);
  await writeFile(join(base, 'users'), entries.join(''));
  const names = `auth_username_format = %u\nauth_username_chars = ${usernameChars}`;
  const more = usernameChars === undefined ? '' : names;
  const file = join(base, 'dovecot.conf');
  await writeFile(file, configuration(base, pop3, imap, more));
  const daemon = startDaemon(rig, 'dovecot', ['-F', '-c', file]);
  for (const port of [pop3, imap]) {
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
    kick: () => command('kick', ACCOUNT.user),
    stop: () => command('stop'),
  };
}
