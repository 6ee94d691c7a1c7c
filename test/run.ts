/**
 * Runs the tests: all of them, or those whose path contains an argument.
 *
 * One process a file, so that no test meets the state of another, and several at once, since most of their time they
 * wait.  A file that starts real programs (test/real) runs isolated, so that it has the syslog socket and every port to
 * itself; where that cannot be done (it takes root), these run one after the other on the machine as it is.
 * What a file prints comes as one block when it has ended; failures are printed once more at the end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isolated, whyNotIsolated } from './isolation.ts';
import { countFile, formatTally, readOutput, sum, type Told } from './tally.ts';

/** The files that take longest, longest first: started first, so that none is left alone at the end. */
const LONG: readonly string[] = [
  'real/year',
  'real/fleet-loss',
  'real/fleet-sentinel',
  'real/fleet-clock',
  'real/package',
  'real/faults',
  'real/service',
  'real/doctor-service',
  'real/fleet',
  'real/end-to-end',
  'real/mynetworks',
  'real/map-commands',
  'real/map-types',
  'real/solid-pop3d',
  'real/popa3d',
  'real/relay-by-type',
  'real/courier',
  'real/cyrus',
];

/** More than the processors: real servers and grants that end are mostly waited for. */
const AT_ONCE = availableParallelism() + 2;

interface Outcome extends Told {
  readonly name: string;
  readonly seconds: number;
  /** The exit status, or the signal. */
  readonly ended: number | NodeJS.Signals | null;
}

const built = import.meta.dirname;
/** Listed in the source tree, so that what a deleted test once compiled to is not run. */
const sources = join(built, '../../test');
const wanted = process.argv.slice(2);
const names = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.test.ts'))
  .filter(name => wanted.length === 0 || wanted.some(part => name.includes(part)))
  .map(name => name.replace(/\.test\.ts$/, ''))
  .sort();

const isReal = (name: string): boolean => name.startsWith('real/');

const rank = (name: string): number =>
  LONG.includes(name) ? LONG.indexOf(name) : LONG.length + (isReal(name) ? 0 : 1);

const scratch = mkdtempSync(join(tmpdir(), 'popbsmtp-tests-'));
// Servers enter it with accounts of their own.
chmodSync(scratch, 0o755);
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM');
  rmSync(scratch, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

async function runFile(name: string, alone: boolean): Promise<Outcome> {
  const node = [process.execPath, '--test-reporter=spec', join(built, `${name}.test.js`)];
  const [command = '', ...args] = alone
    ? isolated(mkdtempSync(join(scratch, 'file-')), node)
    : node;
  const from = performance.now();
  // Colours would stand in the counts.
  const env = { ...process.env, FORCE_COLOR: undefined };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const ended = new Promise<Outcome['ended']>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const told = readOutput(output);
  running.delete(child);
  return {
    ...told,
    name,
    body: `${told.body}${errors}`,
    ended: await ended,
    seconds: (performance.now() - from) / 1000,
  };
}

const outcomes: Outcome[] = [];

/** Runs files until none is left, so many at once. */
async function runFiles(files: readonly string[], atOnce: number, alone: boolean): Promise<void> {
  const waiting = [...files];
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const outcome = await runFile(name, alone && isReal(name));
      outcomes.push(outcome);
      const { ended, seconds, body } = outcome;
      const status = ended === 0 ? '' : `, ended with ${ended}`;
      process.stdout.write(`\n${name} (${seconds.toFixed(1)} s${status})\n${body}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

function report(): void {
  const bad = outcomes.filter(({ ended, tally }) => ended !== 0 || tally === null);
  const tallies = outcomes.map(({ ended, tally }) => countFile(tally, ended === 0));
  process.stdout.write(`\n${formatTally(sum(tallies))}`);
  process.stdout.write(`ℹ files ${outcomes.length}\n`);
  process.stdout.write(`ℹ duration_ms ${Math.round(performance.now())}\n`);
  for (const { name, ended, failures, tally } of bad) {
    const end =
      tally === null ? `ended with ${ended} before its tests did\n` : `ended with ${ended}\n`;
    process.stdout.write(`\n✖ ${name}\n${failures === '' ? end : failures}`);
  }
  if (bad.length > 0) process.exitCode = 1;
}

if (names.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(' ')}\n`);
  process.exit(64);
}
const inOrder = names.toSorted((one, other) => rank(one) - rank(other));
const reason = names.some(isReal) ? whyNotIsolated(mkdtempSync(join(scratch, 'try-'))) : null;
if (reason === null) {
  await runFiles(inOrder, AT_ONCE, true);
} else {
  process.stderr.write(`test/real runs one file after the other: ${reason}\n`);
  await runFiles(
    inOrder.filter(name => !isReal(name)),
    AT_ONCE,
    false,
  );
  await runFiles(inOrder.filter(isReal), 1, false);
}
report();
