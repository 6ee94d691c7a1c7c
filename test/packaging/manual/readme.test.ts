import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../../src/base/package.ts';
import { COMMAND_NAMES, operandsOf } from '../../../src/options/commands.ts';

const README = readFileSync(join(packageRoot(), 'README.md'), 'utf8');

/** The documents that a reader of the repository finds by links, and what they are below. */
const DOCUMENTS = ['README.md', 'src/README.md', 'patterns/README.md', 'CHANGELOG.md'];

test('the README begins with what it is and how to see it, and is no manual', () => {
  assert.match(
    README,
    /^# popbsmtp\n\nPOP before SMTP for Postfix: [^\n]*See it work:\n\n {4}npm ci && npm start\n\nRun all its tests, [^\n]*\n\n {4}npm ci && npm test\n/,
  );
  assert.ok(README.trimEnd().split('\n').length <= 200);
});

for (const document of DOCUMENTS) {
  const text = readFileSync(join(packageRoot(), document), 'utf8');

  test(`every link of ${document} leads to a file`, () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(packageRoot(), dirname(document), target)), target);
    }
  });
}

test('every section of popbsmtp(8) that the README or a message names is there', () => {
  const page = readFileSync(
    join(packageRoot(), 'src/packaging/manual/pages/popbsmtp.8.md'),
    'utf8',
  );
  const titles = [...page.matchAll(/^##+ (.*)$/gm)].map(([, title]) => title);
  const named = [...README.matchAll(/popbsmtp\(8\), "([^"]+)"/g)].map(([, title]) => title);
  assert.ok(named.length > 0);
  assert.deepEqual(
    named.filter(title => !titles.includes(title)),
    [],
  );
});

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
