/**
 * The bundle, as `npm run build` has left it: what each command loads, and whose work is in it.
 */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { deserialize } from 'node:v8';
import type { Metafile } from 'esbuild';
import { packageRoot } from '../../../src/base/package.ts';
import { readMeta } from '../../../src/map/lmdb-meta.ts';
import { PARSED_MAIL_NAME } from '../../../src/mta/load.ts';
import { type MailPatternFile, parseMailPatterns } from '../../../src/mta/mail-pattern.ts';
import { BUNDLE as BUNDLE_DIRECTORY, METAFILE } from '../../../src/packaging/bundle/facts.ts';
import { modulesInside } from '../../../src/packaging/deb/modules.ts';
import { loadPatterns, PARSED_NAME, patternsIn } from '../../../src/recogniser/load.ts';
import type { PatternFile } from '../../../src/recogniser/pattern.ts';
import { type Result, runProgram } from '../../real/processes.ts';
import { Rig } from '../../real/rig.ts';

const PROJECT = packageRoot();
const rig = new Rig();
after(() => rig.close());
const BUNDLE: Metafile = JSON.parse(readFileSync(join(PROJECT, METAFILE), 'utf8'));

/** The sources of all that is loaded with one of them. */
function loadedWith(entry: string): readonly string[] {
  const inBundle = new Set(
    Object.values(BUNDLE.outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).flatMap(([source, { bytesInOutput }]) =>
        bytesInOutput > 0 ? [source] : [],
      ),
    ),
  );
  const sources = new Set([entry]);
  // A set that grows is walked to its new end.
  for (const source of sources)
    for (const { path, kind } of BUNDLE.inputs[source]?.imports ?? [])
      if (kind !== 'dynamic-import' && inBundle.has(path)) sources.add(path);
  return [...sources].filter(source => inBundle.has(source));
}

describe('a command loads what it needs, and not', () => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['src/main.ts', /node_modules|src\/(?!base|main\.ts)/],
    [
      'src/options/command-line.ts',
      /node_modules\/(?!yargs-parser|yargs\/helpers\/)|src\/(?!base|options|map\/(?:map-types|map-mode|nft-name)|source\/journal-(?:match|store)|line\/controls)/,
    ],
    [
      'src/cli/match.ts',
      /winston|@redis|tail-file|node_modules\/debug|src\/(?:postfix\/(?!executable)|(?:classifier|fleet|control|daemon)\/)/,
    ],
    [
      'src/cli/list.ts',
      /winston|@redis|src\/(?:daemon|fleet|recogniser|source\/(?!journal-(?:match|store)))/,
    ],
    ['src/cli/run.ts', /@redis/],
    ['src/source/sifter-worker.ts', /node_modules|src\/(?!base|line|source)/],
  ];
  for (const [entry, never] of table) {
    test(`${entry}: ${never.source}`, () => {
      const loaded = loadedWith(entry);
      assert.ok(loaded.includes(entry), `there is no ${entry}`);
      assert.deepEqual(
        loaded.filter(source => never.test(source)),
        [],
      );
    });
  }
});

test('of lmdb, the addon for format 1 is loaded, also where its package would take another one', async () => {
  const map = join(await rig.directory(), 'map');
  const args = ['--watchlog', '-', '--map', `lmdb:${map}`, '--mynetworks', 'none'];
  // A directory without an addon lets the package fall back on its prebuilt one, of format 2.
  const env = { LMDB_PREBUILD: join(PROJECT, 'node_modules/lmdb/dist') };
  const main = join(PROJECT, BUNDLE_DIRECTORY, 'main.js');
  const { code, stderr } = await runProgram(process.execPath, [main, ...args], { env });
  assert.equal(code, 0, stderr);
  readMeta(readFileSync(`${map}.lmdb`));
});

test('of each package that it has taken from, the licence is known', () => {
  const modules = modulesInside(PROJECT, BUNDLE);
  const names = modules.map(({ name }) => name);
  for (const name of [
    '@redis/client',
    'ipaddr.js',
    'smol-toml',
    'tail-file',
    'winston',
    'yargs-parser',
  ])
    assert.ok(names.includes(name), name);
  assert.deepEqual(
    modules.filter(({ version, license }) => version === '' || license === 'see its text'),
    [],
  );
});

describe('the shipped patterns, parsed by the build', () => {
  /** The program with pattern files of its own. */
  async function installation(): Promise<{ root: string; patterns: () => Promise<Result> }> {
    const root = await rig.directory();
    for (const part of [BUNDLE_DIRECTORY, 'patterns', 'package.json'])
      cpSync(join(PROJECT, part), join(root, part), { recursive: true });
    const args = [join(root, BUNDLE_DIRECTORY, 'main.js'), 'patterns', '--test'];
    return { root, patterns: () => runProgram(process.execPath, args) };
  }

  test('are what the files say', async () => {
    const parsed: ReadonlyMap<string, { file: PatternFile }> = deserialize(
      readFileSync(join(PROJECT, BUNDLE_DIRECTORY, PARSED_NAME)),
    );
    const { files } = await loadPatterns(patternsIn(null));
    assert.deepEqual(
      [...parsed.values()].map(({ file }) => file).sort((a, b) => (a.server < b.server ? -1 : 1)),
      files,
    );
  });

  test('are what the file of the mail server says', async () => {
    const { text, file }: { text: string; file: MailPatternFile } = deserialize(
      readFileSync(join(PROJECT, BUNDLE_DIRECTORY, PARSED_MAIL_NAME)),
    );
    const path = join(PROJECT, 'patterns/mta/postfix.toml');
    assert.equal(text, readFileSync(path, 'utf8'));
    assert.deepEqual(file, parseMailPatterns(path, text));
  });

  test('stand for a file only while it has the text that was parsed', async () => {
    const { root, patterns } = await installation();
    assert.equal((await patterns()).code, 0);
    const file = join(root, 'patterns/teapop.toml');
    appendFileSync(file, 'nonsense = 1\n');
    const { code, stderr } = await patterns();
    assert.notEqual(code, 0);
    assert.match(stderr, /teapop\.toml.*nonsense/);
  });

  test('stand for the mail server in the same way', async () => {
    const { root, patterns } = await installation();
    appendFileSync(join(root, 'patterns/mta/postfix.toml'), 'nonsense = 1\n');
    const { code, stderr } = await patterns();
    assert.notEqual(code, 0);
    assert.match(stderr, /postfix\.toml.*nonsense/);
  });

  test('are parsed where there are none for this Node, and an error where they are damaged', async () => {
    const { root, patterns } = await installation();
    const parsed = join(root, BUNDLE_DIRECTORY, PARSED_NAME);
    const told = await patterns();
    rmSync(parsed);
    assert.deepEqual(await patterns(), told);
    writeFileSync(parsed, 'half');
    const { code, stderr } = await patterns();
    assert.notEqual(code, 0);
    assert.match(stderr, new RegExp(`cannot .*${PARSED_NAME}`));
  });
});
