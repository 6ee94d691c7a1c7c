import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMAND_NAMES, operandsOf } from '../../../src/options/options.ts';

const README = readFileSync(join(import.meta.dirname, '../../../../README.md'), 'utf8');

test('the README has every command in its table, with what stands behind it', () => {
  const rows = README.split('\n').filter(line => line.startsWith('| `popbsmtp '));
  const commands = rows.map(row => /^\| `popbsmtp \[?([a-z]+)/.exec(row)?.[1]);
  assert.deepEqual([...commands].sort(), [...COMMAND_NAMES].sort());
  for (const row of rows) {
    const [, name, behind = ''] = /^\| `popbsmtp \[?([a-z]+)\]? ?(.*?)` \|/.exec(row) ?? [];
    const command = COMMAND_NAMES.find(known => known === name);
    assert.ok(command !== undefined, row);
    assert.equal(behind !== '', operandsOf(command) !== null, row);
  }
});
