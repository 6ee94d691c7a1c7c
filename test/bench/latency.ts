/**
 * From the write of a log line to the row that a reader of the map can see.
 *
 * The end is seen in the map itself: the number of the last transaction, which stands in its meta pages.
 * The bare cost of waking up and reading is measured with the same writer: a process that does nothing but watch
 * the file, read it and write a number to another.
 */
import { appendFileSync, closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon } from '../real/processes.ts';
import type { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';

const LOGINS = 1000;
const PER_SECOND = 300;
const PATIENCE_MS = 5000;

/** Where the numbers of the transactions stand in the two meta pages of a map with pages of 4096 bytes. */
export const TXNIDS = [136 + 8, 4096 + 136 + 8] as const;

/** Reads a number that grows with each step of the process that is watched. */
type Counter = () => bigint;

export function counterOf(
  path: string,
  offsets: readonly number[],
): { read: Counter; close(): void } {
  const fd = openSync(path, 'r');
  const bytes = Buffer.alloc(8);
  return {
    read: () => {
      let latest = 0n;
      for (const offset of offsets) {
        readSync(fd, bytes, 0, 8, offset);
        const value = bytes.readBigUInt64LE();
        if (value > latest) latest = value;
      }
      return latest;
    },
    close: () => closeSync(fd),
  };
}

/** Milliseconds for each line: written one at a time, and waited for without giving up the processor. */
async function measure(
  log: string,
  line: (index: number) => string,
  read: Counter,
): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < LOGINS; index++) {
    const before = read();
    const text = line(index);
    const start = performance.now();
    appendFileSync(log, text);
    while (read() === before) {
      if (performance.now() - start > PATIENCE_MS) throw new Error(`line ${index} had no effect`);
    }
    const took = performance.now() - start;
    times.push(took);
    await sleep(Math.max(0, 1000 / PER_SECOND - took));
  }
  return times;
}

const loginLine = (index: number): string =>
  `${new Date().toISOString()} mx dovecot: pop3-login: Login: user=<u>, method=PLAIN, ` +
  `rip=10.0.${index >> 8}.${index & 255}, lip=192.0.2.5, mpid=1, session=<s${index}>\n`;

/** @param main the program; @param more of its options */
export async function daemonLatency(
  rig: Rig,
  main: string,
  more: readonly string[] = [],
): Promise<number[]> {
  const directory = await rig.directory();
  const log = join(directory, 'mail.log');
  const map = join(directory, 'map');
  writeFileSync(log, '');
  const args = ['--watchlog', log, '--map', `lmdb:${map}`, '--mynetworks', 'none', ...more];
  const daemon = startDaemon(rig, process.execPath, [main, ...args]);
  await waitFor('the daemon', () => daemon.stdout.includes('watching') || undefined);
  const counter = counterOf(`${map}.lmdb`, TXNIDS);
  const times = await measure(log, loginLine, counter.read);
  counter.close();
  await daemon.stop();
  return times;
}

const BARE = `
const { openSync, readSync, watch, writeSync } = require('node:fs');
const [log, out] = process.argv.slice(1);
const fd = openSync(log), to = openSync(out, 'r+'), buffer = Buffer.alloc(65536), number = Buffer.alloc(8);
let position = 0, count = 0n;
watch(require('node:path').dirname(log), (_, name) => {
  if (name !== require('node:path').basename(log)) return;
  const read = readSync(fd, buffer, 0, buffer.length, position);
  if (read === 0) return;
  position += read;
  number.writeBigUInt64LE(++count);
  writeSync(to, number, 0, 8, 0);
});
console.log('watching');
`;

export async function bareLatency(rig: Rig): Promise<number[]> {
  const directory = await rig.directory();
  const log = join(directory, 'mail.log');
  const out = join(await rig.directory(), 'count');
  writeFileSync(log, '');
  writeFileSync(out, Buffer.alloc(8));
  const child = startDaemon(rig, process.execPath, ['-e', BARE, log, out]);
  await waitFor('the bare watcher', () => child.stdout.includes('watching') || undefined);
  const counter = counterOf(out, [0]);
  const times = await measure(log, loginLine, counter.read);
  counter.close();
  await child.stop();
  return times;
}
