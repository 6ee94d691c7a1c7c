/**
 * A Postfix of the test's own: private configuration, queue and data, smtpd on a free port of
 * 127.0.0.1 and ::1.
 *
 * Promises: the installed Postfix and its configuration are not touched; nothing is ever delivered
 * (the tests send no DATA, and the default transport discards); one smtpd process serves each
 * address for the whole life of the instance, so that a test can tell from its pid that Postfix saw
 * a change without a restart.  It logs where every Postfix does, to the syslog socket.
 * Leaves to others: that socket (rsyslog.ts); the map that the restrictions name.
 * Needs root, as Postfix does.
 */
import { appendFile, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint } from './dialog.ts';
import { freePort, LOOPBACK } from './ports.ts';
import { mustRun } from './processes.ts';
import type { Rig } from './rig.ts';
import { waitForPort } from './wait.ts';

export interface PostfixOptions {
  readonly mynetworks: string;
  /** main.cf lines as an administrator types them: the restrictions, and what else is tested. */
  readonly restrictions: string;
  /** Lines of master.cf besides. */
  readonly services?: string;
  /** The command that starts it elsewhere, as in a journal's namespace. */
  readonly enter?: readonly string[];
}

export interface Postfix {
  /** Adds services to master.cf, and waits until they are served. */
  serve(
    services: readonly { readonly port: number; readonly options: readonly string[] }[],
  ): Promise<void>;
  /** What `postfix -c`, `postmap -c` and `--postfix-config` take. */
  readonly config: string;
  /** Has postfix(1) do this with it. */
  control(verb: 'start' | 'stop' | 'reload'): Promise<void>;
  /** Where to ask for relaying, for a client at this address. */
  smtp(from: string): Endpoint;
}

const mainCf = (base: string, { mynetworks, restrictions }: PostfixOptions): string => `
compatibility_level = 3.6
queue_directory = ${base}/queue
data_directory = ${base}/data
inet_protocols = all
inet_interfaces = loopback-only
myhostname = mx.example.org
mydestination = example.org
local_recipient_maps =
alias_maps =
alias_database =
default_transport = discard:
relay_transport = discard:
smtpd_peername_lookup = no
max_idle = 1d
max_use = 100000
mynetworks = ${mynetworks}
${restrictions}
`;

/** Only what smtpd talks to up to RCPT TO, and what master insists on. */
const masterCf = (port: number): string => `
127.0.0.1:${port} inet n - n - 1 smtpd
[::1]:${port} inet n - n - 1 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

export async function accountId(database: 'passwd' | 'group', name: string): Promise<number> {
  const entry = await mustRun('getent', [database, name]);
  return Number(entry.split(':')[2]);
}

/** Postfix refuses to start unless these have just these owners. */
async function makeDirectories(base: string): Promise<void> {
  await Promise.all(['etc', 'queue', 'data'].map(name => mkdir(join(base, name))));
  const postfix = await accountId('passwd', 'postfix');
  const group = await accountId('group', 'postfix');
  await chown(join(base, 'data'), postfix, group);
}

/** Starts an instance; it is stopped when the rig closes. */
export async function startPostfix(rig: Rig, options: PostfixOptions): Promise<Postfix> {
  const base = await rig.directory();
  const port = await freePort();
  const config = join(base, 'etc');
  await makeDirectories(base);
  await writeFile(join(config, 'main.cf'), mainCf(base, options));
  await writeFile(join(config, 'master.cf'), `${masterCf(port)}${options.services ?? ''}\n`);
  const [program = 'postfix', ...args] = [...(options.enter ?? []), 'postfix', '-c', config];
  const control = async (verb: string): Promise<void> => {
    await mustRun(program, [...args, verb]);
  };
  // Registered first: a start that fails half-way may have left a master behind.  Waits until the master has ended; fails only
  // when it does not run.
  rig.defer(() => control('stop'));
  await control('start');
  for (const host of LOOPBACK) await waitForPort(host, port);
  return {
    config,
    serve: async services => {
      const lines = services.map(
        ({ port: other, options: set }) =>
          `127.0.0.1:${other} inet n - n - 1 smtpd${set.map(each => `\n  -o { ${each} }`).join('')}\n`,
      );
      await appendFile(join(config, 'master.cf'), lines.join(''));
      await control('reload');
      for (const { port: other } of services) await waitForPort('127.0.0.1', other);
    },
    control,
    smtp: from => ({ host: from.includes(':') ? '::1' : '127.0.0.1', port, from }),
  };
}
