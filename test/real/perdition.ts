/**
 * Perdition of the test's own, a proxy for POP3 and IMAP before another server, on free ports of 127.0.0.1 and ::1.
 *
 * Promises: a process for each service, under the names that Debian gives them, and with Debian's defaults in what it logs;
 * everybody is taken to the one server behind it, which judges the password.
 * Leaves to others: the syslog socket (rsyslog.ts, journal.ts), the server behind it (dovecot.ts).
 * Needs root.  Written for perdition 2.2.
 */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { loopbackEndpoint, type MailServer, makeCertificate } from './dovecot.ts';
import { freePorts, LOOPBACK } from './ports.ts';
import { startDaemon } from './processes.ts';
import type { MailProxy } from './proxied.ts';
import type { Rig } from './rig.ts';
import { waitForPort } from './wait.ts';

/** For `requirePrograms`. */
export const PERDITION_PROGRAMS = ['perdition.imap4', 'dovecot', 'openssl'] as const;

/**
 * Starts it; it is stopped when the rig closes.
 *
 * @param enter a command that runs it elsewhere, as in a journal's namespace
 */
export async function startPerdition(
  rig: Rig,
  backend: MailServer,
  enter: readonly string[] = [],
): Promise<MailProxy> {
  const base = await rig.directory();
  await makeCertificate(base);
  // It reads the key when it is nobody already.
  await chmod(join(base, 'key.pem'), 0o644);
  const ports = await freePorts(5);
  const start = async (name: string, port: number, ...more: readonly string[]): Promise<void> => {
    const { port: behind } = name.includes('pop3') ? backend.pop3('::1') : backend.imap('::1');
    const [command = name, ...args] = [
      ...[
        ...enter,
        `perdition.${name}`,
        '--no_daemon',
        '--config_file',
        '/dev/null',
        '--pid_file',
        '',
      ],
      ...[
        '--bind_address',
        LOOPBACK.map(host => (host === '::1' ? `[::1]:${port}` : `${host}:${port}`)).join(),
      ],
      ...['--listen_port', String(port), '--map_library', '', '--no_lookup'],
      ...['--outgoing_server', '127.0.0.1', '--outgoing_port', String(behind)],
      ...more,
    ];
    const daemon = startDaemon(rig, command, args);
    for (const host of LOOPBACK) await waitForPort(host, port, { seen: () => daemon.transcript() });
  };
  const tls = [
    ...['--ssl_mode', 'ssl_listen', '--ssl_cert_file', join(base, 'cert.pem')],
    ...['--ssl_key_file', join(base, 'key.pem')],
  ];
  const [pop3 = 0, imap = 0, pop3s = 0, imaps = 0, impatient = 0] = ports;
  await start('pop3', pop3);
  await start('imap4', imap);
  await start('pop3s', pop3s, ...tls);
  await start('imap4s', imaps, ...tls);
  await start('imap4', impatient, '--timeout', '1');
  const plain = (port: number) => (from: string) => loopbackEndpoint(port, from);
  const encrypted = (port: number) => (from: string) => ({
    ...loopbackEndpoint(port, from),
    tls: true,
  });
  return {
    account: backend.account,
    pop3: plain(pop3),
    imap: plain(imap),
    pop3s: encrypted(pop3s),
    imaps: encrypted(imaps),
    impatient: plain(impatient),
  };
}
