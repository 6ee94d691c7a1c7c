/**
 * `node dist/bundle/compile.js`: has V8 compile the program for the starts to come (compiled.ts).
 *
 * V8 compiles a function when it is called first, so the program is run: a daemon that reads the log on standard input to
 * its end, with a map in a directory of its own that is gone afterwards.  It is beside the program, so that root becomes at most the account
 * whose program it is (map/privileges.ts), which may write there.
 * Promises: the file is whole or not there; the exit status tells which.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { loadProgram, sealed, startProgram } from './compiled.ts';
import { COMPILED } from './facts.ts';

const bundle = import.meta.dirname;
const file = join(bundle, COMPILED);
rmSync(file, { force: true });
const scratch = mkdtempSync(join(bundle, 'compile-'));
process.argv.splice(
  2,
  Number.POSITIVE_INFINITY,
  ...['run', '--config', '/dev/null', '--patterns', scratch, '--watchlog', '-'],
  ...['--map', `lmdb:${join(scratch, 'map')}`, '--mynetworks', 'none'],
);
const program = loadProgram(bundle);
process.on('exit', status => {
  rmSync(scratch, { recursive: true, force: true });
  if (status !== 0) return;
  // V8 keeps its flags with what it has compiled; this one the program has set meanwhile (cli/heap.ts), and 0 is what it is at a start.
  setFlagsFromString('--heap-growing-percent=0');
  writeFileSync(`${file}.new`, sealed(program.text, program.script.createCachedData()));
  renameSync(`${file}.new`, file);
});
startProgram(program, bundle);
