import assert from 'node:assert/strict';
import {
  chmod,
  copyFile,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Change } from '../../src/grant/change.ts';
import { lock } from '../../src/map/lock.ts';
import type { LookupMap, MapSpec } from '../../src/map/map.ts';
import { openMap, readRows } from '../../src/map/map-types.ts';
import { addresses, ip } from './addresses.ts';
import { startNode } from './child.ts';
import { failing } from './failing.ts';
import { directory, newSpec } from './scratch.ts';

const fileOf = ({ path }: MapSpec): string => `${path}.lmdb`;

const grants = (network: string, count: number, stamp = 1): Change[] =>
  addresses(network, count).map(address => ({ ip: address, stamp: epoch(stamp) }));

const A = ip('10.0.0.1');

/** A map with one row, closed. */
async function oldMap(): Promise<MapSpec> {
  const spec = await newSpec();
  const map = await openMap(spec);
  await map.commit([{ ip: A, stamp: epoch(1) }]);
  await map.close();
  return spec;
}

const keys = async (map: LookupMap): Promise<string[]> => (await map.rows()).map(({ key }) => key);

describe('open', () => {
  test('takes from others what an earlier version gave them, and says so', async () => {
    const spec = await oldMap();
    await chmod(fileOf(spec), 0o644);
    const told: string[] = [];
    const warn = (text: string): void => void told.push(text);
    await (await openMap(spec, { warn })).close();
    assert.equal((await stat(fileOf(spec))).mode & 0o777, 0o600);
    assert.match(told.join(), /was 0644 and is 0600 now.*map-mode/);
    const open = { ...spec, mode: 0o644 };
    await (await openMap(open, { warn })).close();
    assert.equal((await stat(fileOf(spec))).mode & 0o777, 0o644);
    assert.equal(told.length, 1);
  });

  test('makes an empty map, 0600 whatever the umask, and nothing beside it', async () => {
    const spec = await newSpec();
    const umask = process.umask(0o077);
    const map = await openMap(spec).finally(() => process.umask(umask));
    assert.deepEqual(await map.rows(), []);
    assert.equal((await stat(fileOf(spec))).mode & 0o777, 0o600);
    await map.commit([{ ip: A, stamp: epoch(1) }]);
    assert.deepEqual(await readdir(dirname(spec.path)), ['map.lmdb']);
    await map.close();
  });

  test('keeps the rows of a map that is there, and the file', async () => {
    const spec = await oldMap();
    const { ino } = await stat(fileOf(spec));
    const map = await openMap(spec);
    assert.deepEqual(await keys(map), [A]);
    await map.close();
    assert.equal((await stat(fileOf(spec))).ino, ino);
  });

  test('puts a fresh map over the old one when asked to', async () => {
    const spec = await oldMap();
    await writeFile(fileOf(spec), 'torn');
    const map = await openMap(spec, { fresh: true });
    assert.deepEqual(await map.commit([{ ip: A, stamp: epoch(2) }]), ['added']);
    assert.deepEqual(await map.rows(), [{ key: A, value: '2', stamp: 2 }]);
    await map.close();
  });

  test('refuses another file and leaves it as it was', async () => {
    const spec = await newSpec();
    const content = Buffer.from('not a database\n'.repeat(2000));
    await writeFile(fileOf(spec), content);
    await assert.rejects(openMap(spec), failing('MAP_FORMAT'));
    assert.deepEqual(await readFile(fileOf(spec)), content);
    assert.deepEqual(await readdir(dirname(spec.path)), ['map.lmdb']);
  });

  test('says so when there is no directory to write in', async () => {
    const path = `${await directory()}/missing/map`;
    await assert.rejects(openMap({ type: 'lmdb', path }), failing('MAP_DIRECTORY'));
  });
});

describe('a wrong addon', () => {
  /** What the package loads instead of the addon that was compiled for us (node-gyp-build). */
  async function openWith(spec: MapSpec, prebuild: string): Promise<string> {
    const child = startNode(
      `const { openMap } = await import(source('map/map-types.js'));
       try {
         await openMap(${JSON.stringify(spec)});
         console.log('opened');
       } catch (error) {
         console.log(error.code);
       }`,
      { LMDB_PREBUILD: prebuild },
    );
    return child.line();
  }

  test('of data format 2, as npm installs it, is refused before the map is touched', async () => {
    const spec = await oldMap();
    const before = await readFile(fileOf(spec));
    // A directory without an addon lets the package fall back on its prebuilt one.
    const fallback = join(import.meta.dirname, '../../../node_modules/lmdb/dist');
    assert.equal(await openWith(spec, fallback), 'LMDB_BUILD');
    assert.deepEqual(await readFile(fileOf(spec)), before);
    assert.deepEqual(await readdir(dirname(spec.path)), ['map.lmdb']);
  });

  test('that cannot be loaded is named', async () => {
    const spec = await oldMap();
    assert.equal(await openWith(spec, await directory()), 'LMDB_MISSING');
  });
});

describe('commit', () => {
  test('tells what each change did, in order', async () => {
    const map = await openMap(await newSpec());
    const changes: Change[] = [
      { ip: A, stamp: epoch(1) },
      { ip: A, stamp: epoch(2.9) },
      { ip: A, stamp: epoch(2) },
      { ip: A, stamp: null },
      { ip: A, stamp: null },
      { ip: A, stamp: epoch(3) },
    ];
    assert.deepEqual(await map.commit(changes), [
      'added',
      'renewed',
      'renewed',
      'removed',
      'absent',
      'added',
    ]);
    assert.deepEqual(await map.rows(), [{ key: A, value: '3', stamp: 3 }]);
    assert.deepEqual(await map.commit([]), []);
    await map.close();
  });

  test('makes a list longer than a transaction, and calls in their order', async () => {
    const map = await openMap(await newSpec());
    const many = grants('10.1', 2500);
    const [first, second, third] = await Promise.all([
      map.commit(many),
      map.commit(many.map(({ ip: address }) => ({ ip: address, stamp: null }))),
      map.commit(many.slice(0, 1)),
    ]);
    assert.deepEqual(new Set(first), new Set(['added']));
    assert.deepEqual(new Set(second), new Set(['removed']));
    assert.deepEqual([first.length, second.length, third], [2500, 2500, ['added']]);
    await map.close();
  });

  test('waits for a reader, and changes nothing before', async () => {
    const spec = await newSpec();
    const map = await openMap(spec);
    const file = await open(fileOf(spec));
    const held = await lock(file.fd, 'shared');
    const done = map.commit([{ ip: A, stamp: epoch(1) }]);
    assert.deepEqual(await readRows(spec), []);
    held.release();
    assert.deepEqual(await done, ['added']);
    await file.close();
    await map.close();
  });

  test('gives up when a reader does not let go, says who it is, and writes when it has', async () => {
    const spec = await oldMap();
    const holder = startNode(
      `const { open } = await import('node:fs/promises');
       const { lock } = await import(source('map/lock.js'));
       globalThis.file = await open(${JSON.stringify(fileOf(spec))});
       await lock(globalThis.file.fd, 'shared');
       console.log(process.pid);
       setInterval(() => undefined, 1e6);`,
    );
    const pid = await holder.line();
    const isTold = (error: unknown): boolean =>
      failing('MAP_LOCKED')(error) && new RegExp(`by pid ${pid} \\(`).test(String(error));
    await assert.rejects(openMap(spec), isTold);
    await holder.kill('SIGKILL');
    const map = await openMap(spec);
    assert.deepEqual(await map.commit([{ ip: A, stamp: null }]), ['removed']);
    await map.close();
  });

  test('says so when the file was replaced, leaves the new one alone, and goes on in it when reopened', async () => {
    const spec = await newSpec();
    const map = await openMap(spec);
    await map.commit([{ ip: A, stamp: epoch(1) }]);
    await copyFile(fileOf(spec), `${spec.path}.copy`);
    map.check();
    await rename(`${spec.path}.copy`, fileOf(spec));
    assert.throws(() => map.check(), failing('MAP_REPLACED'));
    await assert.rejects(map.commit([{ ip: A, stamp: epoch(2) }]), failing('MAP_REPLACED'));
    assert.deepEqual(
      (await map.reopen()).map(({ stamp }) => stamp),
      [1],
    );
    assert.deepEqual(await map.commit([{ ip: A, stamp: epoch(3) }]), ['renewed']);
    assert.deepEqual(
      (await readRows(spec)).map(({ stamp }) => stamp),
      [3],
    );
    await map.close();
  });

  test('makes an empty one when reopened after the file was removed', async () => {
    const spec = await newSpec();
    const map = await openMap(spec);
    await map.commit([{ ip: A, stamp: epoch(1) }]);
    await unlink(fileOf(spec));
    assert.throws(() => map.check(), failing('MAP_REPLACED'));
    assert.deepEqual(await map.reopen(), []);
    assert.deepEqual(await map.commit([{ ip: A, stamp: epoch(2) }]), ['added']);
    assert.deepEqual(
      (await readRows(spec)).map(({ stamp }) => stamp),
      [2],
    );
    await map.close();
  });

  test('changes nothing when it cannot write', async () => {
    const spec = await newSpec();
    const child = startNode(
      `const { openMap } = await import(source('map/map-types.js'));
       const map = await openMap(${JSON.stringify(spec)});
       const rows = third => Array.from({ length: 200 }, (_, last) =>
         ({ ip: '10.0.' + third + '.' + last, stamp: 1 }));
       let made = 0;
       let failed;
       while (failed === undefined && made < 1000) {
         await map.commit(rows(made)).then(() => made++, error => { failed = error.code; });
       }
       console.log(JSON.stringify({ made, failed }));
       await map.close();`,
      {},
      { fileBytes: 65_536 },
    );
    const { made, failed } = JSON.parse(await child.line());
    assert.equal(failed, 'MAP_IO');
    assert.ok(made > 0);
    assert.equal((await readRows(spec)).length, made * 200);
    assert.deepEqual(await child.ended(), { code: 0, stderr: '' });
  });
});

describe('the process', () => {
  const writer = (spec: MapSpec, rest: string): string =>
    `const { openMap } = await import(source('map/map-types.js'));
     const map = await openMap(${JSON.stringify(spec)});
     await map.commit([{ ip: '10.0.0.1', stamp: 1 }]);
     ${rest}`;

  for (const [what, rest] of [
    ['after close', 'await map.close();'],
    ['without close', ''],
  ]) {
    test(`ends by itself ${what}`, async () => {
      const spec = await newSpec();
      const child = startNode(writer(spec, rest ?? ''));
      assert.deepEqual(await child.ended(), { code: 0, stderr: '' });
      assert.equal((await readRows(spec)).length, 1);
    });
  }

  test('may be killed at any moment: whole transactions are in the map', async () => {
    const spec = await newSpec();
    const child = startNode(
      writer(
        spec,
        `for (let round = 0; ; round++) {
           const ips = Array.from({ length: 100 }, (_, last) => '10.1.' + (round % 50) + '.' + last);
           await map.commit(ips.map(ip => ({ ip, stamp: round % 100 < 50 ? 1 : null })));
           if (round === 500) console.log('busy');
         }`,
      ),
    );
    await child.line();
    await child.kill('SIGKILL');
    const rows = await readRows(spec);
    assert.equal((rows.length - 1) % 100, 0);
    const map = await openMap(spec);
    await map.commit([{ ip: A, stamp: null }]);
    assert.equal((await map.rows()).length, rows.length - 1);
    await map.close();
  });
});
