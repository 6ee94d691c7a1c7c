/**
 * `status --watch` on a terminal, and what its charts keep over a restart of the daemon.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { MAIN } from '../real/popbsmtp.ts';
import { requirePrograms } from '../real/programs.ts';
import { Rig } from '../real/rig.ts';
import { startOnTerminal } from '../real/terminal.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled } from './controlled.ts';

const rig = new Rig();
let host: Controlled;
before(async () => {
  host = await Controlled.make(rig);
});
after(() => rig.close());

const sum = (values: unknown): number =>
  Array.isArray(values) ? values.reduce((all: number, one: unknown) => all + Number(one), 0) : -1;

async function status(): Promise<Record<string, unknown>> {
  const { stdout } = await host.run('status', '--json');
  return JSON.parse(stdout);
}

describe('status --watch', { skip: requirePrograms(['script', 'stty']) }, () => {
  test('fills the terminal with rows, and stays within it', async () => {
    const daemon = await host.start();
    for (const user of ['anna', 'bert']) await host.logIn(daemon, user, '198.51.100.7');
    await host.logIn(daemon, 'carl', '198.51.100.8');
    const command = `stty rows 40 cols 100; TERM=xterm exec ${process.execPath} ${MAIN} status --watch --map ${host.map}`;
    const watch = startOnTerminal(rig, command);
    await waitFor('two frames', () => watch.stdout.split('\x1b[J').length > 2, {
      seen: () => watch.transcript(),
    });
    const frame = watch.stdout.split('\x1b[J')[1]?.replaceAll('\r', '') ?? '';
    const lines = stripVTControlCharacters(frame).split('\n');
    assert.ok(lines.length <= 40 && lines.every(line => line.length <= 100), frame);
    const rows = lines.slice(lines.indexOf('2 grants, the newest first') + 1);
    assert.match(rows[0] ?? '', /^198\.51\.100\.8 .* carl$/);
    assert.match(rows[1] ?? '', /^198\.51\.100\.7 .* bert, anna$/);
    assert.ok(lines.some(line => line.includes('logins a minute')));
    watch.signal('SIGTERM');
    await watch.exited();
    await daemon.stop();
  });

  test('keeps the last hour over a restart', async () => {
    const daemon = await host.start();
    await host.logIn(daemon, 'anna', '198.51.100.9');
    const before = await status();
    assert.ok(sum(before['loginsByMinute']) >= 1);
    await daemon.stop();
    const again = await host.start();
    const found = await status();
    assert.equal(sum(found['loginsByMinute']), sum(before['loginsByMinute']));
    assert.ok(sum(found['grantsByMinute']) >= 1);
    assert.deepEqual(found['recentProblems'], []);
    await again.stop();
  });
});
