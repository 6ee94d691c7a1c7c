import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { LookupMap, MapSpec } from '../../src/map/map.ts';
import { openMap } from '../../src/map/map-types.ts';
import { ip } from './addresses.ts';
import { failing } from './failing.ts';
import { newSpec } from './scratch.ts';

const A = ip('192.0.2.1');
const MARK = '# @list\n';
const put = { ip: A, stamp: epoch(9) };

/** A map whose reader knows what the file says each time that the command is run, unless a file forbids it. */
class World {
  readonly spec: MapSpec;
  readonly warnings: string[] = [];
  readonly #path: string;

  private constructor(spec: MapSpec) {
    this.#path = spec.path;
    const script =
      'test ! -e "$1.broken" || { echo "no such table" >&2; exit 3; }; cp "$1" "$1.known"; echo >> "$1.runs"';
    this.spec = { ...spec, command: ['/bin/sh', '-c', script, 'sh', spec.path] };
  }

  static async make(): Promise<World> {
    return new World(await newSpec('table'));
  }

  open(): Promise<LookupMap> {
    return openMap(this.spec, { warn: text => this.warnings.push(text) });
  }

  known = (): Promise<string> => readFile(`${this.#path}.known`, 'utf8');
  runs = async (): Promise<number> => (await readFile(`${this.#path}.runs`, 'utf8')).length;
  break = (): Promise<void> => writeFile(`${this.#path}.broken`, '');
  repair = (): Promise<void> => rm(`${this.#path}.broken`);
}

describe('a map whose reader has to be told', () => {
  test('has it told of each change before the commit ends, and of nothing else', async () => {
    const world = await World.make();
    const map = await world.open();
    assert.equal(await world.known(), MARK);
    assert.deepEqual(await map.commit([put]), ['added']);
    assert.equal(await world.known(), '# @list\n# popbsmtp 9\n192.0.2.1\n');
    assert.deepEqual(await map.commit([put]), ['renewed']);
    assert.equal(await world.runs(), 2);
    assert.deepEqual(await map.remove(await map.rows()), ['removed']);
    assert.equal(await world.known(), MARK);
    map.check();
    await map.close();
    assert.deepEqual(world.warnings, []);
  });

  test('fails until the command works, also when nothing changes any more', async () => {
    const world = await World.make();
    const map = await world.open();
    await map.commit([put]);
    await world.break();
    const gone = [{ ip: A, stamp: null }];
    await assert.rejects(map.commit(gone), failing('TABLE_COMMAND'));
    assert.match(await world.known(), /192/);
    assert.throws(
      () => map.check(),
      /\/bin\/sh could not make the rows known: status 3: no such table/,
    );
    await assert.rejects(map.commit(gone), failing('TABLE_COMMAND'));
    await world.repair();
    assert.deepEqual(await map.commit(gone), ['absent']);
    assert.equal(await world.known(), MARK);
    map.check();
    await map.close();
  });

  test('is opened before its reader is there, which is told as soon as it is', async () => {
    const world = await World.make();
    await world.break();
    const map = await world.open();
    assert.equal(world.warnings.length, 1);
    assert.throws(() => map.check(), failing('TABLE_COMMAND'));
    await world.repair();
    assert.deepEqual(await map.commit([]), []);
    assert.equal(await world.known(), MARK);
    map.check();
    await map.close();
  });

  test('is announced when it is opened, for a process that was killed before it could', async () => {
    const world = await World.make();
    await writeFile(world.spec.path, '# popbsmtp 9\n192.0.2.1\n');
    const map = await world.open();
    assert.match(await world.known(), /192/);
    await map.close();
  });

  test('fails with a program that is not there', async () => {
    const spec: MapSpec = { ...(await newSpec('table')), command: ['/nowhere/smtpctl'] };
    const map = await openMap(spec);
    await assert.rejects(map.commit([put]), failing('TABLE_COMMAND'));
    await map.close();
  });
});
