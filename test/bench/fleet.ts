/**
 * `npm run bench:fleet`: what the way through the fleet costs.
 *
 * Host A publishes, B and C subscribe, through one Redis: how long a login takes from A's log to the rows of B and C, what
 * a login weighs in the stream, how the hosts fare under 10,000 logins a second, each of a new address, and what many
 * subscribers cost the engine.
 * Arguments: seconds under load (30), single logins (500), logins a second under load (10,000), subscribers (2).
 * Nothing here fails because a machine is slow.
 */
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../src/control/client.ts';
import { MAIN } from '../real/popbsmtp.ts';
import { freePort } from '../real/ports.ts';
import { type Daemon, startDaemon } from '../real/processes.ts';
import { Redis } from '../real/redis.ts';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { type MapReader, readMap } from './map-reader.ts';
import { quantile } from './timing.ts';

const SECONDS = Number(process.argv[2] ?? 30);
const SINGLE = Number(process.argv[3] ?? 500);
const PER_SECOND = Number(process.argv[4] ?? 10_000);
const SUBSCRIBERS = Number(process.argv[5] ?? 2);
const CROWD = 200;
const CROWD_PER_SECOND = 100;
const CROWD_SECONDS = 10;
const STEP_MS = 20;
const SINGLE_EACH_MS = 10;
/** Clock ticks of proc_pid_stat(5). */
const TICK_MS = 10;

const addressOf = (number: number): string =>
  `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

const loginLine = (stamp: string, number: number): string =>
  `${stamp} mx dovecot: imap-login: Login: user=<user${number % 5000}@example.org>, method=PLAIN, ` +
  `rip=${addressOf(number)}, lip=192.0.2.5, mpid=4711, TLS, session=<s${number}>\n`;

class Host {
  readonly map: string;
  readonly log: string;
  readonly daemon: Daemon;

  constructor(rig: Rig, directory: string, name: string, redis: Redis, role: string) {
    this.map = join(directory, name);
    this.log = join(directory, `${name}.log`);
    const watch = role === 'publish' ? ['--watchlog', this.log] : [];
    if (role === 'publish') writeFileSync(this.log, '');
    this.daemon = startDaemon(rig, process.execPath, [
      ...[MAIN, 'run', ...watch, '--map', `lmdb:${this.map}`, '--mynetworks', 'none'],
      ...['--exclude', 'none', '--max-grants', '2000000', '--logto', `${this.map}.popbsmtp`],
      ...['--fleet', redis.url, '--fleet-role', role, '--fleet-name', name],
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

const say = (name: string, value: string): void =>
  void process.stdout.write(`${name.padEnd(52)}${value.padStart(16)}\n`);

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

/** Sockets that are waiting for the next entry all the time, as subscribers do, and make nothing of it. */
async function crowd(port: number, size: number): Promise<{ answers(): number; close(): void }> {
  const question = 'XREAD BLOCK 0 STREAMS popbsmtp:grants $\r\n';
  let answers = 0;
  const sockets = Array.from({ length: size }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    await once(socket, 'connect');
    socket.on('data', () => {
      answers++;
      socket.write(question);
    });
    socket.write(question);
  }
  return {
    answers: () => answers,
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What an engine has to do for many subscribers. */
async function manySubscribers(rig: Rig): Promise<void> {
  const redis = await Redis.start(rig, await freePort());
  const a = new Host(rig, await rig.directory(), 'a', redis, 'publish');
  await a.ready();
  const readers = await crowd(redis.port, CROWD);
  const before = processorTime(redis.pid);
  const start = performance.now();
  for (let number = 0; number < CROWD_SECONDS * CROWD_PER_SECOND; number++) {
    appendFileSync(a.log, loginLine(new Date().toISOString(), number));
    await sleep(Math.max(0, start + ((number + 1) * 1000) / CROWD_PER_SECOND - performance.now()));
  }
  const used = processorTime(redis.pid) - before;
  const answers = readers.answers();
  readers.close();
  say(
    `${CROWD_PER_SECOND} logins/s to ${CROWD} readers: redis, of a processor`,
    `${(used / CROWD_SECONDS / 10).toFixed(0)} %`,
  );
  say('  an answer to a reader', `${((1000 * used) / answers).toFixed(1)} us`);
}

async function bench(rig: Rig): Promise<void> {
  const directory = await rig.directory();
  const redis = await Redis.start(rig, await freePort());
  const a = new Host(rig, directory, 'a', redis, 'publish');
  const others = Array.from(
    { length: SUBSCRIBERS },
    (_, index) => new Host(rig, directory, `s${index}`, redis, 'subscribe'),
  );
  const hosts = [a, ...others];
  for (const host of hosts) await host.ready();
  const readers = await Promise.all(others.map(host => host.reader()));
  const alone = await single(a, readers);
  say(
    `a login, log of A to all ${SUBSCRIBERS} maps: median`,
    `${quantile(alone, 0.5).toFixed(2)} ms`,
  );
  say('  99 %', `${quantile(alone, 0.99).toFixed(2)} ms`);
  const pids = [...hosts.map(host => host.daemon.pid), redis.pid];
  const before = pids.map(processorTime);
  const loaded = await load(a, readers);
  const total = SINGLE + SECONDS * PER_SECOND;
  for (const host of others) {
    await waitFor('all grants', async () => (await host.grants()) >= total, {
      seen: async () => String(await host.grants()),
    }).catch((error: unknown) => say('  not all grants', String(error)));
  }
  say(`${PER_SECOND} logins/s for ${SECONDS} s: median`, `${quantile(loaded, 0.5).toFixed(2)} ms`);
  say('  99 %', `${quantile(loaded, 0.99).toFixed(2)} ms`);
  for (const [index, host] of others.entries())
    say(`  grants of subscriber ${index}, of ${total}`, String(await host.grants()));
  for (const [index, pid] of pids.entries()) {
    const used = (processorTime(pid) - (before[index] ?? 0)) / (SECONDS * 1000);
    const name = ['publisher', ...others.map((_, at) => `subscriber ${at}`), 'redis'][index] ?? '';
    say(`  ${name}: of a processor`, `${(100 * used).toFixed(0)} %`);
  }
  const bytes = (await memory(redis)) / Number((await redis.cli('xlen', 'popbsmtp:grants')).trim());
  say('a login in the stream', `${bytes.toFixed(0)} bytes`);
  for (const reader of readers) await reader.close();
}

const rig = new Rig();
try {
  await bench(rig);
  await manySubscribers(rig);
} finally {
  await rig.close();
}
