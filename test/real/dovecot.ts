/**
 * A Dovecot of the test's own: POP3 and IMAP on free ports of 127.0.0.1 and ::1, one account.
 *
 * Promises: the installed configuration is not touched; it logs where every Dovecot does unless told otherwise, to the mail
 * facility of syslog, under its usual tag; a wrong password is answered without delay.
 * Leaves to others: the syslog socket (rsyslog.ts); the clients (login.ts).
 * Needs root, and Dovecot 2.3 or 2.4.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint } from './dialog.ts';
import { configurationOf } from './dovecot-configuration.ts';
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
  /** As `dovecot --version` prints it. */
  readonly version: string;
  /** The path of its configuration. */
  readonly configuration: string;
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
  /** `instance_name`, where it is not the default. */
  readonly instance?: string;
  /** Where it answers another server's questions about passwords (Postfix's smtpd_sasl_path). */
  readonly authSocket?: string;
  /** `log_path`, where it is not syslog. */
  readonly logPath?: string;
  /** What starts it in place of the program itself. */
  readonly program?: string;
  /** The command that starts it elsewhere, as in a journal's namespace. */
  readonly enter?: readonly string[];
  /** Serves encrypted connections as well, with a certificate of its own making (openssl). */
  readonly tls?: boolean;
}

/** What the process writes that lets a client in: `Login:` in 2.3, `Logged in:` in 2.4. */
export const LOGIN_LINE = /-login: Log(?:in|ged in): /;

const ACCOUNT: Account = { user: 'anna', password: 'correct-horse' };

/** An endpoint of a server that listens on both loopback addresses, for a client at `from`. */
export const loopbackEndpoint = (port: number, from: string): Endpoint => ({
  host: from.includes(':') ? '::1' : '127.0.0.1',
  port,
  from,
});

/** A certificate that nobody has signed but its owner. */
export async function makeCertificate(base: string): Promise<void> {
  await mustRun('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=localhost', '-days', '1'],
    ...['-keyout', join(base, 'key.pem'), '-out', join(base, 'cert.pem')],
  ]);
}

/** Starts an instance; it is stopped when the rig closes. */
export async function startDovecot(rig: Rig, options: DovecotOptions = {}): Promise<Dovecot> {
  const base = await rig.directory();
  const {
    usernameChars,
    users = [],
    elements,
    instance,
    logPath,
    authSocket,
    program = 'dovecot',
    enter = [],
    tls = false,
  } = options;
  const [pop3 = 0, imap = 0, pop3s = 0, imaps = 0] = await freePorts(tls ? 4 : 2);
  if (tls) await makeCertificate(base);
  await mkdir(join(base, 'home'));
  await chmod(join(base, 'home'), 0o1777);
  const entries = [ACCOUNT.user, ...users].map(user => `${user}:${ACCOUNT.password}\n`);
  await writeFile(join(base, 'users'), entries.join(''));
  const file = join(base, 'dovecot.conf');
  const version = await mustRun('dovecot', ['--version']);
  const text = configurationOf(version, {
    base,
    ports: { pop3, imap, pop3s, imaps },
    usernameChars: usernameChars ?? null,
    elements: elements ?? null,
    instance: instance ?? null,
    logPath: logPath ?? null,
  });
  const auth =
    authSocket === undefined
      ? ''
      : `service auth {\n  unix_listener ${authSocket} {\n    mode = 0666\n  }\n}\n`;
  await writeFile(file, text + auth);
  const [command = program, ...args] = [...enter, program, '-F', '-c', file];
  const daemon = startDaemon(rig, command, args);
  for (const port of [pop3, imap, pop3s, imaps].filter(one => one !== 0)) {
    for (const host of LOOPBACK) {
      await waitForPort(host, port, { seen: () => daemon.transcript() });
    }
  }
  const doveadm = async (...words: string[]): Promise<void> => {
    await mustRun('doveadm', ['-c', file, ...words]);
  };
  return {
    version,
    configuration: file,
    account: ACCOUNT,
    pop3: from => loopbackEndpoint(pop3, from),
    imap: from => loopbackEndpoint(imap, from),
    pop3s: from => ({ ...loopbackEndpoint(pop3s, from), tls }),
    imaps: from => ({ ...loopbackEndpoint(imaps, from), tls }),
    kick: () => doveadm('kick', ACCOUNT.user),
    stop: () => doveadm('stop'),
  };
}
