/**
 * Many logins, many grants: a daemon under a steady load, with a million live grants, started again with all of
 * them, and when many of them end at once.
 */
import { appendFileSync, closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { lock } from '../../src/map/lock.ts';
import { readRows } from '../../src/map/map-types.ts';
import { type Daemon, startDaemon } from '../real/processes.ts';
import type { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import type { Figure } from './idle.ts';
import { memoryOf, processorTime } from './idle.ts';
import { makeLog } from './log-maker.ts';
import { type MapReader, readMap } from './map-reader.ts';
import { quantile } from './timing.ts';

const PER_SECOND = 20_000;
const STEP_MS = 10;
const EXPIRING = 100_000;
const SHORT_GRACE = 8;
/** Lines that lie in the log before the first login, 1 GB of them. */
const LINES_BEFORE = 6_000_000;

const addressOf = (number: number): string =>
  `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

const login = (stamp: string, ip: string): string =>
  `${stamp} mx dovecot: imap-login: Login: user=<user@example.org>, method=PLAIN, rip=${ip}, ` +
  `lip=192.0.2.5, mpid=4711, TLS, session=<${ip}>\n`;

/** A daemon with its log and map. */
class Host {
  readonly log: string;
  readonly map: string;
  readonly #rig: Rig;
  readonly #main: string;
  readonly #grace: string;

  constructor(rig: Rig, main: string, directory: string, grace: string) {
    this.#rig = rig;
    this.#main = main;
    this.#grace = grace;
    this.log = join(directory, 'mail.log');
    this.map = join(directory, 'map');
  }

  get mapFile(): string {
    return `${this.map}.lmdb`;
  }

  start(): Daemon {
    return startDaemon(this.#rig, process.execPath, [
      this.#main,
      ...['--watchlog', this.log, '--map', `lmdb:${this.map}`, '--mynetworks', 'none'],
      ...['--exclude', 'none', '--grace', this.#grace, '--max-grants', '2000000'],
      ...['--logto', `${this.map}.log`],
    ]);
  }

  /** Milliseconds from the write of a login to its row. */
  async latency(ip: string): Promise<number> {
    const reader = await this.reader();
    const start = performance.now();
    appendFileSync(this.log, login(new Date().toISOString(), ip));
    while (!(await reader.has(ip))) await sleep(1);
    const took = performance.now() - start;
    await reader.close();
    return took;
  }

  reader(): Promise<MapReader> {
    return waitFor('the map', () => readMap(this.mapFile).catch(() => undefined));
  }

  /** Appends logins of new addresses at an even rate; looks how long one in each step takes to be seen. */
  async load(seconds: number): Promise<number[]> {
    const reader = await this.reader();
    const times: number[] = [];
    const steps = (seconds * 1000) / STEP_MS;
    const perStep = (PER_SECOND * STEP_MS) / 1000;
    const start = performance.now();
    for (let step = 0; step < steps; step++) {
      const stamp = new Date().toISOString();
      let lines = '';
      for (let index = 0; index < perStep; index++)
        lines += login(stamp, addressOf(step * perStep + index));
      const written = performance.now();
      appendFileSync(this.log, lines);
      const last = addressOf((step + 1) * perStep - 1);
      const next = start + (step + 1) * STEP_MS;
      while (!(await reader.has(last))) await sleep(1);
      times.push(performance.now() - written);
      await sleep(Math.max(0, next - performance.now()));
    }
    await reader.close();
    return times;
  }
}

/** The longest time for which a reader, who waits as Postfix does, was kept waiting, until all is done; in milliseconds. */
async function longestWait(path: string, allDone: Promise<unknown>): Promise<number> {
  const fd = openSync(path, 'r');
  let longest = 0;
  let done = false;
  const end = allDone.finally(() => {
    done = true;
  });
  while (!done) {
    const start = performance.now();
    const held = await lock(fd, 'shared');
    longest = Math.max(longest, performance.now() - start);
    held.release();
    await nextTurn();
  }
  await end;
  closeSync(fd);
  return longest;
}

/**
 * @param main the program
 * @param seconds for which there are PER_SECOND logins, each from a new address
 */
export async function scale(rig: Rig, main: string, seconds: number): Promise<Figure[]> {
  const host = new Host(rig, main, await rig.directory(), '1h');
  makeLog(host.log, { lines: LINES_BEFORE, seed: 3, start: 1_795_000_000, rate: 500 });
  const daemon = host.start();
  await host.latency('192.0.2.1');
  const before = processorTime(daemon);
  const times = await host.load(seconds);
  const used = processorTime(daemon) - before;
  const rows = (await readRows({ type: 'lmdb', path: host.map })).length;
  const resident = memoryOf(daemon, 'VmRSS');
  const peak = memoryOf(daemon, 'VmHWM');
  await daemon.stop();
  const start = performance.now();
  const again = host.start();
  await host.latency('192.0.2.2');
  const restart = performance.now() - start;
  await again.stop();
  return [
    {
      name: `${PER_SECOND} logins/s for ${seconds} s: lost`,
      value: PER_SECOND * seconds + 1 - rows,
      unit: '',
    },
    { name: '  to the row, median', value: quantile(times, 0.5), unit: 'ms' },
    { name: '  to the row, 99 %', value: quantile(times, 0.99), unit: 'ms' },
    { name: '  of a processor', value: (100 * used) / (seconds * 1000), unit: '%' },
    { name: `${rows} live grants: resident`, value: resident, unit: 'MiB' },
    { name: '  at most', value: peak, unit: 'MiB' },
    { name: '  start to the next row', value: restart, unit: 'ms' },
    ...(await expiry(rig, main)),
  ];
}

/** How long a reader waits for the lock when many grants end in one moment. */
async function expiry(rig: Rig, main: string): Promise<Figure[]> {
  const host = new Host(rig, main, await rig.directory(), `${SHORT_GRACE}s`);
  writeFileSync(host.log, '');
  const daemon = host.start();
  await host.latency('192.0.2.1');
  const stamp = new Date().toISOString();
  appendFileSync(
    host.log,
    Array.from({ length: EXPIRING }, (_, index) => login(stamp, addressOf(index))).join(''),
  );
  const reader = await host.reader();
  const last = addressOf(EXPIRING - 1);
  while (!(await reader.has(last))) await sleep(100);
  const ended = async (): Promise<void> => {
    while (await reader.has(last)) await sleep(50);
  };
  const wait = await longestWait(host.mapFile, ended());
  await reader.close();
  await daemon.stop();
  return [{ name: `${EXPIRING} grants end at once: wait for the lock`, value: wait, unit: 'ms' }];
}
