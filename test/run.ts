/**
 * Runs the tests with Node's own runner: all of them, or those whose path contains an argument.
 *
 * One process a file, so that no test meets the state of another; files that start real programs
 * (test/real) run one after the other, since they share the machine's /dev/log and its two cores.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const built = import.meta.dirname;
/** Listed in the source tree, so that what a deleted test once compiled to is not run. */
const sources = join(built, '../../test');
const wanted = process.argv.slice(2);
const names = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.test.ts'))
  .filter(name => wanted.length === 0 || wanted.some(part => name.includes(part)))
  .map(name => name.replace(/\.ts$/, '.js'))
  .sort();

const isReal = (name: string): boolean => name.startsWith('real/');

async function runFiles(group: readonly string[], concurrency: number): Promise<void> {
  if (group.length === 0) return;
  const stream = run({ files: group.map(name => join(built, name)), concurrency });
  stream.on('test:fail', () => {
    process.exitCode = 1;
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await finished(report);
}

if (names.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(' ')}\n`);
  process.exitCode = 64;
}
await runFiles(
  names.filter(name => !isReal(name)),
  2,
);
await runFiles(names.filter(isReal), 1);
