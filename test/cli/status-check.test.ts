/**
 * `status --check` of daemons as processes: well, hung, gone, kept from writing; and where it cannot tell.
 */
import assert from 'node:assert/strict';
import { chown, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { lock } from '../../src/map/lock.ts';
import { MAIN, popbsmtp } from '../real/popbsmtp.ts';
import { type Result, runProgram } from '../real/processes.ts';
import { requirePrograms } from '../real/programs.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled } from './controlled.ts';

const skip = requirePrograms(['setpriv'], { root: true });
const rig = new Rig();
let host: Controlled;

beforeEach(async () => {
  host = await Controlled.make(rig);
});
after(() => rig.close());

const check = (...args: string[]): Promise<Result> => host.run('status', '--check', ...args);

test('a daemon that does its work is 0, with one line', async () => {
  const daemon = await host.start();
  await host.logIn(daemon, 'anna', '198.51.100.1');
  // On a machine that is busy the daemon may be late once.
  const { stdout, stderr } = await waitFor('it to be well', async () => {
    const result = await check();
    return result.code === 0 ? result : undefined;
  });
  assert.equal(stderr, '');
  assert.match(
    stdout,
    /^POPBSMTP OK - 1 grant, the last login at .* \| grants=1 logins=1c overdue=0 .*\n$/,
  );
  await rename(host.log, `${host.log}.away`);
  await waitFor('the log to be missed', async () => (await check()).code === 1);
  await daemon.stop();
});

test('one that hangs is 2, within its time', async () => {
  const daemon = await host.start();
  daemon.signal('SIGSTOP');
  try {
    const { code, stdout } = await check();
    assert.equal(code, 2);
    assert.match(stdout, /^POPBSMTP CRITICAL - .*does not answer.*\n$/);
  } finally {
    daemon.signal('SIGCONT');
  }
  await daemon.stop();
});

test('none is 2, and rows that are due are counted', async () => {
  const none = await check();
  assert.deepEqual([none.code, none.stderr], [2, '']);
  assert.match(none.stdout, /^POPBSMTP CRITICAL - no popbsmtp is running for lmdb:\S+\n$/);
  const daemon = await host.start();
  await host.logIn(daemon, 'anna', '198.51.100.1');
  await waitFor('its row', async () => (await host.keys()).length === 1);
  await daemon.stop();
  const due = async (): Promise<boolean> =>
    /, and 1 row is due\n$/.test((await check('--grace', '1s')).stdout);
  await waitFor('the row to be due', due);
});

test('a map that another program locks is 2, also without a daemon', async () => {
  const daemon = await host.start();
  const file = await open(`${host.path}.lmdb`, 'r+');
  try {
    await lock(file.fd, 'exclusive');
    await host.logIn(daemon, 'anna', '198.51.100.1');
    await waitFor('the check to see it', async () => {
      const { code, stdout } = await check();
      return code === 2 && /the map cannot be written/.test(stdout);
    });
    daemon.signal('SIGKILL');
    await daemon.exited();
    const { code, stdout } = await check();
    assert.equal(code, 2);
    assert.match(stdout, /^POPBSMTP CRITICAL - no popbsmtp is running/);
  } finally {
    await file.close();
  }
});

describe('what keeps it from telling is 3, with the reason on the one line', () => {
  const unknown = ({ code, stdout, stderr }: Result, reason: RegExp): void => {
    assert.deepEqual([code, stderr], [3, '']);
    assert.match(stdout, /^POPBSMTP UNKNOWN - [^\n]+\n$/);
    assert.match(stdout, reason);
  };

  test('a configuration that is not there, or is none', async () => {
    const path = join(host.directory, 'popbsmtp.toml');
    unknown(await check('--config', path), /cannot read the configuration/);
    for (const [text, reason] of [
      ['grace = "soon"\n', /popbsmtp\.toml:1.*"soon" is not a duration/],
      ['garce = "30m"\n', /popbsmtp\.toml:1: unknown key "garce"/],
      ['grace = \n', /popbsmtp\.toml:1/],
    ] as const) {
      await writeFile(path, text);
      unknown(await check('--config', path), reason);
    }
  });

  test('a value that is refused', async () => {
    unknown(await check('--grace', 'soon'), /--grace: "soon" is not a duration/);
    unknown(await popbsmtp('status', '--check', '--map', 'lmdb'), /--map: "lmdb" does not name/);
  });

  test('an account that it cannot become', { skip }, async () => {
    await chown(host.directory, 12345, 12345);
    const args = ['--bounding-set=-setuid,-setgid', process.execPath, MAIN];
    const run = runProgram('setpriv', [...args, 'status', '--check', '--map', host.map]);
    unknown(await run, /12345/);
  });

  test('but a command line that cannot be read is a usage error, as of each command', async () => {
    for (const args of [['--garce', '1h'], ['--grace'], ['now']]) {
      const { code, stdout } = await check(...args);
      assert.deepEqual([code, stdout], [EXIT.usage, ''], args.join(' '));
    }
  });
});
