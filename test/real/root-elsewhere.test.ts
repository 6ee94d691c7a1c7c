/**
 * Root where Node refuses to change accounts, as that of Debian 13 does: commands work as the account of the map all the same.
 */
import assert from 'node:assert/strict';
import { chown, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MAIN } from './popbsmtp.ts';
import { type Result, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const skip = requirePrograms(['setpriv', 'getent'], { root: true });
const NOBODY = 65534;

/** Of root alone: an account that is not root has nothing to change. */
const REFUSING = `data:text/javascript,${encodeURIComponent(
  "process.seteuid = () => { throw Object.assign(new Error('seteuid() disabled'), { code: 'ERR_INVALID_STATE' }); };",
)}`;

const rig = new Rig();
after(() => rig.close());

const refused = (...args: string[]): Promise<Result> =>
  runProgram(process.execPath, ['--import', REFUSING, MAIN, ...args]);

test('the files are of the account, and the exit status is that of the command', {
  skip,
}, async () => {
  const directory = await rig.directory();
  await chown(directory, NOBODY, NOBODY);
  const map = `lmdb:${join(directory, 'map')}`;
  const own = ['--map', map, '--mynetworks', 'none'];
  const made = await refused('run', '--config', '/dev/null', '--watchlog', '-', ...own);
  assert.equal(made.code, 0, made.stderr);
  const allowed = await refused('allow', '198.51.100.1', '203.0.113.2', ...own);
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.equal((await stat(join(directory, 'map.lmdb'))).uid, NOBODY);
  assert.equal((await stat(join(directory, 'map.orders'))).uid, NOBODY);
  const listed = await refused('list', '--map', map);
  assert.match(listed.stdout, /^198\.51\.100\.1 .*\n203\.0\.113\.2 /);
  const none = await refused('status', '--map', map);
  assert.equal(none.code, 69, none.stderr);
});
