/**
 * The systemd service under a real systemd: it gets ready, is watched, and can do what it must and nothing else.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildDeb, DEB_PROGRAMS, installDeb, requireNodePackage } from './deb.ts';
import { MACHINE_PROGRAMS, startMachine } from './machine.ts';
import type { Overlay } from './overlay.ts';
import { mustRun, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const INIT = join(import.meta.dirname, '../../../init');
const POSTFIX = ['postconf', 'postmap', 'postfix'] as const;
const skip =
  requirePrograms(
    [...MACHINE_PROGRAMS, ...DEB_PROGRAMS, ...POSTFIX, 'systemd-analyze', 'logger', 'perl', 'ip'],
    { root: true },
  ) || requireNodePackage();

/** Of systemd-analyze(1): redis-server of Debian 12 has 1.2, fail2ban 9.6. */
const MOST_EXPOSED = 0.8;

const MAP = '/var/popbsmtp/pop-before-smtp';

/** An address of the machine that is not loopback's. */
const OWN_ADDRESS = '192.0.2.1';

const message = (ip: string): string =>
  `pop3-login: Login: user=<anna>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=1, session=<${ip}>`;

/** A program that holds a shared lock on the map, as a reader of Postfix's that hangs would. */
const READER = `
use Fcntl;
open(my $map, "<", $ARGV[0]) or die $!;
my $lock = pack("s s l! l! i", F_RDLCK, 0, 0, 0, 0);
fcntl($map, F_SETLKW, $lock) or die $!;
$| = 1;
print "locked\\n";
sleep 600;
`;

const perlSocket = (family: number): string =>
  `perl -e 'socket(my $s, ${family}, 2, 0) or $! == 1 or exit 1'`;

/** What an account without privileges can do on this machine, and the service cannot. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  'ProtectSystem: write elsewhere': 'touch /srv/open/file',
  'ProtectHome: look into homes': 'ls /home/open',
  'PrivateTmp: see the temporary files of others': 'ls /tmp/of-others',
  'PrivateDevices: open a device': 'head -c 1 /dev/open',
  'ProtectProc: see other processes': 'ls /proc/1',
  'ProtectControlGroups: make control groups': 'mkdir /sys/fs/cgroup/open/group',
  'PrivateNetwork: see the addresses of the machine': `grep -q ${OWN_ADDRESS} /proc/net/fib_trie`,
  'RestrictAddressFamilies: ask for packet sockets': perlSocket(17),
  'PrivateUsers: see the accounts of the machine': 'grep -q 4294967295 /proc/self/uid_map',
  'NoNewPrivileges: gain privileges by a program': 'grep -q "NoNewPrivs:.0" /proc/self/status',
  'CapabilityBoundingSet: gain capabilities':
    '! grep -q "CapBnd:.0000000000000000" /proc/self/status',
  'RestrictSUIDSGID: make a program set-user-id':
    'cp /bin/true "$HOME/true"; chmod u+s "$HOME/true"; s=$?; rm "$HOME/true"; exit $s',
  'RestrictNamespaces: make a namespace': 'unshare --user true',
  'LockPersonality: change the personality': 'setarch --addr-no-randomize true',
  'SystemCallFilter: choose the processor': 'taskset -p 1 $$',
  'UMask: write files for all':
    'touch "$HOME/f"; m=$(stat -c %a "$HOME/f"); rm "$HOME/f"; [ $m = 644 ]',
};

/** What the service must be able to do. */
const NEEDED: Readonly<Record<string, string>> = {
  'ask Postfix for a setting': 'postconf -x -h mynetworks',
  'ask Postfix for mynetworks that main.cf does not set':
    'postconf -c /etc/postfix-bare -h mynetworks',
  'look into a table': 'postmap -q key hash:/etc/postfix/table',
  'read the map as Postfix does': `postmap -q - lmdb:${MAP} < /dev/null || [ $? = 1 ]`,
  'read the journal': 'journalctl --quiet --lines=1 --no-pager | grep -q .',
  'read the mail log through its group': 'head -c 1 /var/log/probe.log',
  'read which boot it is': 'cat /proc/sys/kernel/random/boot_id',
  'write in its own directory': 'touch "$HOME/f" && rm "$HOME/f"',
  'open a local and an Internet socket': `${perlSocket(1)} && ${perlSocket(2)} && ${perlSocket(10)}`,
  'run systemd-notify': 'systemd-notify --version',
  'know the addresses of the machine': `grep -q ${OWN_ADDRESS} /run/popbsmtp-net/fib_trie`,
  'know the gateways of the machine': 'cat /run/popbsmtp-net/route /run/popbsmtp-net/ipv6_route',
  'know the IPv6 addresses of the machine': 'cat /run/popbsmtp-net/if_inet6',
};

const WATCHDOG = '/etc/systemd/system/popbsmtp.service.d/watchdog.conf';

describe('the systemd service', { skip }, () => {
  const rig = new Rig();
  let machine: Overlay;
  let installed: string;

  before(async () => {
    const deb = await buildDeb(rig);
    machine = await startMachine(rig);
    await machine.run('sh', ['-euc', PREPARATION]);
    installed = await installDeb(machine, deb);
  });
  after(() => rig.close());

  const show = async (property: string, unit = 'popbsmtp.service'): Promise<string> =>
    (await machine.run('systemctl', ['show', '--value', `--property=${property}`, unit])).trim();

  const logIn = (ip: string): Promise<string> =>
    machine.run('logger', ['-p', 'mail.info', '-t', 'dovecot', message(ip)]);

  const journal = (): Promise<string> =>
    machine.run('journalctl', ['--no-pager', '--quiet', '--unit=popbsmtp.service']);

  const waitForRow = (ip: string): Promise<unknown> =>
    waitFor(
      `a row of ${ip}`,
      async () => /^\d+$/m.test(await machine.run('sh', ['-c', `postmap -q ${ip} lmdb:${MAP}; :`])),
      { seen: journal },
    );

  /** Runs programs in the sandbox of a unit with this text, and tells which of them succeeded. */
  async function probe(
    unit: string,
    commands: Readonly<Record<string, string>>,
  ): Promise<Record<string, boolean>> {
    const script = Object.values(commands).map((command, index) => {
      const quoted = command.replaceAll("'", `'\\''`);
      return `if sh -c '${quoted}' >&2; then echo ${index} yes; else echo ${index} no; fi\n`;
    });
    await machine.write('/usr/local/bin/probe', `cd "$HOME"\n{ ${script.join('')} } > probed\n`);
    await machine.write('/run/systemd/system/probe.service', unit);
    await machine.run('systemctl', ['daemon-reload']);
    await machine.run('systemctl', ['start', 'probe.service']);
    const said = (await machine.run('cat', ['/var/popbsmtp/probed'])).trim().split('\n');
    return Object.fromEntries(
      Object.keys(commands).map((name, index) => [name, said[index] === `${index} yes`]),
    );
  }

  /** The shipped unit, with a program of ours instead of the daemon, or only with its account. */
  async function probeUnit(sandboxed: boolean): Promise<string> {
    const shipped = await readFile(join(INIT, 'popbsmtp.service'), 'utf8');
    const kept = shipped.replace(/^(?:Exec|Restart|Watchdog|Notify|Before|After|Type).*\n/gm, '');
    const settings = sandboxed ? kept : '[Service]\nUser=popbsmtp\n';
    return `${settings}\n[Service]\nType=oneshot\nExecStart=/bin/sh /usr/local/bin/probe\n`;
  }

  test('the package has started it, it has said that it is ready, and Postfix is left alone', async () => {
    assert.equal(await show('ActiveState'), 'active', await journal());
    assert.equal(await show('Type'), 'notify');
    assert.equal(await show('ActiveState', 'popbsmtp-purge.timer'), 'active');
    assert.match(installed, /check_client_access lmdb:\/var\/popbsmtp\/pop-before-smtp/);
    assert.doesNotMatch(await machine.run('postconf', ['-n']), /popbsmtp/);
  });

  test('a login in the journal becomes a row that Postfix reads', async () => {
    await logIn('198.51.100.1');
    await waitForRow('198.51.100.1');
    const query = ['-q', '198.51.100.1', `lmdb:${MAP}`];
    await machine.run('postmap', query);
    const anybody = ['--reuid=nobody', '--regid=nogroup', '--clear-groups', 'postmap'];
    await assert.rejects(machine.run('setpriv', [...anybody, ...query]), /permission denied/i);
  });

  test("a login from one of the machine's own addresses becomes none, and is told", async () => {
    await logIn(OWN_ADDRESS);
    await waitFor(
      'the refusal',
      async () => / ignored ip=192\.0\.2\.1 .* reason="own address"/.test(await journal()),
      { seen: journal },
    );
    assert.match(await journal(), /192\.0\.2\.1 is this machine's own address, and gets no grant/);
  });

  for (const unit of ['popbsmtp.service', 'popbsmtp-purge.service']) {
    test(`systemd-analyze finds ${unit} hardly exposed`, async () => {
      const path = join(INIT, unit);
      const threshold = `--threshold=${MOST_EXPOSED * 10}`;
      // Ends with an error above the threshold.
      await mustRun('systemd-analyze', [
        'security',
        '--offline=yes',
        '--no-pager',
        threshold,
        path,
      ]);
      assert.doesNotMatch(await readFile(path, 'utf8'), /^MemoryDenyWriteExecute=/m);
    });
  }

  test('the service can do what it must', async () => {
    const told = await probe(await probeUnit(true), NEEDED);
    assert.deepEqual(
      Object.keys(told).filter(name => !told[name]),
      [],
    );
  });

  test('the service cannot do what others can', async () => {
    const others = await probe(await probeUnit(false), FORBIDDEN);
    assert.deepEqual(
      Object.keys(others).filter(name => !others[name]),
      [],
    );
    const told = await probe(await probeUnit(true), FORBIDDEN);
    assert.deepEqual(
      Object.keys(told).filter(name => told[name]),
      [],
    );
  });

  test('with popbsmtp-nft.conf it can write sets of nftables, and without it cannot', async () => {
    const more = await readFile(join(INIT, 'popbsmtp-nft.conf'), 'utf8');
    const commands = { nft: 'nft add table inet popbsmtp_test', tables: 'nft list tables' };
    const plain = await probe(await probeUnit(true), commands);
    assert.deepEqual(plain, { nft: false, tables: false });
    const told = await probe(`${await probeUnit(true)}\n${more}`, commands);
    assert.deepEqual(told, { nft: true, tables: true });
  });

  test('with popbsmtp-network.conf it has the network of the machine, but reaches loopback alone', async () => {
    const more = await readFile(join(INIT, 'popbsmtp-network.conf'), 'utf8');
    const reach = (address: string): string =>
      `perl -MSocket -e 'socket(my $s, 2, 1, 0); connect($s, sockaddr_in(9, inet_aton("${address}"))); exit($!{ECONNREFUSED} ? 0 : 1)'`;
    const told = await probe(`${await probeUnit(true)}\n${more}`, {
      loopback: reach('127.0.0.1'),
      elsewhere: `timeout 2 ${reach(OWN_ADDRESS)}`,
      addresses: `postconf -c /etc/postfix-bare -h mynetworks | grep -q ${OWN_ADDRESS}`,
    });
    assert.deepEqual(told, { loopback: true, elsewhere: false, addresses: true });
  });

  test('a reload is a reload', async () => {
    const pid = await show('MainPID');
    await machine.run('systemctl', ['reload', 'popbsmtp.service']);
    await waitFor('the reload', async () => (await journal()).includes('reloaded configuration'));
    assert.equal(await show('MainPID'), pid);
  });

  test('a stop is a clean one, and says nothing that would worry', async () => {
    await machine.run('systemctl', ['restart', 'popbsmtp.service']);
    assert.equal(await show('Result'), 'success');
    assert.doesNotMatch(await journal(), /warning|error/);
  });

  test('the map is there before Postfix starts', async () => {
    await machine.run('systemctl', ['stop', 'popbsmtp.service']);
    // All at once, as at boot.
    await machine.write(
      '/run/systemd/system/mail.target',
      '[Unit]\nWants=postfix.service postfix@-.service popbsmtp.service\n',
    );
    await machine.run('systemctl', ['daemon-reload']);
    await machine.run('systemctl', ['start', 'mail.target']);
    const ready = Number(await show('ActiveEnterTimestampMonotonic'));
    const begin = async (unit: string): Promise<number> =>
      Number(await show('InactiveExitTimestampMonotonic', unit));
    // Debian 13 has no units for instances; until then postfix.service itself starts nothing.
    const began = (await begin('postfix@-.service')) || (await begin('postfix.service'));
    assert.ok(ready > 0 && ready < began, `ready at ${ready} µs, Postfix began at ${began} µs`);
    await machine.run('systemctl', ['stop', 'postfix.service']);
  });

  test('the doctor finds nothing to mend once main.cf names the map', async () => {
    const restrictions = `permit_mynetworks, check_client_access lmdb:${MAP}, reject_unauth_destination`;
    await machine.run('postconf', [
      'mynetworks = 127.0.0.1/32',
      `smtpd_relay_restrictions = ${restrictions}`,
    ]);
    await logIn('198.51.100.3');
    await waitForRow('198.51.100.3');
    await machine.run('systemctl', ['start', 'postfix.service']);
    const said = await machine.run('sh', ['-c', 'popbsmtp doctor 2>&1; echo "status $?"']);
    assert.match(said, /^status 0$/m, said);
    assert.match(said, /^ok.*refused/m, said);
    await machine.run('systemctl', ['stop', 'postfix.service']);
  });

  test('a daemon that hangs is started again, and nothing is lost', async () => {
    await machine.write(WATCHDOG, '[Service]\nWatchdogSec=4\n');
    await machine.run('systemctl', ['daemon-reload']);
    await machine.run('systemctl', ['restart', 'popbsmtp.service']);
    const [command, ...args] = machine.argv('setpriv', [
      ...['--pdeathsig', 'KILL', 'perl', '-e', READER, `${MAP}.lmdb`],
    ]);
    const reader = startDaemon(rig, command, args);
    await reader.waitForLine(/^locked$/);
    await logIn('198.51.100.2');
    await waitFor('the watchdog', async () => (await show('Result')) === 'watchdog', {
      seen: journal,
    });
    // What is due is ended before the restart, which the reader keeps from being done.
    await reader.stop();
    await waitFor('a restart', async () => Number(await show('NRestarts')) > 0, { seen: journal });
    await waitForRow('198.51.100.2');
    // On a busy machine a daemon that is well may need more than that.
    await machine.run('rm', [WATCHDOG]);
    await machine.run('systemctl', ['daemon-reload']);
    await machine.run('systemctl', ['restart', 'popbsmtp.service']);
  });

  test('an upgrade restarts it, and a removal stops it and ends every grant', async () => {
    const pid = await show('MainPID');
    await installDeb(machine, await buildDeb(rig, '--version', '1000.0.0'));
    assert.equal(await show('ActiveState'), 'active');
    assert.notEqual(await show('MainPID'), pid);
    await machine.run('dpkg', ['--remove', 'popbsmtp']);
    assert.equal(await show('ActiveState'), 'inactive');
    assert.equal(await machine.run('postmap', ['-s', `lmdb:${MAP}`]), '');
  });
});

const PREPARATION = `
rm -f /var/log/mail.log /var/log/maillog /var/log/mail /var/log/mail.info /var/log/syslog
ip address add ${OWN_ADDRESS}/24 dev lo
mkdir -m 777 /srv/open /sys/fs/cgroup/open
mkdir -p -m 755 /home/open /etc/systemd/system/popbsmtp.service.d
touch /tmp/of-others
mknod -m 666 /dev/open c 1 5
printf 'x' > /var/log/probe.log
chgrp adm /var/log/probe.log
chmod 640 /var/log/probe.log
echo 'key value' > /etc/postfix/table
postmap hash:/etc/postfix/table
cp -r /etc/postfix /etc/postfix-bare
sed -i '/^mynetworks/d' /etc/postfix-bare/main.cf
`;
