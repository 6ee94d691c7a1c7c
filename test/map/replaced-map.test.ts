import assert from 'node:assert/strict';
import { appendFile, open, readFile, rename, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { type Format, ReplacedMap, readReplaced } from '../../src/map/replaced-map.ts';
import { TEXT } from '../../src/map/text-format.ts';
import { ip } from './addresses.ts';
import { failing } from './failing.ts';
import { newSpec } from './scratch.ts';

/** A format during whose changes somebody else writes the file, so many times. */
function disturbed(times: number): Format {
  let left = times;
  return {
    ...TEXT,
    change: async (spec, fresh, changes) => {
      const changed = await TEXT.change(spec, fresh, changes);
      if (left > 0) await appendFile(spec.path, `10.0.0.${left--} OK\n`);
      return changed;
    },
  };
}

const change = { ip: ip('192.0.2.1'), stamp: epoch(9) };

describe('a map that is replaced', () => {
  test('keeps what somebody else writes while the new file is made', async () => {
    const spec = await newSpec('texthash');
    const map = await ReplacedMap.open(spec, disturbed(2));
    assert.deepEqual(await map.commit([change]), ['added']);
    assert.equal(await readFile(spec.path, 'utf8'), '10.0.0.2 OK\n10.0.0.1 OK\n192.0.2.1\t9\n');
    await map.close();
  });

  test('gives up, with the file as others want it, when they never stop', async () => {
    const spec = await newSpec('texthash');
    const map = await ReplacedMap.open(spec, disturbed(1000));
    await assert.rejects(map.commit([change]), failing('MAP_IO'));
    assert.doesNotMatch(await readFile(spec.path, 'utf8'), /192/);
    await map.close();
  });

  for (const isKeptOpen of [true, undefined])
    test(`${isKeptOpen ? 'tells' : 'does not tell'} those who have the old file open`, async () => {
      const spec = await newSpec('texthash');
      const map = await ReplacedMap.open(spec, { ...TEXT, ...(isKeptOpen && { isKeptOpen }) });
      const old = await open(spec.path);
      const seconds = async (): Promise<number> => Math.floor((await old.stat()).mtimeMs / 1000);
      const before = await seconds();
      assert.deepEqual(await map.commit([change]), ['added']);
      assert.equal(await seconds(), before + (isKeptOpen ? 1 : 0));
      await old.close();
      await map.close();
    });

  for (const [times, outcome] of [
    [1, 'is read again'],
    [1000, 'is told to be unreadable, if that never ends'],
  ] as const)
    test(`${outcome}, where reading fails while it is replaced`, async () => {
      const spec = await newSpec('texthash');
      await writeFile(spec.path, '10.0.0.1 OK\n');
      let left = times;
      const replaced: Format = {
        ...TEXT,
        read: async one => {
          if (left-- <= 0) return TEXT.read(one);
          await writeFile(`${spec.path}.new`, '10.0.0.2 OK\n');
          await rename(`${spec.path}.new`, spec.path);
          throw new Error('File changed after open');
        },
      };
      const reading = readReplaced(spec, replaced);
      if (times > 1) await assert.rejects(reading, failing('MAP_UNREADABLE'));
      else
        assert.deepEqual(
          (await reading).map(({ key }) => key),
          ['10.0.0.2'],
        );
    });

  test('is read once, where reading fails and it stays as it is', async () => {
    const spec = await newSpec('texthash');
    await writeFile(spec.path, '10.0.0.1 OK\n');
    let reads = 0;
    const broken: Format = {
      ...TEXT,
      read: async () => {
        reads++;
        throw new Error('broken');
      },
    };
    await assert.rejects(readReplaced(spec, broken), failing('MAP_UNREADABLE'));
    assert.equal(reads, 1);
  });

  test('is left alone when there is nothing to change', async () => {
    const spec = await newSpec('texthash');
    const map = await ReplacedMap.open(spec, TEXT);
    await map.commit([change]);
    const { identity } = map;
    const gone = { ip: ip('192.0.2.2'), stamp: null };
    assert.deepEqual(await map.commit([change, gone]), ['renewed', 'absent']);
    assert.equal(map.identity, identity);
    await map.close();
  });
});
