/** Maps that a configuration names no more: their rows end, whatever has become of them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { FormerMaps, fileFor } from '../../src/map/former-maps.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { formatMapSpec, openMap, readRows } from '../../src/map/map-types.ts';
import { claim } from '../../src/map/owner.ts';
import { ip } from './addresses.ts';
import { directory, newSpec } from './scratch.ts';

const CONFIGURATION = '/etc/popbsmtp/popbsmtp.toml';

interface World {
  /** A start with these maps; what it warned of. */
  start(...maps: readonly MapSpec[]): Promise<string[]>;
  /** What is noted now. */
  noted(): Promise<unknown>;
  readonly file: ReturnType<typeof fileFor>;
}

async function world(): Promise<World> {
  const file = fileFor(await directory(), CONFIGURATION);
  return {
    file,
    start: async (...maps) => {
      const told: string[] = [];
      await new FormerMaps(file, maps, text => void told.push(text)).end();
      // Not what is said of any map of such a type.
      return told.filter(text => text.includes('is no longer'));
    },
    noted: async () => JSON.parse(await readFile(file.path, 'utf8')),
  };
}

/** A map with a grant and a row of the administrator's. */
async function usedMap(): Promise<MapSpec> {
  const spec = await newSpec('cidr');
  await writeFile(spec.path, '192.0.2.9\tOK\n');
  const map = await openMap(spec);
  await map.commit([{ ip: ip('192.0.2.1'), stamp: epoch(1_795_000_000) }]);
  await map.close();
  return spec;
}

const keys = async (spec: MapSpec): Promise<string[]> =>
  (await readRows(spec)).map(({ key }) => key);

const BOTH = ['192.0.2.1', '192.0.2.9'];
const noted = (...maps: readonly MapSpec[]): unknown => ({ maps: maps.map(formatMapSpec) });

describe('a map that the configuration', () => {
  test('names, now and before, is noted, and keeps its rows', async () => {
    const { start, noted: found } = await world();
    const spec = await usedMap();
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await start(spec), []);
      assert.deepEqual(await found(), noted(spec));
    }
    assert.deepEqual(await keys(spec), BOTH);
  });

  test('names no more is ended as it was written, and its reader is told, again if that failed', async () => {
    const { start, noted: found } = await world();
    const place = await directory();
    const mark = join(place, 'told');
    const command = ['/bin/sh', '-c', `test -e ${place}/up && cat ${place}/map > ${mark}`] as const;
    const spec: MapSpec = { type: 'table', path: join(place, 'map'), mode: 0o640, command };
    await writeFile(spec.path, '# popbsmtp 1795000000\n192.0.2.1\n192.0.2.9\n');
    await start(spec);
    const fresh = await newSpec();
    for (let round = 0; round < 2; round++) {
      assert.match(
        (await start(fresh)).join('\n'),
        /its rows stay: .*could not make the rows known/,
      );
      assert.deepEqual(await keys(spec), ['192.0.2.9']);
      assert.deepEqual(await found(), {
        maps: [fresh, spec].map(formatMapSpec),
        manners: { [formatMapSpec(spec)]: { mode: 0o640, command } },
      });
    }
    await writeFile(join(place, 'up'), '');
    await start(fresh);
    assert.equal(await readFile(mark, 'utf8'), '# @list\n192.0.2.9\n');
    assert.equal((await stat(spec.path)).mode & 0o777, 0o640);
    assert.deepEqual(await found(), noted(fresh));
  });

  test('names no more loses the rows of ours, which is said, and is forgotten', async () => {
    const { start, noted: found } = await world();
    const [old, mirror, fresh] = [await usedMap(), await usedMap(), await newSpec()];
    await start(old, mirror);
    const told = await start(fresh);
    assert.equal(told.length, 2);
    assert.match(told[0] ?? '', /^cidr:\S+ is no longer in the configuration: its 1 row is ended/);
    for (const spec of [old, mirror]) assert.deepEqual(await keys(spec), ['192.0.2.9']);
    assert.deepEqual(await found(), noted(fresh));
    assert.deepEqual(await start(fresh), []);
  });

  test('names no more, and that another popbsmtp owns, is left alone, and tried again', async () => {
    const { start, noted: found } = await world();
    const [old, fresh] = [await usedMap(), await newSpec()];
    await start(old);
    const owner = await claim(old);
    assert.match((await start(fresh)).join(), /its rows stay: .* another popbsmtp/);
    assert.deepEqual(await keys(old), BOTH);
    assert.deepEqual(await found(), noted(fresh, old));
    await owner.release({ clean: true });
    assert.equal((await start(fresh)).length, 1);
    assert.deepEqual(await keys(old), ['192.0.2.9']);
  });

  test('names no more, and that is gone, is forgotten', async () => {
    const { start, noted: found } = await world();
    const [old, fresh] = [await newSpec(), await newSpec()];
    await start(old);
    assert.deepEqual(await start(fresh), []);
    assert.deepEqual(await found(), noted(fresh));
  });

  test('names no more loses its rows to a purge as well, which notes no map of its own', async () => {
    const { start, file, noted: found } = await world();
    const [old, fresh] = [await usedMap(), await newSpec()];
    const purge = (): Promise<readonly MapSpec[]> =>
      new FormerMaps(file, [fresh], () => undefined, { isStart: false }).end();
    assert.deepEqual(await purge(), []);
    assert.equal(existsSync(file.path), false);
    await start(old);
    const owner = await claim(old);
    assert.deepEqual((await purge()).map(formatMapSpec), [formatMapSpec(old)]);
    assert.deepEqual(await found(), noted(old));
    await owner.release({ clean: true });
    assert.deepEqual(await purge(), []);
    assert.deepEqual(await keys(old), ['192.0.2.9']);
    assert.deepEqual(await found(), noted());
  });

  for (const text of ['not JSON', '{"maps":["regexp:/x", 7]}', '[]']) {
    test(`named, by notes that cannot be used (${text}), stops nothing`, async () => {
      const { start, file, noted: found } = await world();
      const spec = await usedMap();
      await writeFile(file.path, text);
      await start(spec);
      assert.deepEqual(await found(), noted(spec));
    });
  }
});

test('each configuration has notes of its own', () => {
  assert.notEqual(fileFor('/d', CONFIGURATION).path, fileFor('/d', '/etc/other.toml').path);
});
