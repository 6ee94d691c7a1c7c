/**
 * `npm run bench:fleet`: what the way through the fleet costs, and with `-- --against REVISION` beside another revision of this
 * repository, by turns.
 *
 * Host A publishes, B and C subscribe, through one Redis: how long a login takes from A's log to the rows of B and C, what
 * a login weighs in the stream and on the wire, how the hosts fare under 10,000 logins a second, each of a new address, and what many
 * subscribers cost the engine; and how long a posting is in an outbox of few and of many.
 * Arguments besides: seconds under load (30), single logins (500), logins a second under load (10,000), subscribers (2), rounds (1),
 * seconds of many subscribers (10).
 * Nothing here fails because a machine is slow.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../src/control/client.ts';
import { Outbox } from '../../src/fleet/outbox.ts';
import { pauseFor } from '../../src/fleet/subscriber.ts';
import { MAIN } from '../real/popbsmtp.ts';
import { freePort } from '../real/ports.ts';
import { type Daemon, startDaemon } from '../real/processes.ts';
import { Redis } from '../real/redis.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { type MapReader, readMap } from './map-reader.ts';
import { startReaders } from './readers.ts';
import { argumentsOf, mainOf } from './revision.ts';
import { median, quantile } from './timing.ts';

const { revision: REVISION, numbers } = argumentsOf(process.argv.slice(2));
const [
  SECONDS = 30,
  SINGLE = 500,
  PER_SECOND = 10_000,
  SUBSCRIBERS = 2,
  ROUNDS = 1,
  CROWD_SECONDS = 10,
] = numbers;
const CROWD = 200;
const CROWD_PER_SECOND = 100;
const [FEW, MANY] = [100, 100_000];
const OUTBOX_ROUNDS = 5;
const STEP_MS = 20;
const SINGLE_EACH_MS = 10;
/** Clock ticks of proc_pid_stat(5). */
const TICK_MS = 10;

const addressOf = (number: number): string =>
  `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

const loginLine = (stamp: string, number: number): string =>
  `${stamp} mx dovecot: imap-login: Login: user=<user${number % 5000}@example.org>, method=PLAIN, ` +
  `rip=${addressOf(number)}, lip=192.0.2.5, mpid=4711, TLS, session=<s${number}>\n`;

/** What is measured. */
interface Variant {
  readonly name: string;
  readonly main: string;
  /** More of the command line. */
  readonly more: readonly string[];
  /** Between two answers to one of its subscribers. */
  readonly pauseMs: number;
}

class Host {
  readonly map: string;
  readonly log: string;
  readonly daemon: Daemon;

  constructor(
    rig: Rig,
    { main, more }: Variant,
    directory: string,
    { name, redis, role }: { name: string; redis: Redis; role: string },
  ) {
    this.map = join(directory, name);
    this.log = join(directory, `${name}.log`);
    const watch = role === 'publish' ? ['--watchlog', this.log] : [];
    if (role === 'publish') writeFileSync(this.log, '');
    this.daemon = startDaemon(rig, process.execPath, [
      ...[main, 'run', ...watch, '--map', `lmdb:${this.map}`, '--mynetworks', 'none'],
      ...['--exclude', 'none', '--max-grants', '2000000', '--logto', `${this.map}.popbsmtp`],
      ...['--fleet', redis.url, '--fleet-role', role, '--fleet-name', name, ...more],
    ]);
  }

  async ready(): Promise<void> {
    await waitFor('the fleet', async () => {
      if (!this.daemon.running) throw new Error(this.daemon.transcript());
      const status = await ask({ type: 'lmdb', path: this.map }, { command: 'status' });
      return status?.fleet?.connected;
    });
  }

  reader(): Promise<MapReader> {
    return readMap(`${this.map}.lmdb`);
  }

  async grants(): Promise<number> {
    return (await ask({ type: 'lmdb', path: this.map }, { command: 'status' }))?.grants ?? 0;
  }
}

/** What was measured, by what it is called; a number for each round. */
type Figures = Map<string, number[]>;

function note(figures: Figures, name: string, figure: number): void {
  figures.set(name, [...(figures.get(name) ?? []), figure]);
}

function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Milliseconds from the write of the line to the rows of all readers. */
async function seen(readers: readonly MapReader[], number: number, since: number): Promise<number> {
  for (const reader of readers) while (!(await reader.has(addressOf(number)))) await sleep(1);
  return performance.now() - since;
}

async function single(a: Host, readers: readonly MapReader[]): Promise<number[]> {
  const times: number[] = [];
  for (let number = 0; number < SINGLE; number++) {
    const since = performance.now();
    appendFileSync(a.log, loginLine(new Date().toISOString(), number));
    times.push(await seen(readers, number, since));
    await sleep(SINGLE_EACH_MS);
  }
  return times;
}

async function load(a: Host, readers: readonly MapReader[]): Promise<number[]> {
  const times: number[] = [];
  const steps = (SECONDS * 1000) / STEP_MS;
  const perStep = (PER_SECOND * STEP_MS) / 1000;
  const start = performance.now();
  let pending: Promise<unknown> | null = null;
  for (let step = 0; step < steps; step++) {
    const stamp = new Date().toISOString();
    let lines = '';
    for (let index = 0; index < perStep; index++)
      lines += loginLine(stamp, SINGLE + step * perStep + index);
    const since = performance.now();
    appendFileSync(a.log, lines);
    // The next step is not kept waiting by one that takes long to be seen.
    pending ??= seen(readers, SINGLE + (step + 1) * perStep - 1, since).then(took => {
      times.push(took);
      pending = null;
    });
    await sleep(Math.max(0, start + (step + 1) * STEP_MS - performance.now()));
  }
  await pending;
  return times;
}

async function memory(redis: Redis): Promise<number> {
  return Number((await redis.cli('memory', 'usage', 'popbsmtp:grants', 'samples', '0')).trim());
}

/** Bytes that the engine has sent so far. */
async function sentBytes(redis: Redis): Promise<number> {
  const [, bytes = '0'] =
    /^total_net_output_bytes:(\d+)/m.exec(await redis.cli('info', 'stats')) ?? [];
  return Number(bytes);
}

/** What an engine has to do for many subscribers. */
async function manySubscribers(rig: Rig, variant: Variant, figures: Figures): Promise<void> {
  const redis = await Redis.start(rig, await freePort());
  const a = new Host(rig, variant, await rig.directory(), { name: 'a', redis, role: 'publish' });
  await a.ready();
  const readers = await startReaders(redis.port, CROWD, variant.pauseMs);
  const before = processorTime(redis.pid);
  const start = performance.now();
  const logins = CROWD_SECONDS * CROWD_PER_SECOND;
  for (let number = 0; number < logins; number++) {
    appendFileSync(a.log, loginLine(new Date().toISOString(), number));
    await sleep(Math.max(0, start + ((number + 1) * 1000) / CROWD_PER_SECOND - performance.now()));
  }
  const used = processorTime(redis.pid) - before;
  const answers = readers.answers();
  readers.close();
  await a.daemon.stop();
  const what = `${CROWD_PER_SECOND} logins/s to ${CROWD} readers: engine`;
  note(figures, `${what}, of a processor, %`, used / CROWD_SECONDS / 10);
  note(figures, '  an answer to a reader, us', (1000 * used) / answers);
  note(figures, '  a login and reader, us', (1000 * used) / logins / CROWD);
}

async function bench(rig: Rig, variant: Variant, figures: Figures): Promise<void> {
  const directory = await rig.directory();
  const redis = await Redis.start(rig, await freePort());
  const a = new Host(rig, variant, directory, { name: 'a', redis, role: 'publish' });
  const others = Array.from(
    { length: SUBSCRIBERS },
    (_, at) => new Host(rig, variant, directory, { name: `s${at}`, redis, role: 'subscribe' }),
  );
  const hosts = [a, ...others];
  for (const host of hosts) await host.ready();
  const readers = await Promise.all(others.map(host => host.reader()));
  const alone = await single(a, readers);
  note(figures, 'a login, log of A to all maps: median, ms', quantile(alone, 0.5));
  note(figures, '  99 %, ms', quantile(alone, 0.99));
  const pids = [...hosts.map(host => host.daemon.pid), redis.pid];
  const before = pids.map(processorTime);
  const sent = await sentBytes(redis);
  const loaded = await load(a, readers);
  const total = SINGLE + SECONDS * PER_SECOND;
  for (const host of others)
    await waitFor('all grants', async () => (await host.grants()) >= total, {
      seen: async () => String(await host.grants()),
    });
  const used = pids.map((pid, at) => processorTime(pid) - (before[at] ?? 0));
  const logins = SECONDS * PER_SECOND;
  const what = `${PER_SECOND} logins/s for ${SECONDS} s`;
  note(figures, `${what}: median, ms`, quantile(loaded, 0.5));
  note(figures, `${what}: 99 %, ms`, quantile(loaded, 0.99));
  note(figures, '  publisher, of a processor, %', (used[0] ?? 0) / SECONDS / 10);
  note(figures, '  a subscriber, of a processor, %', (used[1] ?? 0) / SECONDS / 10);
  const engine = used.at(-1) ?? 0;
  note(figures, '  engine, of a processor, %', engine / SECONDS / 10);
  note(figures, '  engine, a login and subscriber, us', (1000 * engine) / logins / SUBSCRIBERS);
  const bytes = (await sentBytes(redis)) - sent;
  note(figures, '  bytes to a subscriber, a login', bytes / logins / SUBSCRIBERS);
  note(figures, '  bytes in memory, a login', (await memory(redis)) / total);
  for (const reader of readers) await reader.close();
  for (const host of hosts) await host.daemon.stop();
}

/** Nanoseconds for a posting, in and out, with so many that wait. */
function outboxTime(waiting: number): number {
  const outbox = new Outbox<number>(2 * waiting);
  for (let number = 0; number < waiting; number++) outbox.add(`first ${number}`, number, 0);
  const start = performance.now();
  for (let number = 0; number < MANY; number++) {
    for (const one of outbox.first(1)) outbox.settle(one);
    outbox.isPast(number);
    outbox.add(`more ${number}`, number, 1);
  }
  return ((performance.now() - start) * 1e6) / MANY;
}

function table(variants: ReadonlyMap<string, Figures>): void {
  const names = [...(variants.values().next().value?.keys() ?? [])];
  const row = (first: string, cells: readonly string[]): void =>
    void process.stdout.write(
      `${first.padEnd(54)}${cells.map(cell => cell.padStart(14)).join('')}\n`,
    );
  row('', [...variants.keys()]);
  for (const name of names) {
    const figures = [...variants.values()].map(all => median(all.get(name) ?? []));
    const [first = 0, second] = figures;
    const ratio = second === undefined ? [] : [`${(first / second).toFixed(2)} x`];
    row(name, [...figures.map(figure => figure.toPrecision(3)), ...ratio]);
  }
}

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-bench-'));
try {
  const variants: Variant[] = [
    { name: 'this tree', main: MAIN, more: ['--fleet-format', '2'], pauseMs: pauseFor(CROWD) },
  ];
  if (REVISION !== null)
    variants.push({
      ...{ name: REVISION, main: await mainOf(REVISION, directory) },
      ...{ more: [], pauseMs: 0 },
    });
  const found = new Map(variants.map(({ name }) => [name, new Map<string, number[]>()]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const variant of variants) {
      const figures = found.get(variant.name) ?? new Map<string, number[]>();
      const rig = new Rig();
      try {
        await bench(rig, variant, figures);
        if (CROWD_SECONDS > 0) await manySubscribers(rig, variant, figures);
      } finally {
        await rig.close();
      }
    }
  }
  table(found);
  for (const waiting of [FEW, MANY]) {
    const best = Math.min(...Array.from({ length: OUTBOX_ROUNDS }, () => outboxTime(waiting)));
    process.stdout.write(`an outbox of ${waiting}: ${best.toFixed(0)} ns for a posting\n`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
