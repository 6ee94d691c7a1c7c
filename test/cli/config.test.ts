/**
 * `config`: where each setting comes from, and everything that is wrong with a file.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'smol-toml';
import { EXIT } from '../../src/base/errors.ts';
import { optionsOf, specOf } from '../../src/options/options.ts';
import { popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';

const rig = new Rig();
let directory: string;
before(async () => {
  directory = await rig.directory();
});
after(() => rig.close());

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

test('every key stands there once, with where it comes from: default, file and line, or flag', async () => {
  const path = await file(
    'own.toml',
    '# ours\ngrace-for = ["192.0.2.0/24=2h"]\ngrace = "30m"\nexclude = ["10.0.0.0/8"]\nmax_grants = 5\n',
  );
  const args = ['--config', path, '--max-grants', '7', '--map', 'lmdb:/x/y'];
  const { code, stdout, stderr } = await popbsmtp('config', ...args);
  assert.deepEqual([code, stderr], [0, '']);
  const lines = stdout.split('\n').slice(0, -1);
  const keys = optionsOf('run').filter(name => specOf(name).inFile);
  assert.deepEqual(
    lines.map(line => /^(?:# )?([\w-]+) =/.exec(line)?.[1]),
    keys,
  );
  const lineOf = (key: string): string => lines.find(line => line.startsWith(`${key} =`)) ?? '';
  assert.match(lineOf('grace'), new RegExp(`^grace = "30m" +# ${path}:3$`));
  assert.match(lineOf('grace-for'), new RegExp(`= \\["192.0.2.0/24=2h"\\] +# ${path}:2$`));
  assert.match(lineOf('max-grants'), /^max-grants = "7" +# --max-grants$/);
  assert.match(lineOf('map'), /^map = \["lmdb:\/x\/y"\] +# --map$/);
  assert.match(lineOf('limit-action'), /^limit-action = "warn" +# default$/);
  assert.match(lineOf('debug'), /^debug = false +# default$/);
  assert.match(
    lines.find(line => line.startsWith('# mynetworks')) ?? '',
    /# default: ask postconf$/,
  );
});

test('what it prints is a configuration that says the same', async () => {
  const path = await file('first.toml', 'grace = "30m"\ndeny-users = ["a\\"b", "\\u007f"]\n');
  const { stdout } = await popbsmtp('config', '--config', path, '--debug');
  assert.equal(parse(stdout)['debug'], true);
  const again = await file('again.toml', stdout);
  assert.equal((await popbsmtp('config', '--check', again)).code, 0);
  const shown = await popbsmtp('config', '--config', again);
  const bare = (text: string): string => text.replace(/ +# .*$/gm, '');
  assert.equal(bare(shown.stdout), bare(stdout));
});

test('as JSON, an object for each', async () => {
  const path = await file('json.toml', 'grace = "30m"\n');
  const { stdout } = await popbsmtp('config', '--json', '--config', path, '--debug');
  const found = stdout
    .split('\n')
    .slice(0, -1)
    .map((line): { readonly setting: string } => JSON.parse(line));
  const of = (name: string): unknown => found.find(({ setting }) => setting === name);
  assert.deepEqual(of('grace'), {
    ...{ setting: 'grace', value: '30m', from: 'file', file: path, line: 1 },
  });
  assert.deepEqual(of('debug'), {
    ...{ setting: 'debug', value: true, from: 'flag', file: null, line: null },
  });
  assert.deepEqual(of('mynetworks'), {
    ...{ setting: 'mynetworks', value: null, from: 'default', file: null, line: null },
  });
});

describe('--check', () => {
  test('tells every error with its line, and ends with 78', async () => {
    const path = await file(
      'wrong.toml',
      [
        'grace = "soon"',
        'wathclog = "/x"',
        'debug = "yes"',
        'map = "regexp:/x/y"',
        'exclude = "local"',
        'mynetworks = "192.0.2.0/33"',
        'grace-for = ["192.0.2.0/24"]',
        'deny-users = "*"',
        'metrics-listen = "0.0.0.0:9117"',
        'fleet = "http://h"',
        'fleet-prefix = "a b"',
        'max-grants = 0',
        'dovecot-elements = "user=%u rip=%r lip=%l"',
        'xyzzy = 1',
      ].join('\n'),
    );
    const { code, stdout, stderr } = await popbsmtp('config', '--check', path);
    assert.deepEqual([code, stdout], [EXIT.config, '']);
    const lines = stderr.split('\n').slice(0, -1);
    assert.deepEqual(
      lines.map(line => line.replace(`popbsmtp: ${path}:`, '').replace(/:.*/, '')),
      Array.from({ length: 14 }, (_, index) => String(index + 1)),
    );
    assert.match(lines[1] ?? '', /unknown key "wathclog"; the nearest known key is "watchlog"/);
    assert.doesNotMatch(lines[13] ?? '', /nearest/);
    const json = await popbsmtp('config', '--json', '--check', path);
    assert.equal(json.code, EXIT.config);
    const object: { readonly errors: readonly { readonly line: number }[] } = JSON.parse(
      json.stdout,
    );
    assert.equal(object.errors.length, 14);
    assert.equal(object.errors[3]?.line, 4);
  });

  test('says so when there is none, and starts nothing', async () => {
    const path = await file('right.toml', 'grace = "30m"\n');
    const { code, stdout, stderr } = await popbsmtp('config', '--check', path);
    assert.deepEqual([code, stdout, stderr], [0, `${path}: no error found\n`, '']);
  });

  test('of what is no TOML, or not there, is an error as well', async () => {
    const path = await file('broken.toml', '\nmap = \n');
    const broken = await popbsmtp('config', '--check', path);
    assert.equal(broken.code, EXIT.config);
    assert.match(broken.stderr, new RegExp(`^popbsmtp: ${path}:2: [^\\n]+\\n$`));
    const none = await popbsmtp('config', '--check', join(directory, 'none.toml'));
    assert.equal(none.code, EXIT.config);
    assert.match(none.stderr, /^popbsmtp: cannot read the configuration [^\n]+\n$/);
  });

  test('takes one file, and no file is taken without it', async () => {
    for (const [args, problem] of [
      [['--check'], 'the file is missing'],
      [['--check', '/a', '/b'], 'unknown argument "/b"'],
      [['/a'], 'unknown argument "/a" (a file is checked by --check)'],
    ] as const) {
      const { code, stdout, stderr } = await popbsmtp('config', ...args);
      assert.deepEqual([code, stdout], [EXIT.usage, '']);
      assert.equal(stderr, `popbsmtp: ${problem}; see "popbsmtp config --help"\n`);
    }
  });

  test('the file may stand before it, and after other options', async () => {
    const path = await file('order.toml', 'grace = "30m"\n');
    for (const args of [
      [path, '--check'],
      ['--check', '--json', path],
    ]) {
      assert.equal((await popbsmtp('config', ...args)).code, 0, args.join(' '));
    }
  });
});
