/**
 * `npm run bench`: how fast popbsmtp is, beside grep and other programs of the kind, in one run.
 *
 * Makes its own logs, runs everything by turns, prints a table of medians and of ratios to grep, then what a daemon
 * does under load, and writes the same as JSON to dist/bench.json.  Nothing here fails because a machine is slow.
 * Arguments: the number of lines (2,000,000), of rounds (5), and of seconds under load (60).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN } from '../real/popbsmtp.ts';
import { mustRun } from '../real/processes.ts';
import { findProgram } from '../real/programs.ts';
import { Rig } from '../real/rig.ts';
import { matchKinds } from './kinds.ts';
import { bareLatency, daemonLatency } from './latency.ts';
import { makeLog } from './log-maker.ts';
import { type Figure, scale } from './scale.ts';
import { startTimes } from './start.ts';
import { type Command, interleaved, median, quantile, timed } from './timing.ts';

const LINES = Number(process.argv[2] ?? 2_000_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const SECONDS = Number(process.argv[4] ?? 60);
const SEED = 7;
const FEW = 200_000;
/** In each log of another kind. */
const KIND_LINES = 500;
/** How much longer the log is on which memory must not depend. */
const LONGER = 10;

/** One anchored expression for Dovecot's logins. */
const EXPRESSION =
  String.raw`^\S+ \S+ dovecot(?:\[\d+\])?: (?:imap|pop3)-login: Login: user=<[^<>]+>, ` +
  String.raw`(?:method=[\w-]+, )?rip=[0-9a-fA-F:.]+, [^<>]*(?:<[^<>]*>)?$`;
const FAIL2BAN = String.raw`dovecot: (?:imap|pop3)-login: Login: user=<[^<>]+>, method=[\w-]+, rip=<HOST>, `;

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-bench-'));
const log = join(directory, 'mail.log');
const few = join(directory, 'few.log');
const long = join(directory, 'long.log');

const popbsmtp = (name: string, ...args: string[]): Command => ({
  name,
  program: process.execPath,
  args: [MAIN, ...args],
});

const replay = (name: string, file: string): Command =>
  popbsmtp(name, 'replay', file, '--map', `lmdb:${join(directory, 'map')}`, '--mynetworks', 'none');

function commands(): Command[] {
  const peers: Command[] = [
    {
      name: 'grep -Pc',
      program: 'grep',
      args: ['-Pc', EXPRESSION, log],
      env: { LC_ALL: 'C' },
      toPipe: true,
    },
  ];
  if (findProgram('rg') !== null) {
    peers.push({ name: 'rg -c', program: 'rg', args: ['-c', EXPRESSION, log], toPipe: true });
  }
  if (findProgram('fail2ban-regex') !== null) {
    peers.push({
      name: 'fail2ban-regex, a tenth',
      program: 'fail2ban-regex',
      args: [few, FAIL2BAN],
    });
  }
  return [
    ...peers,
    popbsmtp('match --count', 'match', '--count', log),
    popbsmtp('match --json', 'match', '--json', log),
    popbsmtp('match --count, a tenth', 'match', '--count', few),
    matchKinds(join(directory, 'kinds'), KIND_LINES),
    replay('replay', log),
    { name: 'node -e 0', program: process.execPath, args: ['-e', '0'] },
    popbsmtp('--version', '--version'),
  ];
}

const fixed = (value: number, digits: number): string => value.toFixed(digits);

async function bench(): Promise<void> {
  const start = 1_795_000_000;
  makeLog(log, { lines: LINES, seed: SEED, start, rate: 500 });
  makeLog(few, { lines: Math.min(FEW, LINES), seed: SEED, start, rate: 500 });
  const runs = await interleaved(commands(), ROUNDS);
  const rig = new Rig();
  runs.set('start, to follow the log', {
    seconds: median(await startTimes(rig, ROUNDS)),
    peakMiB: Number.NaN,
  });
  makeLog(long, { lines: LONGER * LINES, seed: SEED, start, rate: 500 });
  for (const command of [
    popbsmtp(`match --count, ${LONGER} times the log`, 'match', '--count', long),
    replay(`replay, ${LONGER} times the log`, long),
  ])
    runs.set(command.name, await timed(command));
  rmSync(long);
  const grep = runs.get('grep -Pc')?.seconds ?? Number.NaN;
  const live = await daemonLatency(rig);
  const bare = await bareLatency(rig);
  const figures = await scale(rig, SECONDS);
  await rig.close();
  const results = [...runs].map(([name, { seconds, peakMiB }]) => ({
    name,
    seconds,
    ratio: seconds / grep,
    peakMiB,
  }));
  const latency = [
    { name: 'write to row in the map', median: median(live), p99: quantile(live, 0.99) },
    { name: 'write, wake up and read', median: median(bare), p99: quantile(bare, 0.99) },
  ];
  print(results, latency, figures);
  const report = {
    node: process.version,
    cpus: cpus().length,
    lines: LINES,
    rounds: ROUNDS,
    results,
    latency,
    figures,
  };
  writeFileSync(
    join(import.meta.dirname, '../../bench.json'),
    `${JSON.stringify(report, null, 2)}\n`,
  );
}

/** Of the first column. */
const WIDTH = 44;

function print(
  results: readonly { name: string; seconds: number; ratio: number; peakMiB: number }[],
  latency: readonly { name: string; median: number; p99: number }[],
  figures: readonly Figure[],
): void {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(
    `${LINES} lines, medians of ${ROUNDS} runs, ${cpus().length} processors, Node ${process.version}\n`,
  );
  say(
    `${'command'.padEnd(WIDTH)}${'seconds'.padStart(10)}${'to grep'.padStart(10)}${'peak MiB'.padStart(10)}`,
  );
  for (const { name, seconds, ratio, peakMiB } of results) {
    say(
      name.padEnd(WIDTH) +
        fixed(seconds, 3).padStart(10) +
        fixed(ratio, 2).padStart(10) +
        fixed(peakMiB, 0).padStart(10),
    );
  }
  say(`\n${'a login, live'.padEnd(WIDTH)}${'median ms'.padStart(10)}${'99 % ms'.padStart(10)}`);
  for (const { name, median: middle, p99 } of latency) {
    say(name.padEnd(WIDTH) + fixed(middle, 3).padStart(10) + fixed(p99, 3).padStart(10));
  }
  say('');
  for (const { name, value, unit } of figures)
    say(`${name.padEnd(WIDTH)}${fixed(value, 2).padStart(20)} ${unit}`);
}

try {
  await mustRun('grep', ['--version']);
  await bench();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
