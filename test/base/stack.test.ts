import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { MAIN } from '../real/popbsmtp.ts';
import { runProgram } from '../real/processes.ts';

/** As if a bug were wherever something is printed. */
const BUG = 'data:text/javascript,process.stdout.write=()=>{throw new TypeError("on purpose")}';

test('the trace of a bug names our files, and where in them', async () => {
  const args = ['--import', BUG, MAIN, 'list', '--help'];
  const { code, stderr } = await runProgram(process.execPath, args);
  assert.equal(code, EXIT.software);
  assert.match(stderr, /^popbsmtp: a bug: TypeError: on purpose\n/);
  assert.match(stderr, /^ {4}at parseCommandLine \(src\/options\/command-line\.ts:\d+:\d+\)$/m);
  assert.match(stderr, /^ {4}at main \(src\/main\.ts:\d+:\d+\)$/m);
  assert.doesNotMatch(stderr, /dist\/bundle/);
});
