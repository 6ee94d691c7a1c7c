/**
 * The daemon as a process: signals, the background, standard input.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { runProgram, startDaemon } from '../real/processes.ts';
import { Rig } from '../real/rig.ts';
import { linesOf, waitFor, waitForLine } from '../real/wait.ts';
import { keysOf, loginLine, WatchedLog } from './watched-log.ts';

const rig = new Rig();
let watched: WatchedLog;

before(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

test('the process is called popbsmtp, whatever Node calls itself, and keeps its arguments', async () => {
  const map = watched.newMap();
  const daemon = watched.start(map, '--debug');
  await watched.logIn('198.51.100.7');
  await daemon.waitForLine(/written ok/);
  assert.equal(await readFile(`/proc/${daemon.pid}/comm`, 'utf8'), 'popbsmtp\n');
  const args = (await readFile(`/proc/${daemon.pid}/cmdline`, 'utf8')).split('\0');
  assert.ok(args.includes(map), args.join(' '));
});

describe('signals', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} ends the daemon with 0 and keeps the rows`, async () => {
      const map = watched.newMap();
      const daemon = watched.start(map, '--debug');
      await watched.logIn('198.51.100.7');
      await daemon.waitForLine(/written ok/);
      daemon.signal(signal);
      assert.equal(await daemon.exited(), 0, daemon.transcript());
      assert.ok((await keysOf(map)).includes('198.51.100.7'));
    });
  }

  test('SIGHUP reads the configuration again, and keeps the old one when the new one is wrong', async () => {
    const map = watched.newMap();
    const config = join(watched.directory, 'popbsmtp.toml');
    const ours = join(watched.directory, 'own.log');
    await writeFile(config, 'exclude = "198.51.100.1"\n');
    const daemon = watched.start(map, '--config', config, '--logto', ours);
    await waitForLine(ours, /watching/);
    await watched.logIn('198.51.100.1');
    await waitForLine(ours, /ignored ip=198\.51\.100\.1 .*reason="excluded"/);

    await writeFile(config, 'exclude = "198.51.100.2"\n');
    daemon.signal('SIGHUP');
    await waitForLine(ours, /reloaded/);
    await watched.logIn('198.51.100.2');
    await waitForLine(ours, /ignored ip=198\.51\.100\.2 /);
    await watched.logIn('198.51.100.1');
    await waitForLine(ours, /granted ip=198\.51\.100\.1 /);

    await writeFile(config, 'exclude = "nonsense"\n');
    daemon.signal('SIGHUP');
    await waitForLine(ours, /error: not reloaded.*nonsense/);
    const lines = (await linesOf(ours)).length;
    await watched.logIn('198.51.100.2');
    await waitForLine(ours, /ignored ip=198\.51\.100\.2 /, lines);
  });

  test('after SIGHUP the journal, when it is opened anew, is read from where the new grace period begins', async () => {
    const directory = await rig.directory();
    const program = join(directory, 'journalctl');
    const calls = join(directory, 'calls');
    const config = join(directory, 'popbsmtp.toml');
    const ours = join(directory, 'own.log');
    // Looks like one that runs well until it is told to fail.
    await writeFile(
      program,
      `#!/bin/sh
case "$*" in *--follow*--since=*) ;; *) exit 0 ;; esac
echo "$*" >> ${calls}
while ! test -e ${join(directory, 'fail')}; do sleep 0.1; done
exit 1
`,
      { mode: 0o755 },
    );
    await writeFile(config, 'grace = "10m"\n');
    /** Whether a call, made after a moment, asked for so many seconds, and the margin of a minute, before it was made. */
    const asksFor = (line: string, seconds: number, after: number): boolean => {
      const since = Number(/--since=@(\d+)/.exec(line)?.[1] ?? assert.fail(line));
      const made = since + seconds + 60;
      return Math.floor(after / 1000) <= made && made <= Date.now() / 1000;
    };
    const started = Date.now();
    const args = [MAIN, '--watchlog', 'journal', '--map', watched.newMap(), '--mynetworks', 'none'];
    const daemon = startDaemon(
      rig,
      process.execPath,
      [...args, '--config', config, '--logto', ours],
      { env: { PATH: `${directory}:${process.env['PATH'] ?? ''}` } },
    );
    const first = await waitForLine(calls, /--since/);
    assert.ok(asksFor(first, 600, started), first);

    await writeFile(config, 'grace = "5h"\n');
    daemon.signal('SIGHUP');
    await waitForLine(ours, /reloaded/);
    const reloaded = Date.now();
    await writeFile(join(directory, 'fail'), '');
    const second = await waitForLine(calls, /--since/, 1);
    assert.ok(asksFor(second, 5 * 3600, reloaded), second);
  });

  test('SIGHUP goes on in a new log file after a rotation', async () => {
    const ours = join(watched.directory, 'rotated.log');
    const daemon = watched.start(watched.newMap(), '--logto', ours);
    await waitForLine(ours, /watching/);
    await rename(ours, `${ours}.1`);
    daemon.signal('SIGHUP');
    await waitForLine(ours, /reloaded/);
    await watched.logIn('198.51.100.3');
    await waitForLine(ours, /granted ip=198\.51\.100\.3 /);
    assert.ok(!(await readFile(`${ours}.1`, 'utf8')).includes('granted ip=198.51.100.3'));
  });
});

describe('the background', () => {
  test('the command returns when the daemon works, and its pid is in the file', async () => {
    const map = watched.newMap();
    const pidFile = join(watched.directory, 'pid');
    const args = [
      '--watchlog',
      watched.log,
      '--map',
      map,
      '--mynetworks',
      'none',
      `--daemon=${pidFile}`,
    ];
    const { code, stderr } = await popbsmtp(...args);
    assert.equal(code, 0, stderr);
    const pid = Number(await readFile(pidFile, 'utf8'));
    try {
      await watched.logIn('198.51.100.9');
      await waitFor('a row', async () => (await keysOf(map)).includes('198.51.100.9'));
    } finally {
      process.kill(pid, 'SIGTERM');
    }
    await waitFor('its end', () => !existsSync(`/proc/${pid}`));
    assert.ok(!existsSync(pidFile));
  });

  test('when it cannot work, the command says why, with its exit status', async () => {
    const args = [
      '--watchlog',
      watched.log,
      '--map',
      watched.newMap(),
      '--mynetworks',
      '1.2.3.4/99',
    ];
    const { code, stderr } = await popbsmtp(...args, `--daemon=${join(watched.directory, 'pid2')}`);
    assert.equal(code, EXIT.usage);
    assert.match(stderr, /^popbsmtp: [^\n]*1\.2\.3\.4\/99[^\n]*\n$/);
  });
});

test('standard input is a log like any other, and its end the end', async () => {
  const map = watched.newMap();
  const args = [MAIN, '--watchlog', '-', '--map', map, '--mynetworks', 'none', '--debug'];
  const { code, stdout } = await runProgram(process.execPath, args, {
    input: loginLine('198.51.100.70'),
  });
  assert.equal(code, 0);
  assert.match(stdout, /ip=198\.51\.100\.70\n {4}accepted --- not in mynetworks\n {4}written ok\n/);
  assert.deepEqual(await keysOf(map), ['198.51.100.70']);
});

test('a reader of the output that goes away is no error', async () => {
  const many = join(watched.directory, 'many.log');
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
