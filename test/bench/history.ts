/**
 * `npm run bench:history`: what `why` and `report` take of a large history, how fast a grant that relays too much is closed, and what the
 * history costs a daemon.
 *
 * Nothing here fails because a machine is slow.  Arguments: the number of entries (10,000,000), of rounds (3), and of seconds under load (20); without entries only the daemon is measured.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { closing, type Load, loggingIn, relaying } from './history-costs.ts';
import { addressOf, makeHistory, userOf } from './history-maker.ts';
import { daemonLatency } from './latency.ts';
import { type Command, interleaved, quantile } from './timing.ts';

const ENTRIES = Number(process.argv[2] ?? 10_000_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const SECONDS = Number(process.argv[4] ?? 20);

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-bench-'));
const map = join(directory, 'map');

const command = (name: string, ...args: string[]): Command => ({
  name,
  program: process.execPath,
  args: [MAIN, ...args, '--map', `lmdb:${map}`],
});
const why = (name: string, whom: string, at: string): Command =>
  command(name, 'why', whom, '--at', at, '--mynetworks', 'none');

async function large(): Promise<void> {
  const start = performance.now();
  await makeHistory(`${map}.history`, ENTRIES, Date.now() / 1000);
  const seconds = (performance.now() - start) / 1000;
  const { size } = statSync(`${map}.history`);
  print(
    `${ENTRIES} entries: written in ${seconds.toFixed(1)} s, ${(size / 2 ** 20).toFixed(0)} MiB`,
  );
  const runs = await interleaved(
    [
      why('why ADDRESS, now', addressOf(4711, 0), 'now'),
      why('why ADDRESS, 60 days ago', addressOf(4711, 2), '60d'),
      why('why USER, now', userOf(815), 'now'),
      why('why of a stranger', '192.0.2.1', 'now'),
      command('report, 30 days', 'report', '--since', '30d', '--json'),
      command('report, 90 days', 'report', '--since', '90d', '--json'),
      command('history of one address', 'history', '--address', addressOf(4711, 1)),
    ],
    ROUNDS,
  );
  for (const [name, { seconds: took, peakMiB }] of runs)
    print(
      `${name.padEnd(28)}${took.toFixed(2).padStart(8)} s${peakMiB.toFixed(0).padStart(8)} MiB`,
    );
}

try {
  if (ENTRIES > 0) await large();
  const rig = new Rig();
  const table = (name: string, times: readonly number[]): void => {
    const [half, most] = [quantile(times, 0.5), quantile(times, 0.99)];
    print(`${name.padEnd(36)}median ${half.toFixed(2)} ms, 99% ${most.toFixed(2)} ms`);
  };
  table('too much relayed, to the row gone', await closing(rig));
  const kept: number[] = [];
  const none: number[] = [];
  // By turns, each first as often as the other.
  for (let round = 0; round < 2 * ROUNDS; round++)
    for (const isKept of round % 2 === 0 ? [true, false] : [false, true])
      (isKept ? kept : none).push(
        ...(await daemonLatency(rig, MAIN, isKept ? [] : ['--history', 'none'])),
      );
  table('login to row, with history', kept);
  table('login to row, without', none);
  const load = (name: string, { share, peakMiB }: Load, more = ''): void =>
    print(
      `${name} for ${SECONDS} s: ${(100 * share).toFixed(0)}% of a processor, ${peakMiB.toFixed(0)} MiB${more}`,
    );
  load('20,000 logins/s', await loggingIn(rig, SECONDS));
  load('the same without history', await loggingIn(rig, SECONDS, ['--history', 'none']));
  const relayed = await relaying(rig, SECONDS);
  load('2,000 messages/s', relayed, `, ${(100 * relayed.counted).toFixed(2)}% of them counted`);
  await rig.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
