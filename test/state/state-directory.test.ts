import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stateDirectory } from '../../src/state/state-directory.ts';

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
after(() => rmSync(directory, { recursive: true }));

test('is what systemd names, or the home of an account that is not root', () => {
  assert.equal(stateDirectory({ STATE_DIRECTORY: `${directory}:/other` }), directory);
  assert.equal(stateDirectory({ STATE_DIRECTORY: join(directory, 'missing') }), null);
  const home = process.getuid?.() === 0 ? null : userInfo().homedir;
  assert.equal(stateDirectory({}), home);
});
