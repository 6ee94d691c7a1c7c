/**
 * What a daemon costs that has nothing to do: memory, processor time and wake-ups, as the kernel counts them.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Daemon, startDaemon } from '../real/processes.ts';
import type { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';

/** Until what belongs to the start is done. */
const SETTLE_MS = 5000;
const SECONDS = 20;
const NS_A_MS = 1_000_000;

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** Of each thread, a file of proc(5). */
const ofThreads = ({ pid }: Daemon, file: string): string[] =>
  readdirSync(`/proc/${pid}/task`).map(thread =>
    readFileSync(`/proc/${pid}/task/${thread}/${file}`, 'latin1'),
  );

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** Processor time so far of the threads that there are, in milliseconds (/proc/PID/schedstat in the kernel's sched-stats.rst). */
export const processorTime = (daemon: Daemon): number =>
  sum(ofThreads(daemon, 'schedstat').map(text => Number.parseInt(text, 10))) / NS_A_MS;

/** How often a thread has woken up so far. */
const wakeUps = (daemon: Daemon): number =>
  sum(
    ofThreads(daemon, 'status').map(text =>
      Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(text)?.[1]),
    ),
  );

/** In MiB. */
export function memoryOf({ pid }: Daemon, key: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const [, kilobytes = ''] = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
  return Number(kilobytes) / 1024;
}

/** Of a program that writes `watching` once it has started. */
async function figuresOf(rig: Rig, name: string, args: readonly string[]): Promise<Figure[]> {
  const daemon = startDaemon(rig, process.execPath, args);
  await waitFor(name, () => daemon.stdout.includes('watching') || undefined);
  await sleep(SETTLE_MS);
  const [time, woken] = [processorTime(daemon), wakeUps(daemon)];
  await sleep(SECONDS * 1000);
  const figures: Figure[] = [
    { name: 'idle: resident', value: memoryOf(daemon, 'VmRSS'), unit: 'MiB' },
    { name: '  processor', value: (processorTime(daemon) - time) / SECONDS, unit: 'ms/s' },
    { name: '  wake-ups', value: (wakeUps(daemon) - woken) / SECONDS, unit: '/s' },
  ];
  await daemon.stop();
  return figures;
}

/** @param main the program, which watches a log in which nothing is written */
export async function idleDaemon(rig: Rig, main: string): Promise<Figure[]> {
  const directory = await rig.directory();
  const log = join(directory, 'mail.log');
  writeFileSync(log, '');
  const map = `lmdb:${join(directory, 'map')}`;
  const args = ['--watchlog', log, '--map', map, '--mynetworks', 'none'];
  return figuresOf(rig, 'the daemon', [main, ...args]);
}

const BARE = "console.log('watching'); setInterval(() => undefined, 2 ** 31 - 1);";

/** A Node that does nothing. */
export const idleNode = (rig: Rig): Promise<Figure[]> =>
  figuresOf(rig, 'an idle Node', ['-e', BARE]);
