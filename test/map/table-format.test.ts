import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Change, Effect } from '../../src/grant/change.ts';
import { openMap, readRows } from '../../src/map/map-types.ts';
import { ip } from './addresses.ts';
import { newSpec } from './scratch.ts';

async function rewrite(
  before: string | Buffer,
  changes: readonly Change[],
): Promise<{ effects: Effect[]; text: Buffer }> {
  const spec = await newSpec('table');
  await writeFile(spec.path, before);
  const map = await openMap(spec);
  const effects = await map.commit(changes);
  await map.close();
  return { effects, text: await readFile(spec.path) };
}

const put = (address: string): Change => ({ ip: ip(address), stamp: epoch(9) });
const end = (address: string): Change => ({ ip: ip(address), stamp: null });

const MARK = '# @list\n';

/** 192.0.2.1 as it stands at the end of each. */
const OURS = '# popbsmtp 9\n192.0.2.1\n';

describe('a list of addresses', () => {
  const table: [what: string, before: string, after: string][] = [
    ['nothing', '', OURS],
    ['no end of line', '10.0.0.0/8', `10.0.0.0/8\n${OURS}`],
    ['an older row of ours', '# popbsmtp 5\n192.0.2.1\n', OURS],
    [
      "rows of ours among the administrator's lines",
      '# printers\n\n# popbsmtp 5\n2001:db8::1\n10.1.1.1 # one\n',
      `# printers\n\n10.1.1.1 # one\n# popbsmtp 5\n2001:db8::1\n${OURS}`,
    ],
    ['a stamp of nothing', '# popbsmtp 5\n', `# popbsmtp 5\n${OURS}`],
    ['a stamp of a network', '# popbsmtp 5\n10.0.0.0/8\n', `# popbsmtp 5\n10.0.0.0/8\n${OURS}`],
    [
      'two stamps',
      '# popbsmtp 5\n# popbsmtp 6\n10.1.1.1\n',
      `# popbsmtp 5\n# popbsmtp 6\n10.1.1.1\n${OURS}`,
    ],
    ['an address with a number', '10.1.1.1 12345\n', `10.1.1.1 12345\n${OURS}`],
  ];
  for (const [what, before, after] of table) {
    test(`with ${what}`, async () => {
      const { text } = await rewrite(before, [put('192.0.2.1')]);
      assert.equal(text.toString(), `${MARK}${after}`);
    });
  }

  test("leaves the administrator's own addresses alone, whatever they look like", async () => {
    const before = '192.0.2.1\n2001:DB8::1 12345\n  192.0.2.3#x\n';
    const ips = ['192.0.2.1', '2001:db8::1', '192.0.2.3'];
    const { effects, text } = await rewrite(before, [...ips.map(put), ...ips.map(end)]);
    assert.deepEqual(new Set(effects), new Set(['foreign']));
    assert.equal(text.toString(), before);
  });

  test('says once what it is, also when it is made, and when the last row ends', async () => {
    const spec = await newSpec('table');
    const map = await openMap(spec);
    const text = () => readFile(spec.path, 'utf8');
    assert.equal(await text(), MARK);
    await map.commit([put('192.0.2.1')]);
    assert.equal(await text(), `${MARK}${OURS}`);
    await map.commit([end('192.0.2.1')]);
    assert.equal(await text(), MARK);
    await map.close();
  });

  test('keeps bytes that are no UTF-8', async () => {
    const before = Buffer.from([0x23, 0xff, 0xe9, 0x0a]);
    const { text } = await rewrite(before, [put('192.0.2.1')]);
    assert.deepEqual(text, Buffer.concat([Buffer.from(MARK), before, Buffer.from(OURS)]));
  });

  test('has the times of its rows', async () => {
    const spec = await newSpec('table');
    await writeFile(spec.path, '10.0.0.0/8\n# popbsmtp 5\n192.0.2.1\n');
    assert.deepEqual(await readRows(spec), [
      { key: '10.0.0.0/8', value: '10.0.0.0/8', stamp: null },
      { key: '192.0.2.1', value: '5', stamp: 5 },
    ]);
  });

  test('loses the rows that are taken away, whosever they are, and nothing else', async () => {
    const spec = await newSpec('table');
    await writeFile(spec.path, '# a\n10.1.1.1 # b\n# popbsmtp 5\n192.0.2.1\n192.0.2.2\n');
    const map = await openMap(spec);
    const rows = await map.rows();
    const gone = rows.filter(({ key }) => key !== '192.0.2.2');
    assert.deepEqual(await map.remove(gone), ['removed', 'removed']);
    await map.close();
    assert.equal(await readFile(spec.path, 'utf8'), `${MARK}# a\n192.0.2.2\n`);
  });
});
