/**
 * The command as a process: exit statuses, errors of one line, signals, background.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { epoch } from '../../src/clock.ts';
import { EXIT } from '../../src/errors.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import { openMap } from '../../src/map/map-types.ts';
import { ip } from '../map/addresses.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { type Daemon, runProgram, startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { linesOf, waitFor, waitForLine } from '../real/wait.ts';

const rig = new Rig();
let directory: string;
let log: string;
let count = 0;

before(async () => {
  directory = await rig.directory();
  log = join(directory, 'mail.log');
  await writeFile(log, '');
});
after(() => rig.close());

/** A map that no other test uses. */
const newMap = (): string => `lmdb:${join(directory, `map-${++count}`)}`;

const loginLine = (ip: string, secondsAgo = 0, session = 'a'): string =>
  `${formatStamp(epoch(Date.now() / 1000 - secondsAgo))} mx dovecot: pop3-login: Login: user=<anna>, ` +
  `method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=1, session=<${session}>\n`;

const logIn = (ip: string): Promise<void> => appendFile(log, loginLine(ip));

function start(map: string, ...more: string[]): Daemon {
  const args = ['--watchlog', log, '--map', map, '--mynetworks', 'none', ...more];
  return startDaemon(rig, process.execPath, [MAIN, ...args]);
}

async function keysOf(map: string): Promise<string[]> {
  const { stdout } = await popbsmtp('list', '--map', map);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map(line => line.replace(/\t.*/, ''));
}

const holds = (map: string, ...keys: string[]): Promise<unknown> =>
  waitFor(
    `${keys.join()} in ${map}`,
    async () => (await keysOf(map)).sort().join() === keys.sort().join(),
  );

describe('every mistake is told in one line, with its exit status, and no map is made', () => {
  const table: readonly {
    readonly name: string;
    readonly args: readonly string[];
    readonly exit: number;
    readonly mentions: readonly string[];
    readonly files?: Readonly<Record<string, string>>;
  }[] = [
    {
      name: 'an unknown option',
      args: ['--wathclog', 'x'],
      exit: EXIT.usage,
      mentions: ['--watchlog'],
    },
    {
      name: 'a bad duration',
      args: ['--grace', 'soon'],
      exit: EXIT.usage,
      mentions: ['--grace', 'soon'],
    },
    {
      name: 'an unknown key',
      args: ['--config', '@/bad.toml'],
      files: { 'bad.toml': '# ours\nwathclog = "x"\n' },
      exit: EXIT.config,
      mentions: ['bad.toml:2', 'wathclog', 'watchlog'],
    },
    {
      name: 'a configuration that is no TOML',
      args: ['--config', '@/broken.toml'],
      files: { 'broken.toml': 'map = \n' },
      exit: EXIT.config,
      mentions: ['broken.toml:1'],
    },
    {
      name: 'a missing log',
      args: ['match', '@/nothing'],
      exit: EXIT.noInput,
      mentions: ['@/nothing'],
    },
    {
      name: 'a log that is a directory',
      args: ['--watchlog', '@'],
      exit: EXIT.noPermission,
      mentions: ['directory'],
    },
    {
      name: 'a map without a type',
      args: ['--map', '/x/y'],
      exit: EXIT.usage,
      mentions: ['--map', '/x/y'],
    },
    {
      name: 'a type of map that is not supported',
      args: ['--map', 'hash:/x/y'],
      exit: EXIT.config,
      mentions: ['hash', 'lmdb'],
    },
    {
      name: 'a map in a directory that is not there',
      args: ['--map', 'lmdb:@/none/map'],
      exit: EXIT.cannotCreate,
      mentions: ['@/none/map', 'install -d'],
    },
    {
      name: 'a bad entry of mynetworks',
      args: ['--mynetworks', '192.0.2.0/24, 192.0.2.0/33'],
      exit: EXIT.config,
      mentions: ['--mynetworks', '192.0.2.0/33'],
    },
    {
      name: 'a bad network to exclude',
      args: ['--exclude', 'local'],
      exit: EXIT.config,
      mentions: ['--exclude', 'local'],
    },
    {
      name: 'a pattern file that does not parse',
      args: ['--patterns', '@/patterns'],
      files: { 'patterns/mine.toml': 'programs = ["x"]\n\n[[login]\n' },
      exit: EXIT.config,
      mentions: ['mine.toml:3'],
    },
    {
      name: 'patterns that are not there',
      args: ['--patterns', '@/nowhere'],
      exit: EXIT.config,
      mentions: ['@/nowhere'],
    },
    {
      name: 'a log file that cannot be written',
      args: ['--logto', '@/none/log'],
      exit: EXIT.cannotCreate,
      mentions: ['@/none/log'],
    },
    {
      name: 'a map that is not there',
      args: ['list', '--map', 'lmdb:@/missing'],
      exit: EXIT.noInput,
      mentions: ['@/missing'],
    },
  ];

  for (const { name, args, exit, mentions, files = {} } of table) {
    test(name, async () => {
      const here = join(directory, `mistake-${++count}`);
      await mkdir(join(here, 'patterns'), { recursive: true });
      for (const [file, text] of Object.entries(files)) await writeFile(join(here, file), text);
      await writeFile(join(here, 'log'), '');
      const isRun = args[0]?.startsWith('--') === true;
      const preset = ['--watchlog', '@/log', '--map', 'lmdb:@/map', '--mynetworks', 'none'];
      const given = new Set(args);
      const rest = isRun
        ? preset.filter(
            (word, index) => !given.has(index % 2 === 0 ? word : String(preset[index - 1])),
          )
        : [];
      const { code, stderr, stdout } = await popbsmtp(
        ...[...args, ...rest].map(arg => arg.replace('@', here)),
      );
      assert.equal(code, exit, stderr);
      assert.match(stderr, /^popbsmtp: [^\n]+\n$/);
      assert.equal(stdout, '');
      for (const text of mentions)
        assert.ok(stderr.includes(text.replace('@', here)), `${stderr} lacks ${text}`);
      assert.ok(!existsSync(join(here, 'map.lmdb')));
    });
  }
});

describe('signals', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} ends the daemon with 0 and keeps the rows`, async () => {
      const map = newMap();
      const daemon = start(map, '--debug');
      await logIn('198.51.100.7');
      await daemon.waitForLine(/written ok/);
      daemon.signal(signal);
      assert.equal(await daemon.exited(), 0, daemon.transcript());
      assert.ok((await keysOf(map)).includes('198.51.100.7'));
    });
  }

  test('SIGHUP reads the configuration again, and keeps the old one when the new one is wrong', async () => {
    const map = newMap();
    const config = join(directory, 'popbsmtp.toml');
    const ours = join(directory, 'own.log');
    await writeFile(config, 'exclude = "198.51.100.1"\n');
    const daemon = start(map, '--config', config, '--logto', ours);
    await waitForLine(ours, /watching/);
    await logIn('198.51.100.1');
    await waitForLine(ours, /ignored ip=198\.51\.100\.1 .*reason="excluded"/);

    await writeFile(config, 'exclude = "198.51.100.2"\n');
    daemon.signal('SIGHUP');
    await waitForLine(ours, /reloaded/);
    await logIn('198.51.100.2');
    await waitForLine(ours, /ignored ip=198\.51\.100\.2 /);
    await logIn('198.51.100.1');
    await waitForLine(ours, /granted ip=198\.51\.100\.1 /);

    await writeFile(config, 'exclude = "nonsense"\n');
    daemon.signal('SIGHUP');
    await waitForLine(ours, /error: not reloaded.*nonsense/);
    const lines = (await linesOf(ours)).length;
    await logIn('198.51.100.2');
    await waitForLine(ours, /ignored ip=198\.51\.100\.2 /, lines);
  });

  test('SIGHUP goes on in a new log file after a rotation', async () => {
    const ours = join(directory, 'rotated.log');
    const daemon = start(newMap(), '--logto', ours);
    await waitForLine(ours, /watching/);
    await rename(ours, `${ours}.1`);
    daemon.signal('SIGHUP');
    await waitForLine(ours, /reloaded/);
    await logIn('198.51.100.3');
    await waitForLine(ours, /granted ip=198\.51\.100\.3 /);
    assert.ok(!(await readFile(`${ours}.1`, 'utf8')).includes('granted ip=198.51.100.3'));
  });
});

describe('the background', () => {
  test('the command returns when the daemon works, and its pid is in the file', async () => {
    const map = newMap();
    const pidFile = join(directory, 'pid');
    const args = ['--watchlog', log, '--map', map, '--mynetworks', 'none', `--daemon=${pidFile}`];
    const { code, stderr } = await popbsmtp(...args);
    assert.equal(code, 0, stderr);
    const pid = Number(await readFile(pidFile, 'utf8'));
    try {
      await logIn('198.51.100.9');
      await waitFor('a row', async () => (await keysOf(map)).includes('198.51.100.9'));
    } finally {
      process.kill(pid, 'SIGTERM');
    }
    await waitFor('its end', () => !existsSync(`/proc/${pid}`));
    assert.ok(!existsSync(pidFile));
  });

  test('when it cannot work, the command says why, with its exit status', async () => {
    const args = ['--watchlog', log, '--map', newMap(), '--mynetworks', '1.2.3.4/99'];
    const { code, stderr } = await popbsmtp(...args, `--daemon=${join(directory, 'pid2')}`);
    assert.equal(code, EXIT.config);
    assert.match(stderr, /^popbsmtp: [^\n]*1\.2\.3\.4\/99[^\n]*\n$/);
  });
});

describe('the map', () => {
  test('is there, empty and readable by all, from the first start on', async () => {
    const map = newMap();
    const daemon = start(map);
    const file = `${map.slice('lmdb:'.length)}.lmdb`;
    await waitFor('the map', () => existsSync(file));
    await waitFor('an empty list', async () => (await popbsmtp('list', '--map', map)).code === 0);
    assert.equal((await stat(file)).mode & 0o777, 0o644);
    assert.equal(await daemon.stop(), 0);
  });

  test('is filled from what the log holds of the last grace period', async () => {
    const map = newMap();
    const old = join(directory, 'old.log');
    await writeFile(old, loginLine('198.51.100.50', 1000) + loginLine('198.51.100.51', 60));
    const daemon = startDaemon(rig, process.execPath, [
      ...[MAIN, 'run', '--watchlog', old, '--map', map, '--mynetworks', 'none'],
    ]);
    await holds(map, '198.51.100.51');
    await daemon.stop();
  });

  test('is left alone by a dry run', async () => {
    const map = newMap();
    const daemon = start(map, '--nowrite', '--debug');
    await logIn('198.51.100.60');
    await daemon.waitForLine(/ip=198\.51\.100\.60$/);
    await daemon.waitForLine(/not written --- dry run/);
    assert.ok(!daemon.stdout.includes('written ok'));
    await daemon.stop();
    assert.equal((await popbsmtp('list', '--map', map)).code, EXIT.noInput);
  });
});

describe('a restart', () => {
  const readsOf = (daemon: Daemon): string[] =>
    daemon.lines.filter(line => line.startsWith('read ')).map(line => line.replace(/.* ip=/, ''));

  /** A log and a map of the test's own. */
  async function begin(...more: string[]): Promise<{ own: string; startAgain: () => Daemon }> {
    const own = join(directory, `own-${++count}.log`);
    await writeFile(own, '');
    const args = ['--watchlog', own, '--map', newMap(), '--mynetworks', 'none', '--debug', ...more];
    return { own, startAgain: () => startDaemon(rig, process.execPath, [MAIN, ...args]) };
  }

  test('goes on behind the last line, and what was written meanwhile is not missed', async () => {
    const { own, startAgain } = await begin();
    const first = startAgain();
    await appendFile(own, loginLine('198.51.100.101'));
    await first.waitForLine(/written ok/);
    assert.equal(await first.stop(), 0);
    await appendFile(own, loginLine('198.51.100.102'));
    const second = startAgain();
    await appendFile(own, loginLine('198.51.100.103'));
    await second.waitForLine(/ip=198\.51\.100\.103$/);
    assert.deepEqual(readsOf(second), ['198.51.100.102', '198.51.100.103']);
    await second.stop();
  });

  test('reads the rest of a log that was rotated meanwhile, also when it was compressed', async () => {
    const { own, startAgain } = await begin();
    const first = startAgain();
    await appendFile(own, loginLine('198.51.100.111'));
    await first.waitForLine(/written ok/);
    await first.stop();
    await appendFile(own, loginLine('198.51.100.112'));
    await rename(own, `${own}.1`);
    await runProgram('gzip', [`${own}.1`]);
    await writeFile(own, loginLine('198.51.100.113'));
    const second = startAgain();
    await second.waitForLine(/ip=198\.51\.100\.113$/);
    assert.deepEqual(readsOf(second), ['198.51.100.112', '198.51.100.113']);
    await second.stop();
  });

  test('keeps the grant of a session that is still open', async () => {
    const { own, startAgain } = await begin('--grace', '2s');
    const first = startAgain();
    await appendFile(own, loginLine('198.51.100.131', 0, 'open'));
    await appendFile(own, loginLine('198.51.100.132', 0, 'closed'));
    await first.waitForLine(/ip=198\.51\.100\.132$/);
    const stamp = formatStamp(epoch(Date.now() / 1000));
    await appendFile(own, `${stamp} mx dovecot: imap(anna)<1><closed>: Logged out in=1 out=2\n`);
    await first.waitForLine(/^logout .*ip=198\.51\.100\.132$/);
    await first.stop();
    const second = startAgain();
    await second.waitForLine(/^purging .*ip=198\.51\.100\.132$/);
    await second.waitForLine(/^keeping .*ip=198\.51\.100\.131$/);
    assert.ok(!second.lines.some(line => /^purging .*131$/.test(line)));
    await second.stop();
  });

  test('with a new map reads the last grace period again', async () => {
    const { own, startAgain } = await begin();
    const first = startAgain();
    await appendFile(own, loginLine('198.51.100.121'));
    await first.waitForLine(/written ok/);
    const map = first.transcript().match(/lmdb:(\S+)/)?.[1] ?? '';
    await first.stop();
    await rm(`${map}.lmdb`);
    const second = startAgain();
    await second.waitForLine(/ip=198\.51\.100\.121$/);
    await second.waitForLine(/written ok/);
    await second.stop();
  });
});

describe('purge', () => {
  test('ends what is due once the daemon is dead, and nothing while it lives', async () => {
    const map = newMap();
    const daemon = start(map, '--debug', '--grace', '1h');
    await logIn('198.51.100.90');
    await daemon.waitForLine(/written ok/);
    const early = await popbsmtp('purge', '--map', map, '--grace', '1s');
    assert.deepEqual([early.code, early.stdout], [0, ''], 'while a daemon owns the map');
    daemon.signal('SIGKILL');
    await daemon.exited();
    const kept = await popbsmtp('purge', '--map', map, '--grace', '1h');
    assert.deepEqual([kept.code, kept.stdout], [0, '']);
    assert.ok((await keysOf(map)).includes('198.51.100.90'));
    await waitFor('the grant to be due', async () => {
      const { code, stdout } = await popbsmtp('purge', '--map', map, '--grace', '1s');
      assert.equal(code, 0);
      return /^purging ts=.* ip=198\.51\.100\.90$/m.test(stdout);
    });
    assert.deepEqual(await keysOf(map), []);
  });

  test('has nothing to do where there is no map', async () => {
    assert.equal((await popbsmtp('purge', '--map', newMap())).code, 0);
  });

  test('lets rows from the future count from now', async () => {
    const spec = newMap();
    const map = await openMap({ type: 'lmdb', path: spec.slice('lmdb:'.length) });
    const soon = Math.floor(Date.now() / 1000) + 7200;
    await map.commit([{ ip: ip('198.51.100.91'), stamp: epoch(soon) }]);
    await map.close();
    assert.equal((await popbsmtp('purge', '--map', spec)).code, 0);
    const { stdout } = await popbsmtp('list', '--json', '--map', spec);
    const row: { value: string } = JSON.parse(stdout);
    assert.ok(Number(row.value) < soon - 7000, row.value);
  });
});

test('standard input is a log like any other, and its end the end', async () => {
  const map = newMap();
  const args = [MAIN, '--watchlog', '-', '--map', map, '--mynetworks', 'none', '--debug'];
  const { code, stdout } = await runProgram(process.execPath, args, {
    input: loginLine('198.51.100.70'),
  });
  assert.equal(code, 0);
  assert.match(stdout, /ip=198\.51\.100\.70\n {4}accepted --- not in mynetworks\n {4}written ok\n/);
  assert.deepEqual(await keysOf(map), ['198.51.100.70']);
});

test('a reader of the output that goes away is no error', async () => {
  const many = join(directory, 'many.log');
  await writeFile(many, loginLine('198.51.100.80').repeat(20_000));
  const shell = `"$1" "$2" match "$3" | head -n 1; exit "\${PIPESTATUS[0]}"`;
  const { code, stdout } = await runProgram('bash', [
    '-c',
    shell,
    'bash',
    process.execPath,
    MAIN,
    many,
  ]);
  assert.equal(code, 0);
  assert.match(stdout, /ip=198\.51\.100\.80/);
});
