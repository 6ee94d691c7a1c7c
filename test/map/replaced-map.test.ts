import assert from 'node:assert/strict';
import { appendFile, readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { type Format, ReplacedMap } from '../../src/map/replaced-map.ts';
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
