/**
 * Faults of a year on the side of the daemon, as data: the service and its configuration.
 *
 * Each is put there on a host that is well, told by the doctor, and gone when what the doctor says was done.
 */
import type { Expected } from './doctor-world.ts';
import { GOOD, TOML } from './year-host.ts';

export interface Fault {
  readonly name: string;
  /** What puts it there: a script, with the words of year-host.ts. */
  readonly seed: string;
  readonly expected: readonly Expected[];
  /** Somebody has to decide: what a hint says of it, and what was decided; before the commands that hints name. */
  readonly act?: { readonly words: RegExp; readonly script: string };
  /** What happens by itself when the cure was made, such as the next login. */
  readonly afterwards?: string;
  /** Puts the host back as it was before, where the cure is another state that is well. */
  readonly undo?: string;
}

/** Of a change of the configuration that the daemon was told of. */
export const configured = (line: string): string => `toml '${line}'; systemctl reload popbsmtp`;

const takeBack = (key: string): string => `sed -i '/^${key}/d' ${TOML}; systemctl reload popbsmtp`;

export const SERVICE_FAULTS: readonly Fault[] = [
  {
    name: 'the daemon hangs',
    seed: 'kill -STOP $(systemctl show --value --property=MainPID popbsmtp)',
    expected: [['daemon', 'error', /does not answer, so no login is granted/]],
  },
  {
    name: 'the daemon is stopped',
    seed: 'systemctl stop popbsmtp',
    expected: [
      ['daemon', 'error', /no daemon writes/],
      ['service', 'error', /popbsmtp\.service is inactive/],
    ],
  },
  {
    name: 'the daemon has died, and was started again',
    seed: 'systemctl kill --signal=KILL --kill-who=main popbsmtp',
    expected: [['service', 'warning', /had to start it again once$/]],
  },
  {
    name: 'its control socket is gone',
    seed: 'rm /var/popbsmtp/*.sock',
    expected: [['daemon', 'warning', /nothing listens at its control socket/]],
  },
  {
    name: 'the service is not enabled',
    seed: 'systemctl disable popbsmtp',
    expected: [['service', 'warning', /will not after the next boot/]],
  },
  {
    name: 'the timer is stopped and disabled',
    seed: 'systemctl disable --now popbsmtp-purge.timer',
    expected: [['service', 'warning', /timer is inactive: nothing ends grants/]],
  },
  {
    name: 'the timer is not enabled',
    seed: 'systemctl disable popbsmtp-purge.timer',
    expected: [['service', 'warning', /will not run after the next boot/]],
  },
  {
    name: 'a unit that hides the network of the machine',
    seed: `mkdir -p /etc/systemd/system/popbsmtp.service.d
      printf '[Service]\\nBindReadOnlyPaths=\\n' > /etc/systemd/system/popbsmtp.service.d/own.conf
      systemctl daemon-reload; systemctl restart popbsmtp`,
    expected: [['service', 'warning', /does not see this machine's/]],
  },
];

export const CONFIGURATION_FAULTS: readonly Fault[] = [
  {
    name: 'the configuration was changed, and not loaded',
    seed: `sed -i 's/^grace = .*/grace = "1h"/' ${TOML}`,
    expected: [['daemon', 'warning', /^it runs with grace = "2h", and on the disk stands "1h"$/]],
  },
  {
    name: 'a key that does not exist',
    seed: 'toml \'graze = "1h"\'',
    expected: [['configuration', 'error', /unknown key "graze"/]],
    act: { words: /grace/, script: takeBack('graze') },
  },
  {
    name: 'require-tls, and no login is encrypted',
    seed: configured('require-tls = true'),
    expected: [['policy', 'error', /would be refused: not encrypted$/]],
    act: { words: /take require-tls away/, script: takeBack('require-tls') },
  },
  {
    name: 'everybody is excluded',
    seed: configured('exclude = ["0.0.0.0/0", "::/0"]'),
    expected: [['policy', 'error', /would be refused: excluded$/]],
    act: { words: /take what is too wide out of exclude/, script: takeBack('exclude') },
  },
  {
    name: 'only a user who does not exist may',
    seed: configured('allow-users = ["nobody-has-this"]'),
    expected: [['policy', 'error', /would be refused: user not allowed$/]],
    act: { words: /look at allow-users/, script: takeBack('allow-users') },
  },
  {
    name: 'a directory of Postfix that is not there',
    seed: configured('postfix-config = "/etc/postfix-none"'),
    expected: [
      ['daemon', 'warning', /postfix-config/],
      ['postfix', 'error', /postconf cannot say/],
      ['lookup', 'skipped', /no Postfix/],
      ['relay', 'skipped', /no Postfix/],
    ],
    act: {
      words: /name their directory with --postfix-config/,
      script: takeBack('postfix-config'),
    },
  },
  {
    name: 'a log that is not there',
    seed: `sed -i 's|mail.log|mial.log|' ${TOML}; systemctl restart popbsmtp`,
    expected: [
      ['log', 'error', /cannot read .*mial\.log: no such file/],
      ['policy', 'skipped', /no login/],
    ],
    act: {
      words: /^name the log of the POP3\/IMAP server/,
      script: `sed -i 's|mial.log|mail.log|' ${TOML}; systemctl restart popbsmtp`,
    },
  },
  {
    name: 'whole-addresses, and Postfix looks up their beginnings too',
    seed: configured('whole-addresses = true'),
    expected: [['restrictions', 'error', /whole-addresses is set, but main\.cf looks up/]],
    undo: `${takeBack('whole-addresses')}; relays '${GOOD}'; postconf -X pbsmap`,
  },
];
