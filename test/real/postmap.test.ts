/**
 * Our files and Postfix's own tool: `postmap` reads what we write, and we read and keep what it writes.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Change } from '../../src/grant/change.ts';
import type { LookupMap, MapSpec, Row } from '../../src/map/map.ts';
import { formatMapSpec, openMap, readRows } from '../../src/map/map-types.ts';
import { addresses, ip } from '../map/addresses.ts';
import { mustRun, runProgram } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const skip = requirePrograms(['postmap']);
const rig = new Rig();
after(() => rig.close());

const newSpec = async (): Promise<MapSpec> => ({
  type: 'lmdb',
  path: join(await rig.directory(), 'map'),
});

/** Lines as `postmap` takes and prints them. */
const lines = (rows: readonly Pick<Row, 'key' | 'value'>[]): string =>
  rows.map(({ key, value }) => `${key}\t${value}\n`).join('');

const listed = (spec: MapSpec): Promise<string> => mustRun('postmap', ['-s', formatMapSpec(spec)]);

async function add(spec: MapSpec, rows: readonly Pick<Row, 'key' | 'value'>[]): Promise<void> {
  await mustRun('postmap', ['-i', formatMapSpec(spec)], { input: lines(rows) });
}

async function sameRows(spec: MapSpec): Promise<Row[]> {
  const rows = await readRows(spec);
  assert.equal(lines(rows), await listed(spec));
  return rows;
}

const grants = (network: string, count: number): Change[] =>
  addresses(network, count).map((address, index) => ({ ip: address, stamp: epoch(index) }));

const withdrawn = (changes: readonly Change[]): Change[] =>
  changes.map(({ ip: address }) => ({ ip: address, stamp: null }));

describe('postmap', { skip }, () => {
  test('opens a map that nobody has written to', async () => {
    const spec = await newSpec();
    const map = await openMap(spec);
    assert.equal(await listed(spec), '');
    await map.close();
  });

  test('lists and finds exactly our rows, also after a close', async () => {
    const spec = await newSpec();
    const map = await openMap(spec);
    await map.commit([...grants('10.1', 3000), { ip: ip('2001:db8::1'), stamp: epoch(5) }]);
    await map.commit(withdrawn(grants('10.1', 1000)));
    const rows = await sameRows(spec);
    assert.equal(rows.length, 2001);
    const questions = [...rows.map(({ key }) => key), '10.1.0.0', '10.1', '2001:db8::10'];
    const found = await mustRun('postmap', ['-q', '-', formatMapSpec(spec)], {
      input: `${questions.join('\n')}\n`,
    });
    assert.equal(found, lines(rows));
    await map.close();
    assert.equal(await listed(spec), lines(rows));
  });

  test('finds nothing, without an error, when all rows are gone', async () => {
    const spec = await newSpec();
    const map = await openMap(spec);
    await map.commit(grants('10.1', 2000));
    await map.commit(withdrawn(grants('10.1', 2000)));
    assert.deepEqual(await sameRows(spec), []);
    const answer = await runProgram('postmap', ['-q', '10.1.0.0', formatMapSpec(spec)]);
    assert.deepEqual(answer, { code: 1, stdout: '', stderr: '' });
    await map.close();
  });
});

describe("the administrator's rows", { skip }, () => {
  const foreign = [
    { key: '192.0.2.1', value: 'OK' },
    { key: '198.51.100', value: 'REJECT no relaying from there' },
  ];

  test('survive commits, whichever program writes when', async () => {
    const spec = await newSpec();
    const map = await openMap(spec);
    for (const [round, row] of [...foreign, { key: '10.1.0.5', value: 'PERMIT' }].entries()) {
      await map.commit(grants(`10.${round + 1}`, 50));
      await add(spec, [row]);
      await map.commit(withdrawn(grants(`10.${round + 1}`, 20)));
      await mustRun('postmap', ['-d', `10.${round + 1}.0.49`, formatMapSpec(spec)]);
    }
    const rows = await sameRows(spec);
    assert.deepEqual(
      rows.filter(({ stamp }) => stamp === null).map(({ key }) => key),
      ['10.1.0.5', '192.0.2.1', '198.51.100'],
    );
    assert.equal(rows.length, 3 + 3 * 29);
    await map.close();
  });

  test('are neither renewed nor taken away', async () => {
    const spec = await newSpec();
    const map = await openMap(spec);
    await add(spec, foreign);
    const address = ip('192.0.2.1');
    assert.deepEqual(await map.commit([{ ip: address, stamp: epoch(1) }]), ['foreign']);
    assert.deepEqual(await map.commit([{ ip: address, stamp: null }]), ['foreign']);
    assert.equal(lines(await sameRows(spec)), lines(foreign));
    await map.close();
  });

  test('may be as long as postmap takes them: values on overflow pages, a deep tree', async () => {
    const spec = await newSpec();
    const map = await openMap(spec);
    await map.commit(grants('10.1', 500));
    const long = Array.from({ length: 600 }, (_, index) => ({
      key: `${String(index).padStart(4, '0')}${'k'.repeat(400)}`,
      value: 'v'.repeat(index % 20 === 0 ? 9000 : 30),
    }));
    await add(spec, long);
    await map.commit(withdrawn(grants('10.1', 250)));
    assert.equal((await sameRows(spec)).length, 850);
    await map.close();
  });
});

describe('a map that postmap made', { skip }, () => {
  async function fromSource(rows: readonly Pick<Row, 'key' | 'value'>[]): Promise<MapSpec> {
    const spec = await newSpec();
    await writeFile(spec.path, lines(rows));
    await mustRun('postmap', [formatMapSpec(spec)]);
    return spec;
  }

  async function usable(map: LookupMap): Promise<void> {
    assert.deepEqual(await map.commit([{ ip: ip('10.0.0.1'), stamp: epoch(9) }]), ['added']);
    assert.deepEqual(
      (await sameRows(map.spec)).map(({ key }) => key),
      ['10.0.0.1', '192.0.2.1'],
    );
  }

  const rows = [{ key: '192.0.2.1', value: 'OK' }];

  test('is read and written like our own', async () => {
    const map = await openMap(await fromSource(rows));
    await usable(map);
    await map.close();
  });

  test('is empty without rows', async () => {
    const map = await openMap(await fromSource([]));
    assert.deepEqual(await sameRows(map.spec), []);
    await map.close();
  });

  test('may be made again from its source while we have it open', async () => {
    const spec = await fromSource([{ key: '10.9.9.9', value: '12345' }, ...rows]);
    const map = await openMap(spec);
    await map.commit(grants('10.1', 3000));
    await writeFile(spec.path, lines(rows));
    await mustRun('postmap', [formatMapSpec(spec)]);
    await usable(map);
    await map.close();
  });
});
