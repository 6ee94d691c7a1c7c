/**
 * A mail host with a booted systemd on which a year is lived through: rsyslog and its rotation, Postfix, the files of the Perl
 * pop-before-smtp, and a client in a network of its own, which has the addresses that log in.
 *
 * Promises: the client's addresses are not the host's, so that they get grants, and what it is answered is what a client is answered.
 * Leaves to others: installing popbsmtp (deb.ts).
 */
import type { Finding } from '../../src/doctor/finding.ts';
import { DEB_PROGRAMS } from './deb.ts';
import { perlConfiguration, startScript, WRITE_DB } from './former-host.ts';
import { commandsIn, isLook } from './hint-commands.ts';
import { MACHINE_PROGRAMS, startMachine } from './machine.ts';
import type { Overlay } from './overlay.ts';
import type { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

export const YEAR_PROGRAMS = [
  ...[...MACHINE_PROGRAMS, ...DEB_PROGRAMS, 'postconf', 'postmap', 'postfix'],
  ...['rsyslogd', 'logrotate', 'logger', 'ip', 'perl'],
] as const;

export const MAP = 'lmdb:/var/popbsmtp/pop-before-smtp';
export const FILE = '/var/popbsmtp/pop-before-smtp.lmdb';
export const TOML = '/etc/popbsmtp/popbsmtp.toml';
export const LOG = '/var/log/mail.log';

/** The list of main.cf that lets its clients relay. */
export const GOOD = `permit_mynetworks, permit_sasl_authenticated, check_client_access ${MAP}, reject_unauth_destination`;

const OLD_MAP = '/etc/postfix/pop-before-smtp';
const PERL = '/etc/pop-before-smtp-conf.pl';
const SERVER = '192.0.2.1';

/** Addresses that a client has, in the network of which the host has none. */
const CLIENT_HOSTS = [1, 2, 3, 9];
export const client = (host: number): string => `198.51.100.${host}`;

const PREPARATION = `
rm -f /var/log/mail* /var/log/syslog* ${TOML}
# The messages of the kernel are the whole machine's.
sed -i '/imklog/d' /etc/rsyslog.conf
ip netns add client
ip link add mail type veth peer name client netns client
ip address add ${SERVER}/24 dev mail
ip link set mail up
ip -n client link set client up
for host in ${CLIENT_HOSTS.join(' ')}; do ip -n client address add 198.51.100.$host/32 dev client; done
ip -n client route add 192.0.2.0/24 dev client src ${client(1)}
ip route add 198.51.100.0/24 dev mail
postconf -e 'mynetworks = 127.0.0.0/8' 'inet_interfaces = all' 'inet_protocols = ipv4' 'mydestination = example.org' \\
  'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, check_client_access hash:${OLD_MAP}, reject_unauth_destination'
systemctl start rsyslog
`;

/** What the scripts of the tables say. */
const WORDS = `
# login USER ADDRESS
login() { logger -p mail.info -t dovecot "pop3-login: Login: user=<$1>, method=PLAIN, rip=$2, lip=${SERVER}, mpid=1, session=<$1>"; }
# Postfix's commands read a main.cf of the last seconds again and again.
aged() { touch -d '1 minute ago' /etc/postfix/main.cf /etc/postfix/master.cf; }
postconf() { command postconf "$@" || return; aged; }
relays() { postconf -e "smtpd_relay_restrictions = $1"; postfix reload; }
toml() { echo "$1" >> ${TOML}; }
`;

/** One mail, up to the recipient, from ARGV[0]: prints what that was answered. */
const ASK = `
use IO::Socket::INET;
my $s = IO::Socket::INET->new(PeerAddr => "${SERVER}:25", LocalAddr => $ARGV[0], Timeout => 60) or die "no connection: $@";
my $said;
sub hear { do { $said = <$s> // die "hung up" } while $said =~ /^...-/ }
hear();
for ("EHLO x", "MAIL FROM:<anna\\@example.org>", "RCPT TO:<you\\@example.net>") { print $s "$_\\r\\n"; hear() }
print $said;
print $s "QUIT\\r\\n";
`;

export class YearHost {
  readonly machine: Overlay;

  private constructor(machine: Overlay) {
    this.machine = machine;
  }

  /** @param rows of the Perl program's map */
  static async start(rig: Rig, rows: readonly string[]): Promise<YearHost> {
    const host = new YearHost(await startMachine(rig));
    await host.shell(PREPARATION);
    await host.machine.write(PERL, perlConfiguration(LOG, OLD_MAP));
    await host.machine.write('/etc/init.d/pop-before-smtp', startScript(PERL));
    await host.machine.run('perl', ['-e', WRITE_DB, OLD_MAP, ...rows]);
    await host.shell('aged; systemctl start postfix');
    return host;
  }

  /** Runs a script that must succeed. */
  shell(script: string): Promise<string> {
    return this.machine.run('sh', ['-euc', `${WORDS}\n${script}`]);
  }

  async logIn(user: string, ip: string): Promise<void> {
    await this.shell(`login ${user} ${ip}`);
    await waitFor(`a row of ${ip}`, async () => (await this.keys()).includes(ip), {
      seen: () => this.journal(),
    });
  }

  /** As Postfix reads them. */
  async keys(): Promise<string[]> {
    const rows = await this.shell(`postmap -s ${MAP}`);
    return rows.split('\n').flatMap(row => row.split('\t')[0] || []);
  }

  /** What the client is answered when it wants to relay from this address. */
  answer(ip: string): Promise<string> {
    return this.machine.run('ip', ['netns', 'exec', 'client', 'perl', '-e', ASK, ip]);
  }

  journal(): Promise<string> {
    return this.shell('journalctl --no-pager --quiet --unit=popbsmtp.service --lines=50');
  }

  /** All that the doctor finds but what is well. */
  async findings(): Promise<Finding[]> {
    const said = await this.machine.run('sh', ['-c', 'popbsmtp doctor --json; true']);
    const all = said.split('\n').slice(0, -1);
    return all.map((line): Finding => JSON.parse(line)).filter(({ level }) => level !== 'ok');
  }

  /** Runs every command that the hints name; what only shows something may end as it likes. */
  async paste(hints: readonly string[]): Promise<string[]> {
    const commands = new Set(hints.flatMap(commandsIn));
    for (const command of commands) await this.shell(isLook(command) ? `${command} || :` : command);
    return [...commands];
  }
}
