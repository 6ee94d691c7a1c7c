/**
 * Rows that are taken away whosever they are, from each way of writing a map.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Row } from '../../src/map/map.ts';
import { openMap, readRows } from '../../src/map/map-types.ts';
import { mustRun } from '../real/processes.ts';
import { requirePrograms } from '../real/programs.ts';
import { ip } from './addresses.ts';
import { newSpec } from './scratch.ts';

const A = ip('198.51.100.1');
const OWN = '10 OK\n192.0.2 OK\n198.51.100.9 ok\nunknown REJECT\n';

const texts = (rows: readonly Row[]): string[] =>
  rows.map(({ key, value }) => `${key} ${value}`).sort();

for (const type of ['lmdb', 'hash', 'btree', 'cdb', 'texthash'] as const) {
  const skip = type === 'texthash' ? false : requirePrograms(['postmap']);
  describe(type, { skip }, () => {
    test('those that are named go, unless their value is another by now', async () => {
      const spec = await newSpec(type);
      await writeFile(spec.path, OWN);
      if (type !== 'texthash') await mustRun('postmap', [`${type}:${spec.path}`]);
      const map = await openMap(spec);
      await map.commit([{ ip: A, stamp: epoch(7) }]);
      const rows = await map.rows();
      const named = rows.filter(({ key }) => ['10', '198.51.100.9', A].includes(key));
      const stale: Row = { key: '192.0.2', value: 'ok', stamp: null };
      assert.deepEqual(await map.remove([...named, stale]), [
        'removed',
        'removed',
        'removed',
        'absent',
      ]);
      const left = ['192.0.2 OK', 'unknown REJECT'];
      assert.deepEqual(texts(await map.rows()), left);
      assert.deepEqual(await map.remove([stale]), ['absent']);
      await map.commit([{ ip: A, stamp: epoch(8) }]);
      await map.close();
      assert.deepEqual(texts(await readRows(spec)), [
        ...left.slice(0, 1),
        `${A} 8`,
        ...left.slice(1),
      ]);
    });
  });
}

test('lmdb: also a row of postmap -N goes', { skip: requirePrograms(['postmap']) }, async () => {
  const spec = await newSpec('lmdb');
  await writeFile(spec.path, '198.51.100.9 ok\n');
  await mustRun('postmap', ['-N', `lmdb:${spec.path}`]);
  const map = await openMap(spec);
  assert.deepEqual(await map.remove(await map.rows()), ['removed']);
  await map.close();
  assert.deepEqual(await readRows(spec), []);
});

test('a text keeps its other lines as they are', async () => {
  const spec = await newSpec('texthash');
  await writeFile(spec.path, '# mine\n10 OK\n  # here, too\n  more\n192.0.2 OK\n\n# the end\n');
  const map = await openMap(spec);
  const rows = (await map.rows()).filter(({ key }) => key === '10');
  assert.deepEqual(await map.remove(rows), ['removed']);
  await map.close();
  assert.equal(
    await readFile(spec.path, 'utf8'),
    '# mine\n  # here, too\n192.0.2 OK\n\n# the end\n',
  );
});
