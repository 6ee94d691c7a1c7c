/**
 * What every type of map promises, with the real `postmap`, or a program that reads lists, on the other side: one table for all.
 */
import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Change } from '../../src/grant/change.ts';
import type { MapSpec, Row } from '../../src/map/map.ts';
import { mapPath, openMap, readRows } from '../../src/map/map-types.ts';
import { addresses, ip } from '../map/addresses.ts';
import { startNode } from '../map/child.ts';
import { failing } from '../map/failing.ts';
import { killWriter, ROWS } from '../map/killed-writer.ts';
import { behavesLikeMemory, holdsManyRows } from '../map/model.ts';
import {
  ALL_TYPES,
  addRows,
  foreignRow,
  found,
  isText,
  lines,
  makeMap,
  requireType,
} from './map-kinds.ts';
import { Rig } from './rig.ts';

const rig = new Rig();
after(() => rig.close());

const A = ip('192.0.2.1');
const GRANT = { key: '192.0.2.3', value: '12345' };

const grants = (network: string, count: number): Change[] =>
  addresses(network, count).map((address, index) => ({ ip: address, stamp: epoch(index) }));

const gone = (changes: readonly Change[]): Change[] =>
  changes.map(({ ip: address }) => ({ ip: address, stamp: null }));

const keys = (rows: readonly Row[]): string[] => rows.map(({ key }) => key);

for (const type of ALL_TYPES) {
  describe(`${type}:`, { skip: requireType(type) }, () => {
    const foreign = foreignRow(type, '192.0.2.9');

    const newSpec = async (): Promise<MapSpec> => ({
      type,
      path: join(await rig.directory(), 'map'),
    });

    const beside = async (spec: MapSpec): Promise<string[]> =>
      (await readdir(dirname(spec.path))).sort();

    test('is made where there is none, for its account only, and empty', async () => {
      const spec = await newSpec();
      const umask = process.umask(0o077);
      const map = await openMap(spec).finally(() => process.umask(umask));
      assert.deepEqual(await map.rows(), []);
      assert.equal((await stat(mapPath(spec))).mode & 0o777, 0o600);
      assert.equal(await found(spec, [A]), '');
      await map.close();
      assert.deepEqual(await beside(spec), [mapPath(spec).slice(dirname(spec.path).length + 1)]);
    });

    test('does what a map in memory does', async () => {
      await behavesLikeMemory(await newSpec(), 10);
      await holdsManyRows(await newSpec(), 2000);
    });

    test('has for Postfix the rows that we wrote, and no others', async () => {
      const spec = await newSpec();
      const map = await openMap(spec);
      const more = ['2001:db8::', '2001:db8::1', '::1'].map(ip);
      await map.commit([
        ...grants('10.1', 2000),
        ...more.map(address => ({ ip: address, stamp: epoch(5) })),
      ]);
      await map.commit(gone(grants('10.1', 1000)));
      const rows = await readRows(spec);
      assert.equal(rows.length, 1003);
      const absent = ['10.1.0.0', '10.1.3.231', '2001:db8::10'];
      assert.equal(await found(spec, [...keys(rows), ...absent]), lines(rows));
      assert.equal((await stat(mapPath(spec))).mode & 0o777, 0o600);
      await map.close();
      assert.equal((await beside(spec)).length, 1);
    });

    test("keeps the administrator's rows, and the text that they are made from", async () => {
      const spec = await newSpec();
      await makeMap(spec, [foreign, GRANT]);
      const source = await readFile(spec.path, 'utf8');
      const map = await openMap(spec);
      const address = ip(foreign.key);
      const changes = [
        { ip: address, stamp: epoch(1) },
        { ip: A, stamp: epoch(2) },
        { ip: address, stamp: null },
        { ip: ip(GRANT.key), stamp: null },
      ];
      assert.deepEqual(await map.commit(changes), ['foreign', 'added', 'foreign', 'removed']);
      assert.equal(
        await found(spec, [A, foreign.key, GRANT.key]),
        lines([{ key: A, value: '2' }, foreign]),
      );
      await map.close();
      if (!isText(spec)) assert.equal(await readFile(spec.path, 'utf8'), source);
    });

    const added = async (): Promise<void> => {
      const spec = await newSpec();
      const map = await openMap(spec);
      await map.commit(grants('10.1', 50));
      await addRows(spec, [foreign]);
      map.check();
      assert.deepEqual(await map.commit([{ ip: ip(foreign.key), stamp: epoch(1) }]), ['foreign']);
      await map.commit(gone(grants('10.1', 49)));
      assert.deepEqual(keys(await map.rows()), ['10.1.0.49', foreign.key]);
      await map.close();
    };
    // Nothing can be added to a cdb file.
    if (type !== 'cdb') {
      test('may be added to by the administrator while it is in use', added);
    }

    test('tells when it was replaced, leaves the new one alone, and goes on in it', async () => {
      const spec = await newSpec();
      const map = await openMap(spec);
      await map.commit([{ ip: A, stamp: epoch(1) }]);
      const { identity } = map;
      await copyFile(mapPath(spec), `${spec.path}.copy`);
      await map.commit([{ ip: A, stamp: epoch(2) }]);
      map.check();
      await rename(`${spec.path}.copy`, mapPath(spec));
      assert.throws(() => map.check(), failing('MAP_REPLACED'));
      await assert.rejects(map.commit([{ ip: A, stamp: epoch(3) }]), failing('MAP_REPLACED'));
      assert.deepEqual(
        (await map.reopen()).map(({ stamp }) => stamp),
        [1],
      );
      assert.notEqual(map.identity, identity);
      assert.deepEqual(await map.commit([{ ip: A, stamp: epoch(3) }]), ['renewed']);
      await map.close();
      assert.deepEqual(
        (await readRows(spec)).map(({ stamp }) => stamp),
        [3],
      );
    });

    test('tells when it was removed, and is made anew', async () => {
      const spec = await newSpec();
      const map = await openMap(spec);
      await map.commit([{ ip: A, stamp: epoch(1) }]);
      await unlink(mapPath(spec));
      assert.throws(() => map.check(), failing('MAP_REPLACED'));
      await assert.rejects(readRows(spec), failing('MAP_MISSING'));
      assert.deepEqual(await map.reopen(), []);
      assert.deepEqual(await map.commit([{ ip: A, stamp: epoch(2) }]), ['added']);
      await map.close();
    });

    const refused = async (): Promise<void> => {
      const spec = await newSpec();
      const text = 'not a database\n'.repeat(2000);
      await writeFile(mapPath(spec), text);
      const code = type === 'hash' || type === 'btree' ? 'MAP_POSTMAP' : 'MAP_FORMAT';
      await assert.rejects(openMap(spec), failing(code));
      assert.equal(await readFile(mapPath(spec), 'utf8'), text);
      assert.equal((await beside(spec)).length, 1);
    };
    // Any text is a text map.
    if (!isText({ type })) {
      test('is refused when it is something else, and stays as it was', refused);
    }

    test('stays as it was when it cannot be written', async () => {
      const spec = await newSpec();
      const child = startNode(
        `const { openMap } = await import(source('map/map-types.js'));
         const map = await openMap(${JSON.stringify(spec)});
         const rows = count => Array.from({ length: count }, (_, n) =>
           ({ ip: '10.0.' + (n >> 8) + '.' + (n & 255), stamp: 1 }));
         await map.commit(rows(10));
         const failed = await map.commit(rows(20000)).then(() => null, error => error.code);
         console.log(failed);
         await map.close();`,
        {},
        { fileBytes: 131_072 },
      );
      assert.match(await child.line(), /^MAP_(IO|POSTMAP)$/);
      assert.equal((await child.ended()).code, 0);
      // Only lmdb makes a long list in slices.
      const rows = (await readRows(spec)).length;
      assert.equal(type === 'lmdb' ? rows % 500 : rows, type === 'lmdb' && rows > 10 ? 0 : 10);
      assert.equal((await beside(spec)).length, 1);
    });

    test('may be left by a killed process at any moment', async () => {
      const spec = await newSpec();
      await killWriter(spec);
      const map = await openMap(spec);
      const rows = await map.rows();
      assert.equal(rows.length % ROWS, 0);
      assert.equal(await found(spec, keys(rows)), lines(rows));
      await map.commit([{ ip: A, stamp: epoch(1) }]);
      assert.equal((await map.rows()).length, rows.length + 1);
      await map.close();
      assert.equal((await beside(spec)).length, 1, 'nothing is left of the killed one');
    });
  });
}
