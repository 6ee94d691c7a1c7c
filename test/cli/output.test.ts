/**
 * A reader that goes away, and an output that is full: each command ends in its way, with one line or none.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { MAIN } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled, loginBy } from './controlled.ts';

const rig = new Rig();
let host: Controlled;
/** With more than a pipe holds. */
let long: string;

before(async () => {
  host = await Controlled.make(rig);
  const daemon = await host.start();
  await host.logIn(daemon, 'anna', '198.51.100.1');
  await daemon.stop();
  long = join(host.directory, 'long.log');
  await writeFile(long, loginBy('anna', '198.51.100.2').repeat(5000));
});
after(() => rig.close());

type Ended = readonly [code: number | null, stderr: string];

async function end(args: readonly string[], stdout: number | 'pipe'): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', stdout, 'pipe'] });
  // Before the child can have written anything: nobody will ever read it.
  child.stdout?.destroy();
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'close');
  return [child.exitCode, stderr];
}

async function full(args: readonly string[]): Promise<Ended> {
  const fd = openSync('/dev/full', 'w');
  try {
    return await end(args, fd);
  } finally {
    closeSync(fd);
  }
}

const LINE = 'Mar 22 11:00:00 mx dovecot: hello';

/** `@` is the map, `%` the long log. */
const PRINTING: readonly string[] = [
  'list --map @',
  'list --json --map @',
  'list --orders --map @',
  'status --map @',
  'status --json --map @',
  'status --watch --map @',
  'match %',
  'match --json %',
  'replay --nowrite --debug --mynetworks none --map @ %',
  'patterns',
  'patterns --json',
  'config',
  'config --json',
  'help',
  'help list',
  '--help',
  'match --help',
  '--version',
  'doctor --no-smtp --map @ --watchlog % --mynetworks none',
  'demo',
];

const ACTING: readonly string[] = [
  'allow 203.0.113.1 --mynetworks none --map @',
  'revoke 203.0.113.1 --map @',
  'lift 203.0.113.1 --map @',
];

const argsOf = (text: string): string[] =>
  text.split(' ').map(word => word.replace('@', host.map).replace('%', long));

/** `list --orders` has nothing to print. */
const SILENT = new Set(['list --orders --map @']);

describe('a reader that has gone ends a command without a word, and not by a signal', () => {
  for (const text of [...PRINTING, ...ACTING]) {
    test(text, async () => {
      const [code, stderr] = await end(argsOf(text), 'pipe');
      assert.ok(code !== null && code !== EXIT.software && code < 128, `${code} ${stderr}`);
      assert.doesNotMatch(stderr, / at |a bug|EPIPE/);
    });
  }

  test('explain', async () => {
    assert.deepEqual(await end(['explain', LINE, '--mynetworks', 'none'], 'pipe'), [0, '']);
  });
});

describe('a full output is told in one line, with a status of its own', () => {
  for (const text of [...PRINTING, ...ACTING]) {
    test(text, async () => {
      const [code, stderr] = await full(argsOf(text));
      if (SILENT.has(text)) return assert.equal(code, 0, stderr);
      assert.equal(code, EXIT.io, stderr);
      const told = stderr.split('\n').filter(line => line.includes('standard output'));
      assert.deepEqual(told, [
        'popbsmtp: cannot write to standard output: no space left on device; what was printed is not complete: check the free space, and run it again',
      ]);
      assert.doesNotMatch(stderr, / {4}at |a bug/);
    });
  }

  test('explain', async () => {
    const [code] = await full(['explain', LINE, '--mynetworks', 'none']);
    assert.equal(code, EXIT.io);
  });
});

test('what is done by order is done whether or not somebody hears of it', async () => {
  await full(argsOf('allow 203.0.113.7 --mynetworks none --map @'));
  assert.ok((await host.keys()).includes('203.0.113.7'));
  await end(argsOf('revoke 203.0.113.7 --map @'), 'pipe');
  assert.ok(!(await host.keys()).includes('203.0.113.7'));
  await host.allow('203.0.113.8');
  const [code] = await full(argsOf('purge --all --map @'));
  assert.equal(code, EXIT.io);
  assert.deepEqual(await host.keys(), []);
});

test('a daemon goes on when its output is full, and has told it once', async () => {
  const fd = openSync('/dev/full', 'w');
  const own = await Controlled.make(rig);
  const args = ['--watchlog', own.log, '--map', own.map, '--debug', '--mynetworks', 'none'];
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', fd, 'pipe'] });
  rig.defer(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await own.write(loginBy('anna', '198.51.100.3'));

  await waitFor('the row', async () => (await own.keys().catch(() => [])).length === 1);
  await own.write(loginBy('anna', '198.51.100.4'));
  await waitFor('another row', async () => (await own.keys()).length === 2);
  child.kill('SIGTERM');
  await once(child, 'close');
  closeSync(fd);
  assert.equal(child.exitCode, 0, stderr);
  assert.equal(stderr.match(/cannot write to standard output/g)?.length, 1);
});
