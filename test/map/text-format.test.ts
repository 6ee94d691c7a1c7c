import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Change, Effect } from '../../src/grant/change.ts';
import { openMap, readRows } from '../../src/map/map-types.ts';
import { ip } from './addresses.ts';
import { newSpec } from './scratch.ts';

/** Makes the changes in a file with this text. */
async function rewrite(
  before: string | Buffer,
  changes: readonly Change[],
): Promise<{ effects: Effect[]; text: Buffer }> {
  const spec = await newSpec('cidr');
  await writeFile(spec.path, before);
  const map = await openMap(spec);
  const effects = await map.commit(changes);
  await map.close();
  return { effects, text: await readFile(spec.path) };
}

const put = (address: string): Change => ({ ip: ip(address), stamp: epoch(9) });

describe('a text map', () => {
  const table: [what: string, before: string, after: string][] = [
    ['empty', '', '192.0.2.1\t9\n'],
    ['without an end of line', '10.0.0.0/8 OK', '10.0.0.0/8 OK\n192.0.2.1\t9\n'],
    ['rows of ours', '192.0.2.1 5\n2001:db8::\t7\n', '192.0.2.1\t9\n2001:db8::\t7\n'],
    [
      "rows of ours among the administrator's",
      '# one\n\n192.0.2.3 5\n!192.0.2.0/24 REJECT no\n',
      '# one\n\n!192.0.2.0/24 REJECT no\n192.0.2.3\t5\n192.0.2.1\t9\n',
    ],
    [
      'a row that goes on behind a comment',
      '192.0.2.3 5\n# and\n  6\n192.0.2.4\n 7\n',
      '192.0.2.3 5\n# and\n  6\n192.0.2.4\n 7\n192.0.2.1\t9\n',
    ],
    ['a network with digits', '192.0.2.0/25 5\n', '192.0.2.0/25 5\n192.0.2.1\t9\n'],
    ['a row without a value', '192.0.2.3\n', '192.0.2.3\n192.0.2.1\t9\n'],
    [
      'if',
      'if 10.0.0.0/8\n10.1.1.1 OK\nendif\n',
      'if 10.0.0.0/8\n10.1.1.1 OK\nendif\n192.0.2.1\t9\n',
    ],
  ];
  for (const [what, before, after] of table) {
    test(`with ${what}`, async () => {
      const { text } = await rewrite(before, [put('192.0.2.1')]);
      assert.equal(text.toString(), after);
    });
  }

  test("never writes a row for an address that has one of the administrator's", async () => {
    const before = '192.0.2.1 OK\n"192.0.2.2" REJECT\n2001:DB8::1 REJECT\n192.0.2.4\n REJECT\n';
    const all = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '192.0.2.4'];
    const changes = [...all.map(put), { ip: ip('192.0.2.1'), stamp: null }];
    const { effects, text } = await rewrite(before, changes);
    assert.deepEqual(new Set(effects), new Set(['foreign']));
    assert.equal(text.toString(), before);
  });

  test('keeps bytes that are no UTF-8', async () => {
    const before = Buffer.from('# \xe4\xff\n10.0.0.1 REJECT \xfc\n', 'latin1');
    const { text } = await rewrite(before, [put('192.0.2.1')]);
    assert.deepEqual(text, Buffer.concat([before, Buffer.from('192.0.2.1\t9\n')]));
  });

  test('lists all rows by their keys', async () => {
    const spec = await newSpec('texthash');
    await writeFile(spec.path, '# x\n192.0.2.9\tREJECT\n  für\n192.0.2.10 12\n');
    assert.deepEqual(await readRows(spec), [
      { key: '192.0.2.10', value: '12', stamp: 12 },
      { key: '192.0.2.9', value: 'REJECT  für', stamp: null },
    ]);
  });
});
