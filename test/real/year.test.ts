/**
 * A year of one mail host, in order: popbsmtp comes from its package in the place of the Perl program, lives through a rotation, a
 * reload and an upgrade, is broken in many ways and repaired by the doctor's own words, goes to a machine without anything from a
 * backup, and is removed.
 *
 * Each step builds on the one before it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { buildDeb, installDeb, requireNodePackage } from './deb.ts';
import type { Expected } from './doctor-world.ts';
import { commandsIn, isLook } from './hint-commands.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';
import { LOG_FAULTS, MAP_FAULTS } from './year-data-faults.ts';
import { CONFIGURATION_FAULTS, type Fault, SERVICE_FAULTS } from './year-faults.ts';
import { client, GOOD, MAP, TOML, YEAR_PROGRAMS, YearHost } from './year-host.ts';
import { POSTFIX_FAULTS, RESTRICTION_FAULTS, WITHOUT } from './year-postfix-faults.ts';

const skip = requirePrograms(YEAR_PROGRAMS, { root: true }) || requireNodePackage();

const ACCEPTED = /^250 2\.1\.5 /;
const REFUSED = /^554 5\.7\.1 .*Relay access denied/;

test('commands are found in the hints as they would be pasted', () => {
  for (const [hint, commands] of [
    ['restart it: systemctl restart popbsmtp', ['systemctl restart popbsmtp']],
    ['start it: systemctl start popbsmtp, or popbsmtp run; see why', ['systemctl start popbsmtp']],
    [
      'look at "systemctl status x", then restart it: systemctl restart x',
      ['systemctl status x', 'systemctl restart x'],
    ],
    ['let it: postconf -e "a = b, c", then more', ['postconf -e "a = b, c"']],
    ['all: "chgrp adm /x && chmod g+r /x", and more', ['chgrp adm /x && chmod g+r /x']],
    [
      "make it so: mkdir -p /x && printf '[A]\\nb=c, d\\n' > /x/y && systemctl restart x",
      ["mkdir -p /x && printf '[A]\\nb=c, d\\n' > /x/y && systemctl restart x"],
    ],
    ['write check_client_access lmdb:/x', []],
  ] as const)
    assert.deepEqual(commandsIn(hint), commands, hint);
  assert.ok(isLook('systemctl status popbsmtp') && !isLook('systemctl start popbsmtp'));
});

describe('a year', { skip }, () => {
  const rig = new Rig();
  let host: YearHost;
  let deb: string;
  let later: string;

  before(async () => {
    [deb, later, host] = await Promise.all([
      buildDeb(rig),
      buildDeb(rig, '--version', '1000.0.0'),
      YearHost.start(rig, [client(9), 'ok', '203.0.113', 'OK']),
    ]);
  });
  after(() => rig.close());

  /** That the doctor finds this in the end, and nothing else: what was asked for may still be under way. */
  async function assertFinds(...expected: readonly Expected[]): Promise<readonly string[]> {
    let found: Awaited<ReturnType<YearHost['findings']>> = [];
    await waitFor(
      'what is expected',
      async () => {
        found = await host.findings();
        return (
          found.length === expected.length &&
          expected.every(([check, level, what], index) => {
            const each = found[index];
            return each?.check === check && each.level === level && what.test(each.what);
          })
        );
      },
      { seen: () => JSON.stringify(found, null, 1) },
    );
    return found.flatMap(({ hint }) => hint ?? []);
  }

  test('Perl’s map has opened the relay so far', async () => {
    assert.match(await host.answer(client(9)), ACCEPTED);
    assert.match(await host.answer(client(1)), REFUSED);
  });

  test('popbsmtp comes from its package, and takes the place of the Perl program', async () => {
    await installDeb(host.machine, deb);
    const said = await host.shell('popbsmtp migrate --apply');
    assert.match(said, /203\.0\.113/);
    const left = Array.from(
      said.matchAll(/^ {4}((?:systemctl|postfix) .*)$/gm),
      ([, each]) => each,
    );
    assert.deepEqual(left, ['systemctl restart popbsmtp', 'postfix reload']);
    await host.shell(`aged; ${left.join('; ')}; rm /etc/postfix/pop-before-smtp.db`);
    assert.deepEqual(await host.keys(), [client(9)]);
    assert.match(await host.answer(client(9)), ACCEPTED);
    assert.match(await host.answer(client(1)), REFUSED);
  });

  test('a login opens the relay', async () => {
    await host.logIn('anna', client(1));
    await host.logIn('bert', client(2));
    assert.match(await host.answer(client(1)), ACCEPTED);
    assert.match(await host.answer(client(3)), REFUSED);
    await assertFinds();
  });

  test('the log is rotated', async () => {
    await host.shell('logrotate --force --state /root/rotated /etc/logrotate.d/rsyslog');
    await host.logIn('carl', client(3));
    assert.deepEqual(await host.keys(), [1, 2, 3, 9].map(client));
    await host.shell(`login anna ${client(1)}`);
    await assertFinds();
  });

  test('a changed configuration is loaded', async () => {
    const pid = 'systemctl show --value --property=MainPID popbsmtp';
    const before = await host.shell(pid);
    await host.shell(`sed -i 's/^grace = .*/grace = "2h"/' ${TOML}; systemctl reload popbsmtp`);
    await waitFor('the reload', async () => (await host.journal()).includes('reloaded configur'), {
      seen: () => host.journal(),
    });
    assert.equal(await host.shell(pid), before);
    await assertFinds();
    assert.match(await host.shell('popbsmtp list'), new RegExp(`^${client(3)} .*1h 59m`, 'm'));
  });

  test('an upgrade keeps everything, and leaves no daemon of the older version', async () => {
    await installDeb(host.machine, later);
    assert.deepEqual(await host.keys(), [1, 2, 3, 9].map(client));
    assert.match(await host.shell('popbsmtp status'), /1000\.0\.0/);
    await assertFinds();
    await host.logIn('dora', '198.51.100.4');
  });

  for (const [what, faults] of [
    ['the service', SERVICE_FAULTS],
    ['the configuration', CONFIGURATION_FAULTS],
    ['the log', LOG_FAULTS],
    ['the map', MAP_FAULTS],
    ['restrictions', RESTRICTION_FAULTS],
    ['Postfix', POSTFIX_FAULTS],
  ] as const)
    describe(`broken and repaired: ${what}`, () => {
      for (const fault of faults) test(fault.name, () => breakAndRepair(fault));
    });

  async function breakAndRepair({ seed, expected, act, afterwards, undo }: Fault): Promise<void> {
    await host.shell(seed);
    const hints = await assertFinds(...expected);
    if (act !== undefined) {
      assert.ok(
        hints.some(hint => act.words.test(hint)),
        hints.join('\n'),
      );
      await host.shell(act.script);
    }
    const pasted = await host.paste(hints);
    assert.ok(act !== undefined || pasted.length > 0, `nothing to paste: ${hints.join('\n')}`);
    if (afterwards !== undefined) await host.shell(afterwards);
    await assertFinds();
    if (undo !== undefined) await host.shell(undo);
  }

  test('a backup brings everything to a machine without anything', async () => {
    await host.shell(`popbsmtp allow 203.0.113.77 --for 2h
      systemctl stop popbsmtp popbsmtp-purge.timer
      tar --create --file /root/backup.tar --directory / etc/popbsmtp var/popbsmtp`);
    const before = await host.keys();
    await host.shell(`${WITHOUT}
      dpkg --purge popbsmtp
      test ! -e /var/popbsmtp; test ! -e /etc/popbsmtp; ! getent passwd popbsmtp`);
    await installDeb(host.machine, deb);
    await host.shell(`systemctl stop popbsmtp popbsmtp-purge.timer; rm -r /etc/popbsmtp /var/popbsmtp
      tar --extract --file /root/backup.tar --directory /
      systemctl start popbsmtp popbsmtp-purge.timer; relays '${GOOD}'`);
    assert.deepEqual(await host.keys(), before);
    assert.ok(before.includes(client(1)) && before.includes('203.0.113.77'));
    assert.match(await host.answer(client(1)), ACCEPTED);
    assert.match(await host.shell('popbsmtp list --orders'), /203\.0\.113\.77/);
    await host.logIn('emil', '198.51.100.5');
    await assertFinds();
  });

  test('a removal leaves no row', async () => {
    await host.machine.run('dpkg', ['--remove', 'popbsmtp']);
    assert.deepEqual(await host.keys(), []);
    assert.match(await host.answer(client(1)), REFUSED);
  });

  test('a purge leaves nothing', async () => {
    await host.shell(`${WITHOUT}
      dpkg --purge popbsmtp`);
    await host.shell('test ! -e /var/popbsmtp; test ! -e /etc/popbsmtp; ! getent passwd popbsmtp');
    assert.match(await host.answer(client(1)), REFUSED);
    await assert.rejects(host.shell(`postmap -s ${MAP}`), /No such file/);
  });
});
