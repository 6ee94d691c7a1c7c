/**
 * `npm run bench`: how fast and how light popbsmtp is, beside grep and other programs of the kind, and with
 * `-- --against REVISION` beside another revision of this repository, part by part; `--only PART` measures one of them.
 *
 * Makes its own logs, runs everything by turns, and writes the same as JSON to dist/bench.json.  Nothing here fails because a
 * machine is slow.  The floor of a figure is what cannot be done for less: grep's for a log, an empty Node's for a start or an idle
 * daemon, and a bare watcher's for a login.
 * Arguments besides: the number of lines (2,000,000), of rounds (5), and of seconds under load (60).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN } from '../real/popbsmtp.ts';
import { mustRun } from '../real/processes.ts';
import { findProgram } from '../real/programs.ts';
import { Rig } from '../real/rig.ts';
import { type Figure, idleDaemon, idleNode } from './idle.ts';
import { matchKinds } from './kinds.ts';
import { bareLatency, daemonLatency } from './latency.ts';
import { makeLog } from './log-maker.ts';
import { argumentsOf, mainOf } from './revision.ts';
import { scale } from './scale.ts';
import { startTimes } from './start.ts';
import { formatTable, type Row, rowsOf } from './table.ts';
import { type Command, interleaved, median, quantile, type Run, timed } from './timing.ts';

const { revision, only, numbers } = argumentsOf(process.argv.slice(2));
const [LINES = 2_000_000, ROUNDS = 5, SECONDS = 60] = numbers;
const SEED = 7;
const FEW = 200_000;
/** In each log of another kind. */
const KIND_LINES = 500;
/** How much longer the log is on which memory must not depend. */
const LONGER = 10;
const GREP = 'grep -Pc';
const NODE = 'node -e 0';

/** One anchored expression for Dovecot's logins. */
const EXPRESSION =
  String.raw`^\S+ \S+ dovecot(?:\[\d+\])?: (?:imap|pop3)-login: Login: user=<[^<>]+>, ` +
  String.raw`(?:method=[\w-]+, )?rip=[0-9a-fA-F:.]+, [^<>]*(?:<[^<>]*>)?$`;
const FAIL2BAN = String.raw`dovecot: (?:imap|pop3)-login: Login: user=<[^<>]+>, method=[\w-]+, rip=<HOST>, `;

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-bench-'));
const log = join(directory, 'mail.log');
const few = join(directory, 'few.log');
const long = join(directory, 'long.log');

/** What is measured of popbsmtp: a name, its arguments, and whose time is its floor. */
type Task = readonly [name: string, floor: string, ...args: string[]];

const replay = (file: string): string[] => [
  ...['replay', file, '--map', `lmdb:${join(directory, 'map')}`, '--mynetworks', 'none'],
];

const tasks = (): Task[] => [
  ['match --count', GREP, 'match', '--count', log],
  ['match --json', GREP, 'match', '--json', log],
  ['match --count, a tenth', GREP, 'match', '--count', few],
  ['match --count, many kinds of logs', GREP, ...matchKinds(join(directory, 'kinds'), KIND_LINES)],
  ['replay', GREP, ...replay(log)],
  ['list', NODE, 'list', '--map', `lmdb:${join(directory, 'map')}`],
  ['--version', NODE, '--version'],
];

const longTasks: readonly Task[] = [
  [`match --count, ${LONGER} times the log`, GREP, 'match', '--count', long],
  [`replay, ${LONGER} times the log`, GREP, ...replay(long)],
];

function peers(): Command[] {
  const env = { LC_ALL: 'C' };
  const grep = ['-Pc', EXPRESSION, log];
  const programs: Command[] = [
    { name: GREP, program: 'grep', args: grep, env, toPipe: true },
    { name: 'rg -c', program: 'rg', args: ['-c', EXPRESSION, log], toPipe: true },
    { name: 'fail2ban-regex, a tenth', program: 'fail2ban-regex', args: [few, FAIL2BAN] },
  ];
  return [
    { name: NODE, program: process.execPath, args: ['-e', '0'] },
    ...programs.filter(({ program }) => findProgram(program) !== null),
  ];
}

const nameFor = (name: string, main: string): string => `${name} ${main}`;

const commandOf = ([name, , ...args]: Task, main: string): Command => ({
  name: nameFor(name, main),
  program: process.execPath,
  args: [main, ...args],
});

/** The rows of what was run as a command, of all programs. */
function commandRows(
  [name, floor]: Task,
  mains: readonly string[],
  runs: ReadonlyMap<string, Run>,
): Row[] {
  const own = mains.map(main => runs.get(nameFor(name, main)));
  const least = runs.get(floor);
  return rowsOf(
    own.map(run => figuresOf(name, run)),
    least === undefined ? [] : figuresOf(floor, least),
  );
}

const figuresOf = (name: string, run: Run | undefined): Figure[] => [
  { name, value: run?.seconds ?? Number.NaN, unit: 's' },
  { name: '  memory at most', value: run?.peakMiB ?? Number.NaN, unit: 'MiB' },
];

const latencies = (times: readonly number[]): Figure[] => [
  { name: 'a login, to its row: median', value: median(times), unit: 'ms' },
  { name: '  99 %', value: quantile(times, 0.99), unit: 'ms' },
];

const START = 1_795_000_000;

/** What is measured of logs: by turns, and once of one so long that memory must not depend on it. */
async function logRows(mains: readonly string[]): Promise<Row[]> {
  makeLog(log, { lines: LINES, seed: SEED, start: START, rate: 500 });
  makeLog(few, { lines: Math.min(FEW, LINES), seed: SEED, start: START, rate: 500 });
  const short = tasks();
  const others = peers();
  const commands = short.flatMap(task => mains.map(main => commandOf(task, main)));
  const runs = await interleaved([...others, ...commands], ROUNDS);
  return [
    ...others.flatMap(({ name }) => rowsOf([figuresOf(name, runs.get(name))], [])),
    ...short.flatMap(task => commandRows(task, mains, runs)),
  ];
}

async function longRows(mains: readonly string[]): Promise<Row[]> {
  const runs = new Map<string, Run>();
  makeLog(long, { lines: LONGER * LINES, seed: SEED, start: START, rate: 500 });
  for (const task of longTasks)
    for (const command of mains.map(main => commandOf(task, main)))
      runs.set(command.name, await timed(command));
  rmSync(long);
  return longTasks.flatMap(task => commandRows(task, mains, runs));
}

async function startRows(rig: Rig, mains: readonly string[]): Promise<Row[]> {
  const node = await timed({ name: NODE, program: process.execPath, args: ['-e', '0'] });
  const starts = await startTimes(rig, ROUNDS, mains);
  const started = starts.map((times): Figure[] => [
    { name: 'run, to the first followed line', value: median(times), unit: 's' },
  ]);
  return rowsOf(started, figuresOf(NODE, node));
}

/** All parts, by the names with which one alone can be asked for. */
const PARTS: Readonly<
  Record<string, (rig: Rig, mains: readonly string[]) => Promise<readonly Row[]>>
> = {
  logs: (_, mains) => logRows(mains),
  'long-log': (_, mains) => longRows(mains),
  start: startRows,
  idle: async (rig, mains) =>
    rowsOf(await each(mains, main => idleDaemon(rig, main)), await idleNode(rig)),
  latency: async (rig, mains) =>
    rowsOf(
      await each(mains, async main => latencies(await daemonLatency(rig, main))),
      latencies(await bareLatency(rig)),
    ),
  scale: async (rig, mains) => rowsOf(await each(mains, main => scale(rig, main, SECONDS)), []),
};

async function each<T>(mains: readonly string[], of: (main: string) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (const main of mains) all.push(await of(main));
  return all;
}

/** Tells each part as soon as it is measured: all of them, against another revision, take an hour. */
async function bench(rig: Rig): Promise<void> {
  const mains = [MAIN, ...(revision === null ? [] : [await mainOf(revision, directory)])];
  const facts = { node: process.version, cpus: cpus().length, lines: LINES, rounds: ROUNDS };
  process.stdout.write(
    `${LINES} lines, medians of ${ROUNDS} runs, ${facts.cpus} processors, Node ${facts.node}\n`,
  );
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (only !== null && name !== only) continue;
    const measured = await measure(rig, mains);
    process.stdout.write(`\n${formatTable(measured, revision)}`);
    rows.push(...measured);
    const report = { ...facts, against: revision, rows };
    writeFileSync(
      join(import.meta.dirname, '../../bench.json'),
      `${JSON.stringify(report, null, 2)}\n`,
    );
  }
}

const rig = new Rig();
try {
  await mustRun('grep', ['--version']);
  await bench(rig);
} finally {
  await rig.close();
  rmSync(directory, { recursive: true, force: true });
}
