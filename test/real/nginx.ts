/**
 * An nginx of the test's own as a mail proxy, before another server: POP3 and IMAP on their usual ports of 127.0.0.1 and ::1,
 * since its pattern knows the protocol by the port.
 *
 * Promises: it logs by the very setting that its pattern file asks for; one worker, under nobody's account.  Who may log in
 * is asked of an HTTP server of the test's, as nginx wants it, which knows the other server's account.
 * Leaves to others: the syslog socket (rsyslog.ts, journal.ts), the server behind it (dovecot.ts).
 * Needs root, and an isolated network.  Written for nginx 1.22.
 */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/package.ts';
import { loopbackEndpoint, type MailServer, makeCertificate } from './dovecot.ts';
import { LOOPBACK } from './ports.ts';
import { startDaemon } from './processes.ts';
import type { MailProxy } from './proxied.ts';
import type { Rig } from './rig.ts';
import { waitForPort } from './wait.ts';

/** For `requirePrograms`. */
export const NGINX_PROGRAMS = ['nginx', 'dovecot', 'openssl'] as const;

const MODULE = '/usr/lib/nginx/modules/ngx_mail_module.so';
const IMPATIENT = '127.0.0.9';

/** What its pattern file says that it has to be told. */
async function errorLog(): Promise<string> {
  const text = await readFile(join(packageRoot(), 'patterns/nginx.toml'), 'utf8');
  const [, setting] = /^# +(error_log syslog:.*;)$/m.exec(text) ?? [];
  if (setting === undefined) throw new Error('patterns/nginx.toml names no error_log');
  return setting;
}

const server = (protocol: 'pop3' | 'imap', port: number, tls: boolean): string => `
  server {
    listen 127.0.0.1:${port}${tls ? ' ssl' : ''};
    listen [::1]:${port}${tls ? ' ssl' : ''};
    protocol ${protocol};
  }`;

const configuration = (base: string, setting: string, auth: number): string => `
load_module ${MODULE};
worker_processes 1;
pid ${base}/pid;
error_log ${base}/error.log info;
events {}
mail {
  ${setting}
  auth_http 127.0.0.1:${auth}/;
  proxy_pass_error_message on;
  ssl_certificate ${base}/cert.pem;
  ssl_certificate_key ${base}/key.pem;
  ${server('pop3', 110, false)}
  ${server('imap', 143, false)}
  ${server('pop3', 995, true)}
  ${server('imap', 993, true)}
  server {
    listen ${IMPATIENT}:143;
    protocol imap;
    proxy_timeout 1s;
  }
}
`;

/** Says of each login whether it is right, and where it is to be taken (ngx_mail_auth_http_module). */
async function startAuthority(rig: Rig, backend: MailServer): Promise<number> {
  const { user, password } = backend.account;
  const authority = createServer(({ headers }, response) => {
    const isRight = headers['auth-user'] === user && headers['auth-pass'] === password;
    const protocol = headers['auth-protocol'] === 'pop3' ? 'pop3' : 'imap';
    const { host, port } = backend[protocol]('127.0.0.1');
    const answer = isRight
      ? { 'Auth-Status': 'OK', 'Auth-Server': host, 'Auth-Port': String(port) }
      : { 'Auth-Status': 'no such login' };
    response.writeHead(200, answer).end();
  });
  await once(authority.listen(0, '127.0.0.1'), 'listening');
  rig.defer(async () => {
    authority.closeAllConnections();
    await once(authority.close(), 'close');
  });
  return (authority.address() as AddressInfo).port;
}

/**
 * Starts it; it is stopped when the rig closes.
 *
 * @param enter a command that runs it elsewhere, as in a journal's namespace
 * @param changed what becomes of the setting of its pattern file
 */
export async function startNginx(
  rig: Rig,
  backend: MailServer,
  enter: readonly string[] = [],
  changed: (setting: string) => string = setting => setting,
): Promise<MailProxy> {
  const base = await rig.directory();
  await makeCertificate(base);
  const file = join(base, 'nginx.conf');
  const auth = await startAuthority(rig, backend);
  await writeFile(file, configuration(base, changed(await errorLog()), auth));
  const [command, ...args] = [...enter, 'nginx', '-c', file, '-g', 'daemon off;'];
  const daemon = startDaemon(rig, command ?? 'nginx', args);
  for (const port of [110, 143, 993, 995])
    for (const host of LOOPBACK) await waitForPort(host, port, { seen: () => daemon.transcript() });
  const encrypted = (port: number) => (from: string) => ({
    ...loopbackEndpoint(port, from),
    tls: true,
  });
  return {
    account: backend.account,
    pop3: from => loopbackEndpoint(110, from),
    imap: from => loopbackEndpoint(143, from),
    pop3s: encrypted(995),
    imaps: encrypted(993),
    impatient: from => ({ ...loopbackEndpoint(143, from), host: IMPATIENT }),
  };
}
