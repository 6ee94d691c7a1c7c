import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readSecrets, targetsOf } from '../../src/fleet/dial.ts';
import { parseEngine } from '../../src/fleet/engine.ts';
import { assertFails } from '../failure.ts';

const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
after(() => rmSync(directory, { recursive: true }));

const settings = (passwordFile: string | null, caFile: string | null = null) => ({
  passwordFile,
  caFile,
});

test('the password is the first line of its file', () => {
  const file = join(directory, 'password');
  for (const [text, password] of [
    ['secret\n', 'secret'],
    ['secret', 'secret'],
    ['a b \nmore\n', 'a b '],
    ['', ''],
  ] as const) {
    writeFileSync(file, text);
    assert.deepEqual(readSecrets(settings(file, file)), { password, ca: text });
  }
  assert.deepEqual(readSecrets(settings(null)), { password: null, ca: null });
});

test('what cannot be read is an error that names it', () => {
  const missing = join(directory, 'missing');
  assertFails(() => readSecrets(settings(missing)), 'FLEET_FILE', missing);
  assertFails(() => readSecrets(settings(null, directory)), 'FLEET_FILE', directory);
});

test('an address is one, and whoever gives up does not wait for the resolver', async () => {
  const { signal } = new AbortController();
  const engine = parseEngine('redis://[2001:db8::1]:7000/2', '-');
  const where = 'redis://[2001:db8::1]:7000/2';
  assert.deepEqual(await targetsOf(engine, signal), [{ engine, address: '2001:db8::1', where }]);
  const named = parseEngine('redis://nowhere.invalid', '-');
  await assert.rejects(targetsOf(named, AbortSignal.abort(new Error('enough'))), /^Error: enough$/);
});

test('who is in no fleet does not load the library', () => {
  const daemon = join(import.meta.dirname, '../../src/daemon/daemon.js');
  const loaded = (more: string): string =>
    execFileSync(process.execPath, [
      '--input-type=module',
      '--eval',
      `import Module from 'node:module'; await import(${JSON.stringify(daemon)}); ${more}
      console.log(Object.keys(Module._cache).some(path => path.includes('@redis')));`,
    ]).toString();
  assert.equal(loaded(''), 'false\n');
  assert.equal(loaded("await import('@redis/client');"), 'true\n');
});
