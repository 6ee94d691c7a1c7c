/**
 * The Debian package: built, installed, used, upgraded, removed and purged, and the start scripts for other inits.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loginLine } from '../cli/watched-log.ts';
import { buildDeb, DEB_PROGRAMS, installDeb, requireNodePackage } from './deb.ts';
import { OVERLAY_PROGRAMS, type Overlay, startOverlay } from './overlay.ts';
import { mustRun, type Result, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const OTHERS = ['lintian', 'shellcheck', 'logrotate', 'postconf', 'postmap'] as const;
const skip =
  requirePrograms([...OVERLAY_PROGRAMS, ...DEB_PROGRAMS, ...OTHERS], { root: true }) ||
  requireNodePackage();

const INIT = join(import.meta.dirname, '../../../init');
const MAP = 'lmdb:/var/popbsmtp/pop-before-smtp';
const LOG = '/var/log/scratch.log';
const OWN_LOG = '/var/popbsmtp/popbsmtp.log';
const SYSV = '/etc/init.d/popbsmtp';

/** What only compiles, or is of another machine. */
const LEFTOVERS =
  /node-gyp\/|node-addon-api|\.gyp|\.cpp|\.h$|\.ts$|node_modules\/.*\.map$|win32|darwin|android|test/;

describe('the Debian package', { skip }, () => {
  const rig = new Rig();
  let deb: string;
  let host: Overlay;
  let printed: string;

  before(async () => {
    deb = await buildDeb(rig);
    host = await startOverlay(rig, ['openrc']);
    await host.run('postconf', [
      '-e',
      'smtpd_relay_restrictions = permit_mynetworks reject_unauth_destination',
    ]);
    printed = await installDeb(host, deb);
  });
  after(() => rig.close());

  /** Runs a program in there that may fail. */
  function tryRun(command: string, ...args: string[]): Promise<Result> {
    const [program, ...rest] = host.argv(command, args);
    return runProgram(program, rest);
  }

  const shell = (script: string): Promise<string> => host.run('sh', ['-euc', script]);

  const keys = async (): Promise<string> => shell("popbsmtp list | sed 's/\\t.*//'");

  async function logIn(ip: string): Promise<void> {
    await host.run('sh', ['-euc', `cat >> ${LOG}`], { input: loginLine(ip) });
  }

  async function logInAndWait(ip: string): Promise<void> {
    await logIn(ip);
    await waitFor(`a row of ${ip}`, async () => (await keys()).includes(ip), {
      seen: () => host.run('cat', [OWN_LOG]),
    });
  }

  test('lintian finds no error', async () => {
    // It leaves a file in TMPDIR (2.116).
    const env = { TMPDIR: await rig.directory() };
    await mustRun('lintian', ['--allow-root', '--fail-on', 'error', deb], { env });
  });

  test('the same sources give the same package, whoever builds it', async () => {
    const build = 'umask 077; exec "$@"';
    const again = await mustRun('sh', [
      ...['-euc', build, 'sh', process.execPath],
      ...[
        join(import.meta.dirname, '../../src/packaging/deb/deb.js'),
        '--to',
        await rig.directory(),
      ],
    ]);
    assert.ok((await readFile(again.trim())).equals(await readFile(deb)));
  });

  test('nothing is in it that only compiles', async () => {
    const list = 'dpkg-deb --fsys-tarfile "$1" | tar --list';
    const names = (await mustRun('sh', ['-euc', list, 'sh', deb])).split('\n');
    for (const addon of [
      'node_modules/lmdb/build/Release/lmdb.node',
      'build/Release/privileges.node',
    ])
      assert.ok(names.includes(`./usr/lib/popbsmtp/${addon}`), addon);
    assert.deepEqual(
      names.filter(name => LEFTOVERS.test(name)),
      [],
    );
  });

  test('the program is compiled for the Node of the host, and anew for another one', async () => {
    const file = '/usr/lib/popbsmtp/dist/bundle/program.compiled';
    const compiled = await shell(`stat -c %a ${file}; rm ${file}`);
    assert.equal(compiled, '644\n');
    await shell(
      'dpkg-trigger --no-await --by-package=nodejs /usr/bin/node; dpkg --triggers-only --pending',
    );
    assert.equal(await shell(`stat -c %a ${file}`), '644\n');
  });

  test('it makes an account without a shell and a map that Postfix reads, and touches no main.cf', async () => {
    assert.match(
      await host.run('getent', ['passwd', 'popbsmtp']),
      /:\/var\/popbsmtp:.*\/nologin\n$/,
    );
    assert.match(await host.run('id', ['-nG', 'popbsmtp']), /\badm\b.*\bsystemd-journal\b/);
    const [directory, map] = (
      await shell('stat -c "%U %a" /var/popbsmtp /var/popbsmtp/pop-before-smtp.lmdb')
    ).split('\n');
    assert.equal(directory, 'popbsmtp 755');
    assert.equal(map, 'popbsmtp 600');
    const found = await tryRun('postmap', '-q', '192.0.2.1', MAP);
    assert.deepEqual([found.code, found.stdout, found.stderr], [1, '', '']);
    assert.doesNotMatch(await host.run('postconf', ['-n']), /popbsmtp/);
  });

  test('it prints what this host has to say in main.cf, and Postfix takes it', async () => {
    const commands = Array.from(printed.matchAll(/^ {4}(postconf -e .*)$/gm), ([, each]) => each);
    const [usual = '', ...whole] = commands;
    const relay = (): Promise<string> =>
      host.run('postconf', ['-x', '-h', 'smtpd_relay_restrictions']);
    await shell(usual);
    assert.equal(
      await relay(),
      `permit_mynetworks check_client_access ${MAP}, reject_unauth_destination\n`,
    );
    assert.doesNotMatch((await tryRun('dpkg-reconfigure', 'popbsmtp')).stdout, /postconf -e/);

    await shell(whole.join('\n'));
    const wrapped = `pipemap:{regexp:{{/^(.*)$/ $1}}, ${MAP}}`;
    assert.equal(
      await relay(),
      `permit_mynetworks check_client_access ${wrapped}, reject_unauth_destination\n`,
    );
    // The map is named there as well, so that nobody takes it away.
    assert.doesNotMatch((await tryRun('dpkg-reconfigure', 'popbsmtp')).stdout, /postconf -e/);
    const asked = await tryRun('postmap', '-q', 'fd00::5', wrapped);
    assert.deepEqual([asked.code, asked.stdout, asked.stderr], [1, '', '']);
  });

  for (const [command, answer] of [
    ['popbsmtp --version', /^\d+\.\d+\.\d+\n$/],
    ['pop-before-smtp --version', /^\d+\.\d+\.\d+\n$/],
    ['popbsmtp patterns --test', /^[1-9]\d* samples/m],
    ['popbsmtp demo', /The map after: empty/],
  ] as const) {
    test(`"${command}" works there, for any account`, async () => {
      const anybody = 'setpriv --reuid=nobody --regid=nogroup --clear-groups';
      assert.match(await shell(`cd / && ${anybody} ${command} 2>&1`), answer);
    });
  }

  test('what root starts has the ids of the account, and all its groups, in every thread', async () => {
    const pidFile = '/var/popbsmtp/of-root.pid';
    await shell(`touch ${LOG}`);
    const options = `--watchlog ${LOG} --mynetworks none --logto ${OWN_LOG} --daemon ${pidFile}`;
    await shell(`popbsmtp run ${options}`);
    const pid = (await host.run('cat', [pidFile])).trim();
    const shown = await shell(
      `sed -En 's/^(Uid|Gid|Groups):\\s*(.*\\S)\\s*$/\\1 \\2/p' /proc/${pid}/task/*/status | sort -u`,
    );
    const numbers = async (which: string): Promise<number[]> =>
      (await host.run('id', [which, 'popbsmtp'])).trim().split(' ').map(Number);
    const [[uid], [gid], groups] = [await numbers('-u'), await numbers('-g'), await numbers('-G')];
    const four = (id = -1): string => Array(4).fill(id).join('\t');
    assert.ok(groups.length > 1, 'it is in no further group');
    const sorted = groups.sort((a, b) => a - b).join(' ');
    assert.equal(shown, `Gid ${four(gid)}\nGroups ${sorted}\nUid ${four(uid)}\n`);
    await shell(`kill ${pid}`);
    await waitFor('its end', async () => (await tryRun('test', '-e', pidFile)).code === 1);
  });

  describe('the start scripts', () => {
    before(async () => {
      const examples = '/usr/share/doc/popbsmtp/examples';
      const options = `--watchlog=${LOG} --mynetworks=none --logto=${OWN_LOG}`;
      await shell('mkdir -p /etc/conf.d /run/openrc; touch /run/openrc/softlevel');
      await shell(`touch ${LOG}; install -m 755 ${examples}/popbsmtp.sysv ${SYSV}`);
      await host.write('/etc/default/popbsmtp', `OPTIONS="${options}"\n`);
      await shell(`install -m 755 ${examples}/popbsmtp.openrc /etc/init.d/popbsmtp-openrc`);
      await host.write('/etc/conf.d/popbsmtp-openrc', `popbsmtp_options="${options}"\n`);
    });

    test('shellcheck finds nothing', async () => {
      const scripts = ['popbsmtp.sysv', 'popbsmtp.openrc'].map(name => join(INIT, name));
      await mustRun('shellcheck', scripts);
      const debian = ['postinst', 'prerm', 'postrm'].map(name => join(INIT, 'debian', name));
      await mustRun('shellcheck', debian);
    });

    const status = async (verb: string): Promise<number | null> => (await tryRun(SYSV, verb)).code;

    test('SysV: the exit statuses are those of the LSB', async () => {
      assert.equal(await status('status'), 3);
      assert.equal(await status('reload'), 7);
      assert.equal(await status('stop'), 0);
      assert.equal(await status('start'), 0);
      assert.equal(await status('status'), 0);
      assert.equal(await status('start'), 0);
      assert.equal(await status('nonsense'), 2);
      const pid = (await host.run('cat', ['/run/popbsmtp/popbsmtp.pid'])).trim();
      assert.match(await shell(`ps -o user= -p ${pid}`), /^popbsmtp/);
      await logInAndWait('198.51.100.1');
      assert.equal(await status('restart'), 0);
      assert.notEqual((await host.run('cat', ['/run/popbsmtp/popbsmtp.pid'])).trim(), pid);
      await logInAndWait('198.51.100.2');
    });

    test('SysV: logrotate has it go on in a new log', async () => {
      await host.run('logrotate', ['--force', '/etc/logrotate.d/popbsmtp']);
      await logInAndWait('198.51.100.3');
      await waitFor('the new log', async () =>
        (await shell(`cat ${OWN_LOG} 2>/dev/null || :`)).includes('granted ip=198.51.100.3'),
      );
      assert.match(await host.run('cat', [`${OWN_LOG}.1`]), /granted ip=198\.51\.100\.2/);
    });

    test('SysV: a daemon that has died is told, and a stop ends one', async () => {
      await shell('kill -KILL "$(cat /run/popbsmtp/popbsmtp.pid)"');
      await waitFor('its end', async () => (await status('status')) === 1);
      assert.equal(await status('start'), 0);
      assert.equal(await status('stop'), 0);
      assert.equal(await status('status'), 3);
    });

    test('SysV: a start that fails says why', async () => {
      await host.write('/etc/popbsmtp/popbsmtp.toml', 'graze = "1h"\n');
      const { code, stderr } = await tryRun(SYSV, 'start');
      assert.equal(code, 1);
      assert.match(stderr, /unknown key "graze"/);
      await host.write('/etc/popbsmtp/popbsmtp.toml', 'grace = "1h"\n');
    });

    test('OpenRC: starts, reloads and stops', async () => {
      const service = (verb: string): Promise<string> =>
        host.run('/etc/init.d/popbsmtp-openrc', ['--nodeps', verb]);
      await service('start');
      assert.match(await service('status'), /started/);
      await logInAndWait('198.51.100.4');
      await service('reload');
      await waitFor('the reload', async () =>
        (await host.run('cat', [OWN_LOG])).includes('reloaded configuration'),
      );
      await service('stop');
      assert.equal((await tryRun('test', '-e', '/run/popbsmtp/popbsmtp.pid')).code, 1);
    });
  });

  test('an upgrade keeps the configuration, the rows and the account', async () => {
    const newer = await buildDeb(rig, '--version', '1000.0.0');
    await installDeb(host, newer);
    assert.equal(await host.run('popbsmtp', ['--version']), '1000.0.0\n');
    assert.equal(await host.run('cat', ['/etc/popbsmtp/popbsmtp.toml']), 'grace = "1h"\n');
    assert.match(await keys(), /198\.51\.100\.4/);
  });

  test('a removal fails as long as another popbsmtp holds the map, and says who', async () => {
    const pidFile = '/var/popbsmtp/other.pid';
    const options = `--watchlog ${LOG} --mynetworks none --logto ${OWN_LOG} --daemon ${pidFile}`;
    await shell(`runuser -u popbsmtp -- popbsmtp ${options}`);
    const pid = (await host.run('cat', [pidFile])).trim();
    const failed = await tryRun('dpkg', '--remove', 'popbsmtp');
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, new RegExp(`another popbsmtp, pid ${pid}\\b`));
    assert.match(failed.stderr, /not removed, since grants may be left/);
    assert.match(await keys(), /198\.51\.100\.4/);
    await shell(`kill ${pid}`);
    await waitFor('its end', async () => (await tryRun('test', '-e', pidFile)).code === 1);
  });

  test('a removal ends every grant, and leaves the map as long as Postfix names it', async () => {
    await shell('runuser -u popbsmtp -- popbsmtp allow 198.51.100.77 --for 2h --mynetworks none');
    const said = await host.run('dpkg', ['--remove', 'popbsmtp']);
    assert.match(said, /names the map in \/etc\/postfix\/main\.cf; it stays, without a row$/m);
    const { stdout } = await tryRun('postmap', '-s', MAP);
    assert.equal(stdout, '');
    const purged = await tryRun('dpkg', '--purge', 'popbsmtp');
    assert.equal(purged.code, 0, purged.stderr);
    assert.match(purged.stderr, /would defer all mail without it/);
    assert.equal((await tryRun('postmap', '-q', '198.51.100.4', MAP)).stderr, '');
    assert.equal((await tryRun('test', '-e', '/etc/popbsmtp')).code, 1);
  });

  test('a purge keeps the map for a second instance that names it', async () => {
    await installDeb(host, deb);
    const main = 'smtpd_relay_restrictions = permit_mynetworks reject_unauth_destination';
    await shell(
      `postconf -X pbsmap; postconf -e "${main}" multi_instance_directories=/etc/postfix-out`,
    );
    const second = `smtpd_client_restrictions = check_client_access ${MAP}\n`;
    await shell('mkdir /etc/postfix-out');
    await host.write('/etc/postfix-out/main.cf', second);
    const purged = await tryRun('dpkg', '--purge', 'popbsmtp');
    assert.equal(purged.code, 0, purged.stderr);
    assert.match(purged.stdout, /in \/etc\/postfix-out\/main\.cf; it stays, without a row$/m);
    assert.match(purged.stderr, /names the map in \/etc\/postfix-out\/main\.cf$/m);
    assert.equal((await tryRun('postmap', '-q', '198.51.100.4', MAP)).stderr, '');
    await shell('rm -r /etc/postfix-out; postconf -X multi_instance_directories');
  });

  test('a purge leaves nothing once Postfix does not name the map', async () => {
    await installDeb(host, deb);
    await host.write('/etc/popbsmtp/popbsmtp.toml.before-migrate', 'grace = "20m"\n');
    await host.run('dpkg', ['--purge', 'popbsmtp']);
    assert.equal((await tryRun('getent', 'passwd', 'popbsmtp')).stdout, '');
    const left = await shell(
      'find /etc /usr /var -name "*popbsmtp*" -not -path "*/init.d/*" -not -path "*/default/*" -not -path "*/conf.d/*"',
    );
    assert.equal(left, '');
  });
});
