/** What is no map: a file of length 0, which becomes one, and a directory, which does not. */
import assert from 'node:assert/strict';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/errors.ts';
import { holdMap } from '../../src/map/held-map.ts';
import { mapPath, openMap, readRows } from '../../src/map/map-types.ts';
import { ip } from './addresses.ts';
import { failing } from './failing.ts';
import { newSpec } from './scratch.ts';

const mustNotWarn = (text: string): never => assert.fail(text);

for (const type of ['lmdb', 'cdb', 'texthash'])
  describe(`${type}:`, () => {
    test('a map of length 0 is filled', async () => {
      const spec = await newSpec(type);
      await writeFile(mapPath(spec), '');
      const map = await openMap(spec);
      await map.commit([{ ip: ip('192.0.2.1'), stamp: epoch(1) }]);
      await map.close();
      assert.deepEqual(await readRows(spec), [{ key: '192.0.2.1', value: '1', stamp: 1 }]);
    });

    test('a directory is told as such, and stays as it is', async () => {
      const spec = await newSpec(type);
      await mkdir(mapPath(spec));
      await chmod(mapPath(spec), 0o700);
      for (const step of [() => openMap(spec), () => readRows(spec)])
        await assert.rejects(step(), (error: unknown) => {
          assert.ok(failing('MAP_NOT_FILE')(error));
          assert.doesNotMatch(error instanceof Failure ? error.line : '', /0644|0755|chmod|adm/);
          return true;
        });
      assert.equal((await stat(mapPath(spec))).mode & 0o777, 0o700);
    });
  });

test('who may not write is told what Postfix makes of it', async () => {
  const spec = await newSpec('lmdb');
  await writeFile(mapPath(spec), '');
  await assert.rejects(readRows(spec), failing('MAP_EMPTY'));
  const { map, close } = await holdMap(spec, true, mustNotWarn);
  assert.deepEqual(await map.rows(), []);
  await close();
  assert.equal((await stat(mapPath(spec))).size, 0);
});

test('it stays the file that Postfix may have open', async () => {
  const spec = await newSpec('lmdb');
  await writeFile(mapPath(spec), '');
  const { ino } = await stat(mapPath(spec));
  await (await openMap(spec)).close();
  assert.equal((await stat(mapPath(spec))).ino, ino);
});
