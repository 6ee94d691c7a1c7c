/**
 * The completions in the real shells, compared with what `--help` really prints.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { COMMAND_NAMES } from '../../src/options/commands.ts';
import { popbsmtp } from './popbsmtp.ts';
import { mustRun, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { bash, fish, type Shell, zsh } from './shells.ts';

const WRITE = join(import.meta.dirname, '../../src/packaging/manual/write.js');

const rig = new Rig();
let share: string;
/** Has a file `alpha.log` and a directory `alpine`. */
let logs: string;

before(async () => {
  share = await rig.directory();
  logs = await rig.directory();
  await mustRun(process.execPath, [WRITE, share]);
  await writeFile(join(logs, 'alpha.log'), '');
  await mkdir(join(logs, 'alpine'));
});
after(() => rig.close());

/** All long options in a help. */
async function flagsIn(...args: string[]): Promise<string[]> {
  const { stdout } = await popbsmtp(...args, '--help');
  const found = stdout.matchAll(/^ {2}(?:-h, |(?: +also ))?(--[\w-]+)/gm);
  return [...found].map(([, flag = '']) => flag).sort();
}

/** What is typed, and what may stand at its end. */
async function cases(): Promise<Map<string, readonly string[]>> {
  const both = ['alpha.log', 'alpine'];
  const known = new Map<string, readonly string[]>([
    ['popbsmtp ', [...COMMAND_NAMES].sort()],
    ['popbsmtp ma', ['match']],
    ['pop-before-smtp ma', ['match']],
    ['popbsmtp replay --deb', ['--debug']],
    ['popbsmtp --watchl', ['--watchlog', '--watchlog-olddir', '--watchlog-zone']],
    ['popbsmtp --debug --journal-trust ', ['any', 'declared']],
    ['popbsmtp run --exclude n', ['none']],
    ['popbsmtp --watchlog jou', ['journal', 'journal:machine=', 'journal:namespace=']],
    [`popbsmtp --watchlog ${logs}/al`, both],
    ['popbsmtp list --map lm', ['lmdb:']],
    ['popbsmtp list --dbfile=lm', ['lmdb:']],
    [`popbsmtp list --map lmdb:${logs}/al`, both],
    [`popbsmtp list --map=lmdb:${logs}/al`, both],
    [`popbsmtp match --json ${logs}/al`, both],
    [`popbsmtp match --patterns ${logs}/al`, ['alpine']],
    ['popbsmtp --grace ', []],
    ['popbsmtp list x', []],
    ['popbsmtp explain a', []],
    ['popbsmtp --', await flagsIn('run')],
  ]);
  for (const name of COMMAND_NAMES) known.set(`popbsmtp ${name} --`, await flagsIn(name));
  return known;
}

const shells: [string, Shell][] = [
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
];
for (const [name, ask] of shells) {
  test(`${name} completes to what there is`, { skip: requirePrograms([name]) }, async () => {
    const expected = await cases();
    const found = await ask(rig, { share, lines: [...expected.keys()] });
    assert.deepEqual(found, expected);
  });
}

describe('bash with readline', { skip: requirePrograms(['bash', 'script']) }, () => {
  /** What the command line becomes when the tabulator key is struck at its end. */
  async function typed(line: string): Promise<string | undefined> {
    const input = [
      `. ${share}/bash-completion/completions/popbsmtp`,
      `popbsmtp() { printf 'ran <%s>\\n' "$*"; }`,
      `${line}\t`,
      'exit',
      '',
    ].join('\n');
    const { stdout } = await runProgram('script', ['-qec', 'bash --norc -i', '/dev/null'], {
      input,
    });
    return /^ran <(.*?) *>\r?$/m.exec(stdout)?.[1];
  }

  test('replaces just the part of a word that it completes', async () => {
    assert.equal(await typed('popbsmtp match --cou'), 'match --count');
    assert.equal(await typed('popbsmtp list --map=lm'), 'list --map=lmdb:');
    assert.equal(
      await typed(`popbsmtp list --map=lmdb:${logs}/alph`),
      `list --map=lmdb:${logs}/alpha.log`,
    );
    assert.equal(
      await typed(`popbsmtp list --map lmdb:${logs}/alpi`),
      `list --map lmdb:${logs}/alpine/`,
    );
  });
});
