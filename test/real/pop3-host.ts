/**
 * What the small POP3 servers need around them in an overlay: a system account, and a way in to their port.
 *
 * Promises: a client's address is the same for the server, whichever way it came in.
 * Leaves to others: installing and configuring the server.
 */
import { spawn } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import type { MailServer } from './dovecot.ts';
import type { Account } from './login.ts';
import type { Overlay } from './overlay.ts';
import { freePort } from './ports.ts';
import type { Rig } from './rig.ts';
import { waitForPort } from './wait.ts';

/** A server that has no IMAP. */
export type Pop3Server = Pick<MailServer, 'account' | 'pop3'>;

const ACCOUNT: Account = { user: 'anna', password: 'correct-horse' };

/** Adds a system account with an empty mailbox; a wrong password is answered without delay. */
export async function addSystemAccount(overlay: Overlay): Promise<Account> {
  await overlay.run('sed', ['-i', 's/pam_unix.so/& nodelay/', '/etc/pam.d/common-auth']);
  await overlay.run('useradd', ['-m', ACCOUNT.user]);
  await overlay.run('chpasswd', [], { input: `${ACCOUNT.user}:${ACCOUNT.password}\n` });
  const mailbox = ['-m', '600', '-o', ACCOUNT.user, '-g', 'mail', '/dev/null'];
  await overlay.run('install', [...mailbox, `/var/mail/${ACCOUNT.user}`]);
  return ACCOUNT;
}

/**
 * Serves a program by inetd on a free port of 127.0.0.1, through tcpd, as Debian's packages enter themselves in
 * inetd.conf.
 *
 * @returns the port
 */
export async function serveByInetd(overlay: Overlay, program: string): Promise<number> {
  const port = await freePort();
  const fields = [`127.0.0.1:${port}`, 'stream', 'tcp4', 'nowait', 'root.mail', '/usr/sbin/tcpd'];
  await overlay.write('/etc/inetd.conf', `${[...fields, program].join('\t')}\n`);
  await overlay.run('/etc/init.d/openbsd-inetd', ['start']);
  await waitForPort('127.0.0.1', port);
  return port;
}

/** Joins its standard input and output to a port, from a given local address. */
const JOIN = `
const [port, localAddress] = process.argv.slice(1);
const socket = require('node:net').connect({ port: Number(port), host: '127.0.0.1', localAddress });
process.stdin.pipe(socket).pipe(process.stdout);
socket.on('error', () => process.exit(1));
`;

/**
 * The way in to a port of 127.0.0.1 in a network namespace of the overlay: each connection is made again in there,
 * from the address that it came from.
 *
 * @param pid as the overlay counts, of a process of that namespace
 * @returns the port on this side
 */
export async function passInto(
  rig: Rig,
  overlay: Overlay,
  pid: number,
  target: number,
): Promise<number> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket);
    const { remoteAddress = '' } = socket;
    const [command, ...args] = overlay.argv('nsenter', [
      `--net=/proc/${pid}/ns/net`,
      process.execPath,
      ...['-e', JOIN, String(target), remoteAddress],
    ]);
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    socket.pipe(child.stdin).on('error', () => undefined);
    child.stdout.pipe(socket).on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  rig.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>(resolve => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return port;
}
