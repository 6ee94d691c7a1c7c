/**
 * `patterns` as a command: what it lists, and what it says of samples that do not do what they should.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';

const rig = new Rig();
let root: string;
before(async () => {
  root = await rig.directory();
});
after(() => rig.close());

const TOYD = `programs = ["toyd", "toyd-tls"]
[[login]]
name = "hello"
expression = 'hello {ip}'
match = [{ line = 'Nov 23 00:53:00 mx toyd: hello 192.0.2.1', ip = "192.0.2.1" }]
`;

async function directoryWith(
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory);
  for (const [file, text] of Object.entries(files)) await writeFile(join(directory, file), text);
  return directory;
}

const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);

describe('the list', () => {
  test('names servers, programs, patterns and files, shipped and own', async () => {
    const own = await directoryWith('own', { 'toyd.toml': TOYD });
    const { code, stdout, stderr } = await popbsmtp('patterns', '--patterns', own);
    assert.equal(code, 0, stderr);
    const lines = linesOf(stdout);
    const at = lines.indexOf('toyd');
    assert.deepEqual(lines.slice(at, at + 4), [
      'toyd',
      '    programs  toyd toyd-tls',
      '    patterns  login "hello"',
      `    file      ${own}/toyd.toml (own)`,
    ]);
    assert.match(
      stdout,
      /^dovecot\n {4}programs {2}dovecot .*\n.*login "proxy".*\n.*\(shipped\)$/m,
    );
  });

  test('says the same as JSON, an object a line', async () => {
    const own = await directoryWith('own-json', { 'toyd.toml': TOYD });
    const { stdout } = await popbsmtp('patterns', '--json', `--patterns=${own}/`);
    const objects = linesOf(stdout).map(line => JSON.parse(line));
    assert.deepEqual(
      objects.find(({ server }) => server === 'toyd'),
      {
        server: 'toyd',
        programs: ['toyd', 'toyd-tls'],
        patterns: [{ event: 'login', name: 'hello' }],
        file: `${own}/toyd.toml`,
        origin: 'own',
      },
    );
    assert.equal(objects.find(({ server }) => server === 'courier')?.origin, 'shipped');
  });
});

describe('--test', () => {
  test('is silent about samples that do what they should', async () => {
    const own = await directoryWith('good', { 'toyd.toml': TOYD });
    const { code, stdout, stderr } = await popbsmtp('patterns', '--test', '--patterns', own);
    assert.deepEqual([code, stdout], [0, '']);
    assert.match(stderr, /^\d+ samples of \d+ patterns in \d+ files, 0 failed\n$/);
  });

  test('counts those of the mail server, too', async () => {
    const { stderr } = await popbsmtp('patterns', '--test');
    const files = (await popbsmtp('patterns', '--json')).stdout.split('\n').length - 1;
    assert.match(stderr, new RegExp(` in ${files + 1} files, 0 failed\\n$`));
  });

  test('tells each that does not, with file, pattern and line, and ends with 1', async () => {
    const own = await directoryWith('bad', {
      'toyd.toml': `${TOYD}refuse = [
        { line = 'Nov 23 00:53:00 mx toyd: hello 192.0.2.2' },
        { line = 'Nov 23 00:53:00 mx toyd: bye' },
      ]`,
      'wrong.toml': TOYD.replaceAll('toyd', 'wrong').replace(
        'ip = "192.0.2.1"',
        'ip = "192.0.2.9"',
      ),
    });
    const args = ['patterns', '--test', '--patterns', own] as const;
    const { code, stdout, stderr } = await popbsmtp(...args);
    assert.equal(code, 1);
    assert.deepEqual(linesOf(stdout), [
      `${own}/toyd.toml: login "hello": refuse sample: it is taken for toyd: login "hello": Nov 23 00:53:00 mx toyd: hello 192.0.2.2`,
      `${own}/wrong.toml: login "hello": match sample: ip=192.0.2.1 user=null tls=null: Nov 23 00:53:00 mx wrong: hello 192.0.2.1`,
    ]);
    assert.match(stderr, /, 2 failed\n$/);
    const json = await popbsmtp(...args, '--json');
    assert.equal(json.code, 1);
    assert.deepEqual(linesOf(json.stdout).map(line => JSON.parse(line))[0], {
      file: `${own}/toyd.toml`,
      server: 'toyd',
      event: 'login',
      name: 'hello',
      kind: 'refuse',
      line: 'Nov 23 00:53:00 mx toyd: hello 192.0.2.2',
      problem: 'it is taken for toyd: login "hello"',
    });
  });
});

test('a file that is wrong is an error with its place', async () => {
  const own = await directoryWith('broken', {
    'toyd.toml': TOYD.replace("'hello {ip}'", "'hello .*{ip}'"),
  });
  const { code, stdout, stderr } = await popbsmtp('patterns', '--patterns', own);
  assert.deepEqual([code, stdout], [78, '']);
  assert.ok(stderr.startsWith(`popbsmtp: ${own}/toyd.toml:4: `), stderr);
});
