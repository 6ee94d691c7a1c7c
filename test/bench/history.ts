/**
 * `npm run bench:history`: what `why` and `report` take of a large history.
 *
 * Nothing here fails because a machine is slow.  Arguments: the number of entries (10,000,000), and of rounds (3).
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN } from '../real/popbsmtp.ts';
import { addressOf, makeHistory, userOf } from './history-maker.ts';
import { type Command, interleaved } from './timing.ts';

const ENTRIES = Number(process.argv[2] ?? 10_000_000);
const ROUNDS = Number(process.argv[3] ?? 3);

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

try {
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
} finally {
  rmSync(directory, { recursive: true, force: true });
}
