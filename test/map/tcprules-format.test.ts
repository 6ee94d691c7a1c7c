import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { makeCdb, readCdb } from '../../src/map/cdb.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { openMap, readRows } from '../../src/map/map-types.ts';
import { isEndless } from '../../src/map/row.ts';
import { parseRules, textOf } from '../../src/map/tcprules.ts';
import { ip } from './addresses.ts';
import { failing } from './failing.ts';
import { newSpec } from './scratch.ts';

const put = (address: string) => ({ ip: ip(address), stamp: epoch(9) });
const end = (address: string) => ({ ip: ip(address), stamp: null });

async function contents({ path }: MapSpec): Promise<string[]> {
  return readCdb(await readFile(path)).map(({ key, value }) => `${key}:${textOf(value)}`);
}

/** A map with a text of rules beside it. */
async function ruled(text: string) {
  const spec = await newSpec('tcprules');
  const rules = `${spec.path}.rules`;
  await writeFile(rules, text);
  const warnings: string[] = [];
  const ruledSpec: MapSpec = { ...spec, rules };
  return {
    spec: ruledSpec,
    warnings,
    open: () => openMap(ruledSpec, { warn: one => warnings.push(one) }),
    write: (other: string) => writeFile(rules, other),
  };
}

describe('a map of tcpserver', () => {
  test('has the rules of the text, and says them again in its rows', async () => {
    const { spec, open } = await ruled('10.1.:deny\n10.2.0.9:allow\n:allow,A="1"\n');
    const map = await open();
    const own = ['10.1.:deny', '10.2.0.9:allow', ':allow,A="1"'];
    assert.deepEqual(await contents(spec), own);
    const ips = ['10.1.0.1', '10.2.0.9', '10.2.0.1', '2001:db8:0:1:1:1:1:1'];
    assert.deepEqual(await map.commit(ips.map(put)), ['foreign', 'foreign', 'added', 'added']);
    assert.deepEqual(await contents(spec), [
      ...own,
      '10.2.0.1:allow,A="1",RELAYCLIENT=""',
      '2001:db8::1:1:1:1:1:allow,A="1",RELAYCLIENT=""',
    ]);
    assert.deepEqual(
      (await readRows(spec)).filter(({ stamp }) => stamp !== null).map(({ key }) => key),
      ['10.2.0.1', '2001:db8:0:1:1:1:1:1'],
    );
    assert.deepEqual((await map.rows()).filter(isEndless), []);
    const ends = ips.map(end);
    assert.deepEqual(await map.commit(ends), ['foreign', 'foreign', 'removed', 'removed']);
    assert.deepEqual(await contents(spec), own);
    await map.close();
  });

  test('follows the text, also for the rows that there are', async () => {
    const { spec, open, write } = await ruled(':allow,A="1"\n');
    const map = await open();
    await map.commit([put('10.1.0.1'), put('10.2.0.1')]);
    await write('10.1.:deny\n:allow,A="2"\n');
    assert.throws(() => map.check(), failing('MAP_RULES_CHANGED'));
    assert.deepEqual(
      (await map.reopen()).map(({ key }) => key),
      ['', '10.1.', '10.2.0.1'],
    );
    map.check();
    assert.deepEqual(await contents(spec), [
      '10.1.:deny',
      ':allow,A="2"',
      '10.2.0.1:allow,A="2",RELAYCLIENT=""',
    ]);
    await map.close();
  });

  test('stays with the rules as they were while the text has an error, and ends its rows', async () => {
    const { spec, open, write, warnings } = await ruled('10.1.:deny\n');
    const map = await open();
    await map.commit([put('10.2.0.1')]);
    await write('10.1.:den\n');
    assert.throws(() => map.check(), failing('MAP_RULES_CHANGED'));
    await map.reopen();
    map.check();
    assert.equal(warnings.length, 1);
    const changes = [put('10.1.0.1'), put('10.3.0.1'), end('10.2.0.1')];
    assert.deepEqual(await map.commit(changes), ['foreign', 'added', 'removed']);
    await map.close();
    const again = await open();
    assert.equal(warnings.length, 2);
    assert.deepEqual(await again.commit([put('10.1.0.1'), end('10.3.0.1')]), [
      'foreign',
      'removed',
    ]);
    assert.deepEqual(await contents(spec), ['10.1.:deny']);
    await again.close();
  });

  test('is not made without rules', async () => {
    const { open, spec } = await ruled('10.1.:den\n');
    await assert.rejects(open(), failing('MAP_RULES'));
    await assert.rejects(
      openMap({ ...spec, rules: '/nowhere/rules' }),
      /\/nowhere\/rules: no such file/i,
    );
    await assert.rejects(readFile(spec.path), /ENOENT/);
  });

  test('without a text has the rules that are in the file, and names those that let clients relay', async () => {
    const spec = await newSpec('tcprules');
    const { records } = parseRules(Buffer.from('10.1.:deny\n127.:allow,RELAYCLIENT=""\n'), '');
    await writeFile(spec.path, makeCdb(records));
    const map = await openMap(spec);
    assert.deepEqual(await map.commit([put('10.1.0.1'), put('192.0.2.1')]), ['foreign', 'added']);
    const endless = (await map.rows()).filter(isEndless);
    assert.deepEqual(endless, [{ key: '127.', value: 'allow,RELAYCLIENT=""', stamp: null }]);
    assert.deepEqual(await map.remove(endless), ['removed']);
    assert.deepEqual(await contents(spec), ['10.1.:deny', '192.0.2.1:allow,RELAYCLIENT=""']);
    await map.close();
  });
});
