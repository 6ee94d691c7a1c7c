/** Maps that a configuration names no more: their rows end, whatever has become of them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
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

/** A map with a grant, whose reader knows it; by a command that fails while a file says so. */
async function told(): Promise<MapSpec> {
  const spec = await newSpec('table');
  const script = 'test ! -e "$1.broken" && cp "$1" "$1.known"';
  const announced: MapSpec = { ...spec, command: ['/bin/sh', '-c', script, 'sh', spec.path] };
  const map = await openMap(announced);
  await map.commit([{ ip: ip('192.0.2.1'), stamp: epoch(1_795_000_000) }]);
  await map.close();
  return announced;
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

  test('names no more, and whose reader has to be told, is told of the end of its rows', async () => {
    const { start, noted: found } = await world();
    const [old, fresh] = [await told(), await newSpec()];
    await start(old);
    const { command } = old;
    const name = formatMapSpec(old);
    assert.deepEqual(await found(), { maps: [name], commands: { [name]: command } });
    assert.match((await start(fresh)).join(), /its 1 row is ended/);
    assert.equal(await readFile(`${old.path}.known`, 'utf8'), '# @list\n');
    assert.deepEqual(await found(), noted(fresh));
  });

  test('names no more, and whose reader cannot be told, is tried again', async () => {
    const { start } = await world();
    const [old, fresh] = [await told(), await newSpec()];
    await start(old);
    await writeFile(`${old.path}.broken`, '');
    assert.match((await start(fresh)).join(), /its rows stay: /);
    await rm(`${old.path}.broken`);
    await start(fresh);
    assert.equal(await readFile(`${old.path}.known`, 'utf8'), '# @list\n');
  });

  test('names no more can be read by whoever could read it', async () => {
    const { start, noted: found } = await world();
    const [usual, open, fresh] = [await usedMap(), await usedMap(), await newSpec()];
    await start(usual, { ...open, mode: 0o640 });
    await chmod(open.path, 0o640);
    assert.deepEqual(await found(), {
      maps: [usual, open].map(formatMapSpec),
      modes: { [formatMapSpec(open)]: 0o640 },
    });
    await start(fresh);
    const modes = [usual, open].map(async ({ path }) => (await stat(path)).mode & 0o777);
    assert.deepEqual(await Promise.all(modes), [0o600, 0o640]);
  });

  test('has no command from notes that another account may have written', async () => {
    const { start, file } = await world();
    const [old, fresh] = [await told(), await newSpec()];
    await start(old);
    await chmod(file.path, 0o622);
    await start(fresh);
    assert.deepEqual(await keys(old), []);
    assert.match(await readFile(`${old.path}.known`, 'utf8'), /192\.0\.2\.1/);
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
