/**
 * The compiled form of the program: used when it fits, and never when it does not.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageRoot } from '../../../src/base/package.ts';
import { loadProgram } from '../../../src/packaging/bundle/compiled.ts';
import { BUNDLE, COMPILED, PROGRAM } from '../../../src/packaging/bundle/facts.ts';
import { mustRun, runProgram } from '../../real/processes.ts';
import { Rig } from '../../real/rig.ts';

const PROJECT = packageRoot();
/** In the program's text, and another of the same length: V8 asks for no more than that. */
const SAID = 'there is no such map';
const SAID_ELSEWHERE = 'there is no such MAP';

function flipped(bytes: Buffer, index: number): Buffer {
  bytes.writeUInt8(bytes.readUInt8(index) ^ 4, index);
  return bytes;
}

describe('the compiled program', () => {
  const rig = new Rig();
  after(() => rig.close());
  let bundle: string;
  let compiled: Buffer;

  before(async () => {
    const root = await rig.directory();
    bundle = join(root, BUNDLE);
    for (const part of [BUNDLE, 'patterns', 'package.json', 'build'])
      if (existsSync(join(PROJECT, part)))
        cpSync(join(PROJECT, part), join(root, part), { recursive: true });
    cpSync(join(PROJECT, 'node_modules/lmdb'), join(root, 'node_modules/lmdb'), {
      recursive: true,
    });
    const addon = 'node_modules/fs-native-extensions';
    cpSync(join(PROJECT, addon), join(root, addon), { recursive: true });
    await mustRun(process.execPath, [join(bundle, 'compile.js')], { input: '' });
    compiled = readFileSync(join(bundle, COMPILED));
  });

  /** Whether V8 has taken it; undefined when it was not asked to. */
  const isRejected = (): boolean | undefined => loadProgram(bundle).script.cachedDataRejected;

  const list = async (): Promise<string> => {
    const args = [join(bundle, 'main.js'), 'list', '--map', `lmdb:${join(bundle, 'none')}`];
    return (await runProgram(process.execPath, args)).stderr;
  };

  test('is taken by V8', () => {
    assert.equal(isRejected(), false);
  });

  test('says what the program says', async () => {
    const told = await list();
    assert.match(told, new RegExp(SAID));
    rmSync(join(bundle, COMPILED));
    assert.equal(isRejected(), undefined);
    assert.equal(await list(), told);
    writeFileSync(join(bundle, COMPILED), compiled);
  });

  const damages: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['a bit', bytes => flipped(bytes, bytes.length - 9)],
    ['its digest', bytes => flipped(bytes, 3)],
    ['its end', bytes => bytes.subarray(0, -8)],
    ['all', () => Buffer.alloc(0)],
  ];
  for (const [what, damage] of damages) {
    test(`is not taken where ${what} is damaged`, async () => {
      writeFileSync(join(bundle, COMPILED), damage(Buffer.from(compiled)));
      assert.equal(isRejected(), undefined);
      assert.match(await list(), new RegExp(SAID));
      writeFileSync(join(bundle, COMPILED), compiled);
    });
  }

  test('is not taken for a program of the same length', async () => {
    const file = join(bundle, PROGRAM);
    const text = readFileSync(file, 'latin1');
    assert.ok(text.includes(SAID));
    writeFileSync(file, text.replaceAll(SAID, SAID_ELSEWHERE), 'latin1');
    assert.equal(isRejected(), undefined);
    assert.match(await list(), new RegExp(SAID_ELSEWHERE));
    writeFileSync(file, text, 'latin1');
  });
});
