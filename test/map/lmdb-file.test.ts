import assert from 'node:assert/strict';
import { open, readdir, symlink, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { readLmdbFile } from '../../src/map/lmdb-file.ts';
import { lock } from '../../src/map/lock.ts';
import { openMap } from '../../src/map/map-types.ts';
import { ip } from './addresses.ts';
import { failing } from './failing.ts';
import { newSpec } from './scratch.ts';

test('reads the rows and leaves nothing beside the map', async () => {
  const spec = await newSpec();
  const map = await openMap(spec);
  await map.commit([
    { ip: ip('2001:db8::1'), stamp: epoch(7) },
    { ip: ip('10.0.0.1'), stamp: epoch(8) },
  ]);
  await map.close();
  assert.deepEqual(await readLmdbFile(spec), [
    { key: '10.0.0.1', value: '8', stamp: 8 },
    { key: '2001:db8::1', value: '7', stamp: 7 },
  ]);
  assert.deepEqual(await readdir(dirname(spec.path)), ['map.lmdb']);
});

test('waits for a writer to finish', async () => {
  const spec = await newSpec();
  await (await openMap(spec)).close();
  const file = await open(`${spec.path}.lmdb`, 'r+');
  const held = await lock(file.fd, 'exclusive');
  const order: string[] = [];
  const reading = readLmdbFile(spec).then(() => order.push('read'));
  // Far longer than the reader needs when nobody is in its way.
  for (let turn = 0; turn < 20; turn++) await readdir('/');
  order.push('released');
  held.release();
  await reading;
  assert.deepEqual(order, ['released', 'read']);
  await file.close();
});

test('a map that is not there', async () => {
  await assert.rejects(readLmdbFile(await newSpec()), failing('MAP_MISSING'));
});

test('a map that cannot be read', async () => {
  const spec = await newSpec();
  await symlink(`${spec.path}.lmdb`, `${spec.path}.lmdb`);
  await assert.rejects(readLmdbFile(spec), failing('MAP_UNREADABLE'));
});

test('a damaged map', async () => {
  const spec = await newSpec();
  await (await openMap(spec)).close();
  await truncate(`${spec.path}.lmdb`, 4096);
  await assert.rejects(readLmdbFile(spec), failing('MAP_FORMAT'));
});
