/**
 * The doctor on a machine with a booted systemd, the package and a Postfix that runs: each fault is put there, found, and
 * gone when its cure was done.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Finding } from '../../src/doctor/finding.ts';
import { buildDeb, DEB_PROGRAMS, installDeb, requireNodePackage } from './deb.ts';
import type { Expected } from './doctor-world.ts';
import { MACHINE_PROGRAMS, startMachine } from './machine.ts';
import type { Overlay } from './overlay.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const skip =
  requirePrograms(
    [
      ...MACHINE_PROGRAMS,
      ...DEB_PROGRAMS,
      'postconf',
      'postmap',
      'postfix',
      'logger',
      'ip',
      'perl',
    ],
    { root: true },
  ) || requireNodePackage();

const MAP = 'lmdb:/var/popbsmtp/pop-before-smtp';
const TOML = '/etc/popbsmtp/popbsmtp.toml';
const OWN_ADDRESS = '192.0.2.1';

const PREPARATION = `
rm -f /var/log/mail.log /var/log/maillog /var/log/mail /var/log/mail.info /var/log/syslog ${TOML}
ip address add ${OWN_ADDRESS}/24 dev lo
postconf -e 'mynetworks = 127.0.0.1/32' 'inet_interfaces = all' \\
  'smtpd_relay_restrictions = permit_mynetworks, check_client_access ${MAP}, reject_unauth_destination'
`;

const loginBy = (user: string, ip: string): string =>
  `pop3-login: Login: user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=1, session=<${user}>`;

/** Asks to relay in carl's name, from the machine's own address. */
const REFUSED_MAIL = `
use IO::Socket::INET;
my $s = IO::Socket::INET->new(PeerAddr => "${OWN_ADDRESS}:25", LocalAddr => "${OWN_ADDRESS}") or die $@;
<$s>;
for ("HELO x", "MAIL FROM:<carl\\@example.org>", "RCPT TO:<you\\@example.net>", "QUIT") { print $s "$_\\r\\n"; print scalar <$s> }
`;

interface Fault {
  readonly name: string;
  /** What puts it there. */
  readonly seed: string;
  readonly expected: readonly Expected[];
  /** What the doctor says to do, or what takes the fault away where that is no command. */
  readonly cure: string;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'the daemon hangs',
    seed: 'kill -STOP $(systemctl show --value --property=MainPID popbsmtp)',
    expected: [['daemon', 'error', /, has lmdb:.*, but does not answer, so no login is granted/]],
    cure: 'systemctl restart popbsmtp',
  },
  {
    name: 'the daemon is stopped',
    seed: 'systemctl stop popbsmtp',
    expected: [
      ['daemon', 'error', /no daemon writes/],
      ['service', 'error', /popbsmtp\.service is inactive/],
    ],
    cure: 'systemctl start popbsmtp',
  },
  {
    name: 'the timer is stopped and disabled',
    seed: 'systemctl disable --now popbsmtp-purge.timer',
    expected: [['service', 'warning', /popbsmtp-purge\.timer is inactive: nothing ends grants/]],
    cure: 'systemctl enable --now popbsmtp-purge.timer',
  },
  {
    name: 'the timer is not enabled',
    seed: 'systemctl disable popbsmtp-purge.timer',
    expected: [['service', 'warning', /popbsmtp-purge\.timer will not run after the next boot/]],
    cure: 'systemctl enable --now popbsmtp-purge.timer',
  },
  {
    name: 'the service is not enabled',
    seed: 'systemctl disable popbsmtp',
    expected: [['service', 'warning', /will not after the next boot/]],
    cure: 'systemctl enable popbsmtp',
  },
  {
    name: 'require-tls, and no login is encrypted',
    seed: `echo 'require-tls = true' > ${TOML}; systemctl reload popbsmtp`,
    expected: [
      ['policy', 'error', /^(\d+) of \1 logins in the log would be refused: not encrypted$/],
    ],
    cure: `rm ${TOML}; systemctl reload popbsmtp`,
  },
  {
    name: 'everybody is excluded',
    seed: `echo 'exclude = ["0.0.0.0/0", "::/0"]' > ${TOML}; systemctl reload popbsmtp`,
    expected: [['policy', 'error', /^(\d+) of \1 logins in the log would be refused: excluded$/]],
    cure: `rm ${TOML}; systemctl reload popbsmtp`,
  },
  {
    name: 'the configuration was changed, and not loaded',
    seed: `echo 'grace = "1h"' > ${TOML}`,
    expected: [['daemon', 'warning', /^it runs with grace = "15m", and on the disk stands "1h"$/]],
    cure: 'systemctl reload popbsmtp',
  },
  {
    name: 'the configuration was taken away again, and not loaded',
    seed: `rm ${TOML}`,
    expected: [['daemon', 'warning', /^it runs with grace = "1h", and on the disk stands "15m"$/]],
    cure: 'systemctl reload popbsmtp',
  },
  {
    name: 'a row for a whole network',
    seed: `printf '192.0.2 OK\\n' | postmap -i ${MAP}`,
    expected: [['rows', 'error', /may let a whole network relay.*: 192\.0\.2$/]],
    cure: `postmap -d 192.0.2 ${MAP}`,
  },
  {
    name: 'Postfix listens at loopback only',
    seed: 'postconf -e inet_interfaces=loopback-only; postfix stop; postfix start',
    expected: [['postfix', 'error', /no client can reach this Postfix: .*loopback-only/]],
    cure: 'postconf -e "inet_interfaces = all"; postfix stop; postfix start',
  },
  {
    name: 'a port that wants a proxy',
    seed: 'postconf -P smtp/inet/smtpd_upstream_proxy_protocol=haproxy; postfix reload',
    expected: [['relay', 'warning', /talks to its proxy only \(smtpd_upstream_proxy_protocol\)/]],
    cure: 'postconf -X -P smtp/inet/smtpd_upstream_proxy_protocol; postfix reload',
  },
  {
    name: 'Postfix is stopped',
    seed: 'postfix stop',
    expected: [['relay', 'error', /does not answer/]],
    cure: 'postfix start',
  },
  {
    name: 'a mail log that appears where the daemon reads the journal',
    seed: 'date "+%b %e %T mx cron: x" > /var/log/mail.log',
    expected: [
      ['daemon', 'warning', /^it reads the journal, and would choose \/var\/log\/mail\.log if/],
    ],
    cure: 'rm /var/log/mail.log',
  },
];

describe('the doctor on a whole machine', { skip }, () => {
  const rig = new Rig();
  let machine: Overlay;

  before(async () => {
    const deb = await buildDeb(rig);
    machine = await startMachine(rig);
    await shell(PREPARATION);
    await installDeb(machine, deb);
    await shell('postfix start 2>&1');
    await logIn('anna', '198.51.100.1');
    await logIn('bert', '198.51.100.2');
  });
  after(() => rig.close());

  const shell = (script: string): Promise<string> => machine.run('sh', ['-euc', script]);

  const log = (...lines: readonly string[]): Promise<string> =>
    machine.run('logger', ['-p', 'mail.info', '-t', 'dovecot'], { input: `${lines.join('\n')}\n` });

  async function logIn(user: string, ip: string): Promise<void> {
    await log(loginBy(user, ip));
    await waitFor(`the login of ${user}`, async () =>
      (await shell('popbsmtp list')).includes(`${ip} `),
    );
  }

  async function findings(): Promise<Finding[]> {
    const said = await machine.run('sh', ['-c', 'popbsmtp doctor --json; true']);
    const all = said.split('\n').slice(0, -1);
    return all.map((line): Finding => JSON.parse(line)).filter(({ level }) => level !== 'ok');
  }

  /** That it finds this in the end: reload, journald and Postfix's master do their work after the command that asks for it. */
  async function assertFinds(...expected: readonly Expected[]): Promise<void> {
    let found: Finding[] = [];
    const isFound = (): boolean =>
      found.length === expected.length &&
      expected.every(([check, level, what], index) => {
        const each = found[index];
        return each?.check === check && each.level === level && what.test(each.what);
      });
    await waitFor(
      'what is expected',
      async () => {
        found = await findings();
        return isFound();
      },
      { seen: () => JSON.stringify(found, null, 1) },
    );
  }

  test('finds nothing on a good one', () => assertFinds());

  for (const { name, seed, expected, cure } of FAULTS)
    test(name, async () => {
      await shell(seed);
      await assertFinds(...expected);
      await shell(cure);
      await assertFinds();
    });

  test('logins that are in the journal only, while others write to the mail log', async () => {
    await shell(`date -d '10 minutes ago' "+%b %e %T mx dovecot: ${loginBy('carl', '198.51.100.3')}" > /var/log/mail.log
      date "+%b %e %T mx cron: x" >> /var/log/mail.log
      systemctl restart popbsmtp`);
    await log(loginBy('dora', '198.51.100.4'));
    await assertFinds([
      'logins',
      'error',
      /^the journal has a login by dovecot of .*, and \/var\/log\/mail\.log none since .*: the logins do not get there$/,
    ]);
    await shell('rm /var/log/mail.log; systemctl restart popbsmtp');
    await assertFinds();
  });

  test('a login over IPv6, and mail over IPv4', async () => {
    await logIn('carl', '2001:db8:1::50');
    assert.match(await machine.run('perl', ['-e', REFUSED_MAIL]), /554 5\.7\.1/);
    await assertFinds([
      'clients',
      'warning',
      /^carl logged in from 2001:db8:1::50 and was refused at 192\.0\.2\.1: IPv6 there and IPv4 here/,
    ]);
  });

  test('40 users behind one address', async () => {
    const lines = Array.from({ length: 40 }, (_, index) => loginBy(`u${index}`, '198.51.100.3'));
    await log(...lines);
    await assertFinds(
      ['clients', 'warning', /^40 users logged in from 198\.51\.100\.3/],
      ['clients', 'warning', /^carl logged in from 2001:db8:1::50 and was refused/],
    );
  });
});
