/**
 * Who can come near a map and the files beside it: other accounts, programs that hold a lock, and the account itself
 * when root works there.
 */
import assert from 'node:assert/strict';
import {
  appendFile,
  chown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { mapPath } from '../../src/map/map-types.ts';
import { parseMapSpec } from '../../src/map/spec.ts';
import { keysOf, loginLine, WatchedLog } from '../cli/watched-log.ts';
import { type Child, startNode } from '../map/child.ts';
import { requireType } from './map-kinds.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { type Daemon, type Result, runProgram, startDaemon } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const rig = new Rig();
after(() => rig.close());

const NOBODY = 65534;
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'];
const root = requirePrograms(['setpriv'], { root: true });
const ALL = ['--mynetworks', 'none', '--exclude', 'none'];

const asNobody = (...command: string[]): Promise<Result> =>
  runProgram('setpriv', [...AS_NOBODY, ...command]);

const popbsmtpAsNobody = (...args: string[]): Promise<Result> =>
  asNobody(process.execPath, MAIN, ...args);

/** A process of somebody's that keeps a shared lock from when it can have it. */
async function holdShared(path: string): Promise<Child & { readonly pid: string }> {
  const child = startNode(
    `const { open } = await import('node:fs/promises');
     const { lock } = await import(source('map/lock.js'));
     globalThis.file = await open(${JSON.stringify(path)});
     console.log('waiting');
     await lock(globalThis.file.fd, 'shared', 1e6);
     console.log(process.pid);
     setInterval(() => undefined, 1e6);`,
  );
  assert.equal(await child.line(), 'waiting');
  let pid = '';
  return {
    ...child,
    line: async () => {
      pid ||= await child.line();
      return pid;
    },
    get pid() {
      return pid;
    },
  };
}

const fileOf = (map: string): string => mapPath(parseMapSpec(map, 'the test'));
const ownerOf = (map: string): string => `${map.slice('lmdb:'.length)}.owner`;

/** A daemon that has granted an address for an hour, and makes that a second when it is told to. */
async function granted(
  watched: WatchedLog,
): Promise<{ map: string; daemon: Daemon; shorten(): Promise<void> }> {
  const map = watched.newMap();
  const config = `${map.slice('lmdb:'.length)}.toml`;
  await writeFile(config, 'grace = "1h"\n');
  const daemon = watched.start(map, '--debug', '--exclude', 'none', '--config', config);
  await waitFor('its start', () => daemon.stderr.includes('watching'));
  await watched.logIn('198.51.100.7');
  await daemon.waitForLine(/written ok/);
  return {
    map,
    daemon,
    shorten: async () => {
      await writeFile(config, 'grace = "1s"\n');
      daemon.signal('SIGHUP');
    },
  };
}

describe('another account', { skip: root || requireType('lmdb') }, () => {
  test('can neither read nor lock the map and what lies beside it, unless map-mode says so', async () => {
    const watched = await WatchedLog.make(rig);
    const map = watched.newMap();
    const start = async (...more: string[]): Promise<Daemon> => {
      const daemon = watched.start(map, '--log-users', 'hashed', ...more);
      await waitFor('its start', async () => (await popbsmtp('status', '--map', map)).code === 0);
      return daemon;
    };
    const modes = async (): Promise<string[]> => {
      const names = (await readdir(watched.directory)).filter(name => name.startsWith('map-'));
      const found = names.map(async name => {
        const { mode } = await stat(join(watched.directory, name));
        return `${name.replace(/^map-\d+/, '')} ${(mode & 0o777).toString(8)}`;
      });
      return (await Promise.all(found)).sort();
    };
    let daemon = await start();
    await waitFor('the place in the log, and the history', async () => {
      const names = (await modes()).join();
      return ['.checkpoint', '.history ', '.roster'].every(name => names.includes(name));
    });
    assert.deepEqual(await modes(), [
      '.checkpoint 600',
      '.history 600',
      '.lmdb 600',
      '.owner 600',
      '.roster 600',
      '.sock 600',
      '.user-key 600',
    ]);
    const question = ['postmap', '-q', '198.51.100.7', map];
    assert.match((await asNobody(...question)).stderr, /permission denied/i);
    const list = await popbsmtpAsNobody('list', '--map', map);
    assert.equal(list.code, 77);
    assert.match(list.stderr, /cannot read the map .*permission denied; be root, .*map-mode\n$/);
    assert.equal((await popbsmtpAsNobody('status', '--map', map)).code, 77);
    const doctor = await popbsmtpAsNobody(
      'doctor',
      '--no-smtp',
      '--map',
      map,
      '--watchlog',
      watched.log,
    );
    assert.match(doctor.stdout, /^warning +daemon +whether a daemon runs is not known/m);
    assert.equal(await daemon.stop(), 0);
    daemon = await start('--map-mode', '0644');
    assert.deepEqual(await modes(), [
      '.checkpoint 600',
      '.history 600',
      '.lmdb 644',
      '.minutes 600',
      '.owner 600',
      '.roster 600',
      '.sock 600',
      '.user-key 600',
    ]);
    const found = await asNobody(...question);
    assert.deepEqual([found.code, found.stderr], [1, '']);
    assert.equal((await popbsmtpAsNobody('list', '--map', map)).code, 0);
    assert.equal(await daemon.stop(), 0);
  });
});

describe('a lock that somebody holds', { skip: requireType('lmdb') }, () => {
  test('on the file of the owner: purge and the start fail, and say who holds it', async () => {
    const watched = await WatchedLog.make(rig);
    const { map, daemon } = await granted(watched);
    const stranger = await holdShared(ownerOf(map));
    const owned = await popbsmtp('purge', '--map', map, '--grace', '1s');
    assert.deepEqual([owned.code, owned.stdout, owned.stderr], [0, '', ''], 'a daemon has it');
    daemon.signal('SIGKILL');
    await daemon.exited();
    const pid = await stranger.line();
    const purge = (): Promise<Result> => popbsmtp('purge', '--map', map, '--grace', '1s');
    const refused = await waitFor('the row to be due', async () => {
      const result = await purge();
      return result.stderr.startsWith('popbsmtp: 1 row that is due') && result;
    });
    assert.equal(refused.code, 75);
    assert.match(refused.stderr, new RegExp(`still in ${map}: .* locked by pid ${pid} .*\n$`));
    assert.equal(refused.stderr.split('\n').length, 2);
    const status = await popbsmtp('status', '--map', map);
    assert.equal(status.code, 69);
    const start = await popbsmtp('run', '--watchlog', '-', '--map', map, ...ALL);
    assert.equal(start.code, 75);
    assert.match(start.stderr, new RegExp(`is locked by pid ${pid} .*, which is no popbsmtp`));
    await stranger.kill('SIGKILL');
    assert.match((await purge()).stdout, /^purging ts=.* ip=198\.51\.100\.7\n$/);
  });

  test('on the map: a daemon tells it, again, and counts the rows that stay; purge fails', async () => {
    const watched = await WatchedLog.make(rig);
    const { map, daemon, shorten } = await granted(watched);
    const stranger = await holdShared(fileOf(map));
    const pid = await stranger.line();
    await shorten();
    const status = async (): Promise<string> => (await popbsmtp('status', '--map', map)).stdout;
    await waitFor('the row to be due', async () =>
      (await status()).includes('0 now, 1 row still to be taken out'),
    );
    const listed = await popbsmtp('list', '--json', '--map', map);
    assert.match(listed.stdout, /"ip":"198\.51\.100\.7".*"expiresIn":0,"state":"due"/);
    const json = await popbsmtp('status', '--json', '--map', map);
    assert.match(json.stdout, /"overdue":1[,}]/);
    const metrics = await popbsmtp('status', '--prometheus', '--map', map);
    assert.match(metrics.stdout, /^popbsmtp_rows_overdue 1$/m);
    const told = new RegExp(
      `error: the map .* locked for 2 s by pid ${pid} .* still to be taken out$`,
      'm',
    );
    await waitFor('the error again', () => told.test(daemon.stderr), { seen: () => daemon.stderr });
    assert.deepEqual(await keysOf(map), ['198.51.100.7'], 'it is still open');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.exited(), 0, 'a stop does not wait for the lock');
    const purge = await popbsmtp('purge', '--map', map, '--grace', '1s');
    assert.equal(purge.code, 75);
    assert.match(purge.stderr, new RegExp(`^popbsmtp: 1 row that is due .* by pid ${pid} `));
    assert.match(await status(), /the map holds 1 grant/);
    await stranger.kill('SIGKILL');
    const mirror = watched.newMap();
    assert.equal((await popbsmtp('run', '--watchlog', '-', '--map', mirror, ...ALL)).code, 0);
    const another = await holdShared(fileOf(mirror));
    const holder = await another.line();
    const both = ['--map', map, '--map', mirror, '--grace', '1s'];
    const mirrored = await popbsmtp('purge', ...both);
    assert.match(mirrored.stdout, /^purging/);
    assert.equal(mirrored.code, 75, 'what follows the map is locked');
    assert.match(
      mirrored.stderr,
      new RegExp(`^popbsmtp: 0 rows .* ${mirror}: .* by pid ${holder} `, 'm'),
    );
    await another.kill('SIGKILL');
  });
});

describe('a map that is renamed in the configuration', { skip: requireType('lmdb') }, () => {
  test('keeps nothing open; the doctor tells of one that nobody looks after', async () => {
    const [base, home] = [await rig.directory(), await rig.directory()];
    const log = join(base, 'mail.log');
    await writeFile(log, '');
    const [old, renamed] = [`lmdb:${base}/old`, `lmdb:${base}/renamed`];
    const config = join(base, 'popbsmtp.toml');
    const env = { STATE_DIRECTORY: home };
    const start = async (map: string): Promise<Daemon> => {
      const settings = { map, watchlog: log, mynetworks: 'none', exclude: 'none' };
      const lines = Object.entries(settings).map(([key, value]) => `${key} = "${value}"\n`);
      await writeFile(config, lines.join(''));
      const args = [MAIN, 'run', '--debug', '--config', config];
      const daemon = startDaemon(rig, process.execPath, args, { env });
      await waitFor('its start', () => daemon.stderr.includes('watching'), {
        seen: () => daemon.transcript(),
      });
      return daemon;
    };
    let daemon = await start(old);
    await appendFile(log, loginLine('198.51.100.7'));
    await daemon.waitForLine(/written ok/);
    assert.equal(await daemon.stop(), 0);
    assert.deepEqual(await keysOf(old), ['198.51.100.7']);

    const postfix = join(base, 'postfix');
    await mkdir(postfix);
    const lists = `smtpd_relay_restrictions = check_client_access ${old}, reject_unauth_destination\n`;
    await writeFile(join(postfix, 'main.cf'), `compatibility_level = 3.6\n${lists}`);
    await writeFile(join(postfix, 'master.cf'), 'smtp inet n - n - 1 smtpd\n');
    const doctor = async (): Promise<string> => {
      const where = ['--map', renamed, '--watchlog', log, '--postfix-config', postfix];
      return (await popbsmtp('doctor', '--no-smtp', ...where)).stdout;
    };
    assert.match(
      await doctor(),
      new RegExp(
        `^error +maps +main.cf .* ${old}, .*: its 1 row relay for ever\n.* purge --all --map ${old};`,
        'm',
      ),
    );
    daemon = await start(renamed);
    await daemon.waitForText(new RegExp(`${old} is no longer .*: its 1 row is ended`));
    assert.deepEqual(await keysOf(old), []);
    assert.deepEqual(await keysOf(renamed), ['198.51.100.7'], 'by the log');
    assert.doesNotMatch(await doctor(), /^error +maps/m);
    assert.equal(await daemon.stop(), 0);
    assert.equal((await readdir(home)).length, 1);
  });
});

describe("root in the account's directory", { skip: root }, () => {
  const SECRET = '192.0.2.66\tsecret of root\n';

  /** A directory of the account, and a file of root's that it may not read. */
  async function arrange(): Promise<{ directory: string; secret: string }> {
    const [directory, home] = [await rig.directory(), await rig.directory()];
    const secret = join(home, 'secret');
    await writeFile(secret, SECRET, { mode: 0o600 });
    await chown(directory, NOBODY, NOBODY);
    return { directory, secret };
  }

  async function assertUntouched(secret: string): Promise<void> {
    assert.equal(await readFile(secret, 'utf8'), SECRET);
    const { mode, uid } = await stat(secret);
    assert.deepEqual([mode & 0o777, uid], [0o600, 0]);
  }

  for (const args of [
    ['allow', '203.0.113.9', ...ALL],
    ['revoke', '203.0.113.9'],
    ['purge', '--grace', '1s'],
    ['list'],
    ['status'],
    ['doctor', '--no-smtp', '--watchlog', '/dev/null'],
    ['run', '--watchlog', '-', ...ALL],
  ]) {
    test(`${args[0]} follows no link to what only root may read`, async () => {
      const { directory, secret } = await arrange();
      const map = `cidr:${directory}/relay.txt`;
      await symlink(secret, join(directory, 'relay.txt'));
      const result = await popbsmtp(...args, '--map', map);
      assert.doesNotMatch(result.stdout + result.stderr, /secret of|192\.0\.2\.66/);
      await assertUntouched(secret);
      for (const name of await readdir(directory)) {
        if (name !== 'relay.txt')
          assert.equal((await stat(join(directory, name))).uid, NOBODY, name);
      }
    });
  }

  test('replay reads the log as root, and writes the map as the account', async () => {
    const { directory } = await arrange();
    const log = join(await rig.directory(), 'mail.log');
    await writeFile(log, loginLine('198.51.100.7'), { mode: 0o600 });
    const map = `cidr:${directory}/map`;
    const { code, stderr } = await popbsmtp('replay', '--map', map, ...ALL, log);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await keysOf(map), ['198.51.100.7']);
    for (const name of await readdir(directory)) {
      assert.equal((await stat(join(directory, name))).uid, NOBODY, name);
    }
  });

  test('replay writes its own log as the account', async () => {
    const { directory, secret } = await arrange();
    const log = join(await rig.directory(), 'mail.log');
    await writeFile(log, loginLine('198.51.100.7'));
    const ours = join(directory, 'own.log');
    const args = ['replay', '--map', `cidr:${directory}/map`, ...ALL, '--logto', ours, log];
    assert.equal((await popbsmtp(...args)).code, 0);
    assert.equal((await stat(ours)).uid, NOBODY);
    await rm(ours);
    await symlink(secret, ours);
    const { code, stderr } = await popbsmtp(...args);
    assert.notEqual(code, 0);
    assert.match(stderr, /own\.log: permission denied/);
    await assertUntouched(secret);
  });

  test('writes into nothing that the account puts in the place of a scratch directory', async () => {
    const { directory, secret } = await arrange();
    const map = `cdb:${directory}/map`;
    const made = await popbsmtpAsNobody('run', '--watchlog', '-', '--map', map, ...ALL);
    assert.equal(made.code, 0, made.stderr);
    const script = `
      const { mkdirSync, readdirSync, renameSync, symlinkSync } = await import('node:fs');
      console.log('ready');
      for (let count = 0; ; count++) {
        const name = readdirSync(${JSON.stringify(directory)}).find(one => one.startsWith('.popbsmtp-'));
        if (name === undefined) continue;
        try {
          const path = ${JSON.stringify(directory)} + '/' + name;
          renameSync(path, ${JSON.stringify(directory)} + '/away-' + count);
          mkdirSync(path);
          symlinkSync(${JSON.stringify(secret)}, path + '/fresh.cdb');
        } catch {}
      }`;
    const args = [...AS_NOBODY, process.execPath, '--input-type=module', '--eval', script];
    const attacker = startDaemon(rig, 'setpriv', args);
    await attacker.waitForLine(/ready/);
    for (let round = 1; round <= 10; round++) {
      await popbsmtp('allow', `203.0.113.${round}`, '--map', map, ...ALL);
      await assertUntouched(secret);
    }
    await attacker.stop();
    assert.ok(
      (await readdir(directory)).some(name => name.startsWith('away-')),
      'it was in the way',
    );
  });
});
