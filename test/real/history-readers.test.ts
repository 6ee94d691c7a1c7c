/**
 * Whoever reads the history, and stops in the middle of it: a pager that nobody scrolls, a command that was stopped, somebody who holds the
 * lock.  The daemon goes on: grants come at once, what happens is kept or waits, and a stop is a stop.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, open, readFile, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BLOCK_BYTES, BlockWriter, blockKey, hourOf } from '../../src/history/block.ts';
import { entryOf } from '../../src/history/entry.ts';
import { HistoryFile } from '../../src/history/history-file.ts';
import { lock, lockWithin } from '../../src/map/lock.ts';
import { loginLine } from '../cli/watched-log.ts';
import { MAIN, popbsmtp } from './popbsmtp.ts';
import { type Daemon, startDaemon } from './processes.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

const rig = new Rig();
after(() => rig.close());

/** More than any pipe takes. */
async function fill(path: string): Promise<void> {
  const file = await HistoryFile.open(path, { most: 2 ** 30, warn: text => assert.fail(text) });
  const hour = hourOf(Date.now() / 1000) - 5;
  const blocks = Array.from({ length: 300 }, (_, serial) => {
    const writer = new BlockWriter(hour);
    for (let n = 0; writer.length < BLOCK_BYTES; n++)
      writer.add(entryOf('refused', hour * 3600 + n, { what: `${serial}-${n}` }));
    return writer.stored(blockKey(hour, serial));
  });
  await file.write({ blocks, messages: new Map() });
  await file.close();
}

class Host {
  readonly map: string;
  readonly history: string;
  readonly #log: string;
  readonly daemon: Daemon;

  static async start(): Promise<Host> {
    const directory = await rig.directory();
    await writeFile(join(directory, 'mail.log'), '');
    await fill(join(directory, 'map.history'));
    const host = new Host(directory);
    await waitFor('the start', () => host.daemon.transcript().includes('watching'));
    return host;
  }

  private constructor(directory: string) {
    this.map = `lmdb:${join(directory, 'map')}`;
    this.history = join(directory, 'map.history');
    this.#log = join(directory, 'mail.log');
    this.daemon = startDaemon(rig, process.execPath, [
      MAIN,
      ...['--watchlog', this.#log, '--map', this.map, '--debug', '--mynetworks', 'none'],
    ]);
  }

  async login(address: string): Promise<void> {
    await appendFile(this.#log, loginLine(address));
    await this.daemon.waitForLine(new RegExp(`^read .*ip=${address.replaceAll('.', '\\.')}$`));
    assert.ok((await popbsmtp('list', '--map', this.map)).stdout.includes(address));
  }

  async isKept(address: string): Promise<boolean> {
    const { stdout } = await popbsmtp('history', '--address', address, '--map', this.map);
    return stdout.includes(address);
  }
}

test("a reader that nobody reads from, and that is stopped then, is in nobody's way", async () => {
  const host = await Host.start();
  const reader = spawn(process.execPath, [MAIN, 'history', '--map', host.map], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  rig.defer(() => void reader.kill('SIGKILL'));
  // What it prints next fills the pipe, and then it waits.
  await once(reader.stdout, 'readable');
  await host.login('198.51.100.7');
  await waitFor('the first to be kept', () => host.isKept('198.51.100.7'));
  reader.kill('SIGSTOP');
  await host.login('198.51.100.8');
  await waitFor('the second to be kept', () => host.isKept('198.51.100.8'));
  assert.equal(await host.daemon.stop(), 0);
  assert.doesNotMatch(host.daemon.stderr, /history/);
});

test('a reader that is stopped by a key holds no lock', async () => {
  const host = await Host.start();
  const file = await open(host.history, 'r+');
  let stops = 0;
  while (stops < 20) {
    const reader = spawn(process.execPath, [MAIN, 'history', '--map', host.map], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    rig.defer(() => void reader.kill('SIGKILL'));
    const ended = once(reader, 'exit');
    const isOver = (): boolean => reader.exitCode !== null || reader.signalCode !== null;
    const state = async (): Promise<string> => {
      const text = await readFile(`/proc/${reader.pid}/stat`, 'utf8').catch(() => '');
      return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3);
    };
    // Before that a key stops it anywhere, and it has no lock.
    await waitFor('the reader to begin', async () => isOver() || (await hears(reader.pid)));
    while (!isOver()) {
      reader.kill('SIGTSTP');
      await waitFor('the stop', async () => isOver() || (await state()) === 'T');
      if (isOver()) break;
      const held = await lockWithin(file.fd, 'exclusive', 5000);
      assert.ok(held !== null, 'it has stopped with the lock');
      held.release();
      stops++;
      reader.kill('SIGCONT');
    }
    await ended;
  }
  await file.close();
  assert.equal(await host.daemon.stop(), 0);
});

/** Whether a process answers SIGTSTP (proc(5), SigCgt). */
async function hears(pid: number | undefined): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const [, mask = '0'] = /^SigCgt:\s+([0-9a-f]+)$/m.exec(status) ?? [];
  return ((BigInt(`0x${mask}`) >> BigInt(constants.signals.SIGTSTP - 1)) & 1n) === 1n;
}

test('who holds the lock delays neither a grant nor a stop, and is told of', async () => {
  const host = await Host.start();
  const file = await open(host.history, 'r');
  const held = await lock(file.fd, 'shared');
  await host.login('198.51.100.7');
  await waitFor('the warning', () => host.daemon.stderr.includes('is locked by'));
  const start = performance.now();
  assert.equal(await host.daemon.stop(), 0);
  const seconds = (performance.now() - start) / 1000;
  held.release();
  await file.close();
  // A wait for the lock was 10 s.
  assert.ok(seconds < 8, `${seconds} s`);
  assert.equal(host.daemon.stderr.split('is locked by').length, 2, host.daemon.stderr);
  assert.equal(await host.isKept('198.51.100.7'), false);
});
