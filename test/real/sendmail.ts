/**
 * The real sendmail in an overlay: two daemons on free ports of 127.0.0.1 and ::1, one for each way to ask a `makemap:hash:` map of popbsmtp's.
 *
 * Promises: it takes clients at any load of the machine; their sendmail.cf is made by Debian's m4 files with the lines of popbsmtp-mta(7) in them; nothing is delivered, since the tests send no DATA.
 */
import { hostname } from 'node:os';
import type { Endpoint } from './dialog.ts';
import { loopbackEndpoint } from './dovecot.ts';
import { type OtherMta, popbsmtpIn, STATE, startHost } from './other-mta.ts';
import type { Overlay } from './overlay.ts';
import { freePort } from './ports.ts';
import type { Rig } from './rig.ts';
import type { Rsyslog } from './rsyslog.ts';
import { waitForPort } from './wait.ts';

export const PACKAGES = ['sendmail-bin', 'sendmail-cf', 'm4'] as const;

/** Without its alternative in /usr/sbin, which a script of the package makes. */
export const SENDMAIL = '/usr/libexec/sendmail/sendmail';

/** What FEATURE(`access_db') would read without us. */
const ADMINISTRATORS = '/etc/mail/test-access';

const POPAUTH = `
LOCAL_CONFIG
Kpopauth_first hash -a<OK> ${STATE}/popauth
Kpopauth_again hash -a<OK> ${STATE}/popauth
Kpopauth sequence popauth_first popauth_again
LOCAL_RULESETS
SLocal_Relay_Auth
R$*\t\t\t$: $(popauth $&{client_addr} $: <?> $)
R$* <OK>\t\t$# RELAY
`;

const ACCESS = `
LOCAL_CONFIG
Kaccess_file hash ${ADMINISTRATORS}
Kaccess_pop hash ${STATE}/access
Kaccess_again hash ${STATE}/access
FEATURE(\`access_db', \`sequence access_file access_pop access_again')
`;

/** @param lines between what is the same for both */
const configuration = (
  name: string,
  port: number,
  lines: { features: string; rules: string },
): string => `
divert(0)
include(\`/usr/share/sendmail/cf/m4/cf.m4')
OSTYPE(\`linux')
define(\`confPID_FILE', \`/run/${name}.pid')
define(\`confDOMAIN_NAME', \`mx.example.org')
define(\`confSERVICE_SWITCH_FILE', \`/etc/mail/test-switch')
define(\`confQUEUE_LA', \`100000')
define(\`confREFUSE_LA', \`100000')
define(\`confDELAY_LA', \`100000')
define(\`QUEUE_DIR', \`/var/spool/${name}')
define(\`STATUS_FILE', \`/var/spool/${name}-status')
FEATURE(\`no_default_msa')
FEATURE(\`nocanonify')
FEATURE(\`accept_unresolvable_domains')
DAEMON_OPTIONS(\`Family=inet, Name=${name}, Addr=127.0.0.1, Port=${port}')
DAEMON_OPTIONS(\`Family=inet6, Name=${name}6, Addr=::1, Port=${port}')
${lines.features}
MAILER(\`smtp')
${lines.rules}
`;

async function startSendmail(
  overlay: Overlay,
  name: string,
  lines: { features: string; rules: string },
): Promise<(from: string) => Endpoint> {
  const port = await freePort();
  const [source, made] = [`/etc/mail/${name}.mc`, `/etc/mail/${name}.cf`];
  await overlay.run('install', ['-d', '-m', '0700', `/var/spool/${name}`]);
  await overlay.write(source, configuration(name, port, lines));
  await overlay.write(made, await overlay.run('m4', [source]));
  await overlay.run(SENDMAIL, ['-C', made, '-bd', '-q1h']);
  await waitForPort('127.0.0.1', port);
  return from => loopbackEndpoint(port, from);
}

export interface Sendmail {
  /** Asks a map of addresses by a ruleset of its own. */
  readonly popauth: OtherMta;
  /** Asks a second access map behind the administrator's own. */
  readonly access: OtherMta;
}

/** Installs and starts sendmail, with maps that popbsmtp has made; it goes with the rig. */
export async function startSendmails(rig: Rig, syslog: Rsyslog): Promise<Sendmail> {
  const overlay = await startHost(rig, syslog, PACKAGES, 'root', 'popbsmtp', 'unpacked');
  // Not unpacked, but here from the start.
  await overlay.run('rm', ['-f', '/usr/sbin/postconf', '/usr/sbin/postmap']);
  const access = ['--makemap-prefix', 'Connect:', '--makemap-value', 'RELAY'];
  const mta = (name: string, more: readonly string[]): Omit<OtherMta, 'smtp'> => ({
    overlay,
    map: `makemap:hash:${STATE}/${name}`,
    options: ['--map-mode', '0640', ...more],
  });
  const [byAddress, byAccess] = [mta('popauth', []), mta('access', access)];
  for (const { map, options } of [byAddress, byAccess]) {
    const made = await popbsmtpIn(overlay, [
      ...['run', '--map', map, ...options, '--watchlog', '-', '--mynetworks', 'none'],
    ]);
    if (made.code !== 0) throw new Error(made.stderr);
  }
  // For a host without a full name sendmail waits a minute, and a client without a name it refuses only for now.
  const clients = Array.from(
    { length: 254 },
    (_, last) => `127.0.0.${last + 2} c${last}.example.net\n`,
  );
  const own = `127.0.0.1 ${hostname()}.example.org ${hostname()}\n`;
  await overlay.write('/etc/hosts', own + clients.join(''));
  await overlay.write('/etc/mail/test-switch', 'hosts files\naliases files\n');
  await overlay.run('makemap', ['-C', '/dev/null', 'hash', ADMINISTRATORS], {
    input: 'Connect:127.0.0.99 REJECT\n',
  });
  return {
    popauth: {
      ...byAddress,
      smtp: await startSendmail(overlay, 'popauth', { features: '', rules: POPAUTH }),
    },
    access: {
      ...byAccess,
      smtp: await startSendmail(overlay, 'access', { features: ACCESS, rules: '' }),
    },
  };
}
