import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/errors.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { openMap } from '../../src/map/map-types.ts';
import { isEndless } from '../../src/map/row.ts';
import { AccessRules, ipOf, keyOf } from '../../src/map/smtpaccess.ts';
import { ip } from './addresses.ts';
import { failing } from './failing.ts';
import { newSpec } from './scratch.ts';

const rulesOf = (text: string) => new AccessRules([{ path: '/rules', text }]);

describe('access rules of couriertcpd', () => {
  const RULES = rulesOf(
    '# all kinds\n\n10.1\tdeny\n10.1.2\tallow,A=1\n10.2\tallow,RELAYCLIENT\n10.3.0.1\tallow\n' +
      '10.4\tallow,BLOCK="550 no,RELAYCLIENT"\n10.6.0.0/15\tdeny\n10.8.0.1/32\tallow\n' +
      ':2001:0db8\tdeny\n:2001:0db9\t allow,B=2 \n2001:dba::/33\tdeny\n10.9 deny\n*\tallow,S=1\n',
  );
  const table: [ip: string, says: string | null][] = [
    ['10.1.0.1', null],
    ['10.1.2.3', '10.1.2.3\tallow,A=1,RELAYCLIENT'],
    ['10.2.0.1', '10.2.0.1\tallow,RELAYCLIENT'],
    ['10.3.0.1', null],
    ['10.3.0.10', '10.3.0.10\tallow,S=1,RELAYCLIENT'],
    ['10.4.0.1', '10.4.0.1\tallow,BLOCK="550 no,RELAYCLIENT",RELAYCLIENT'],
    ['10.7.0.1', null],
    ['10.8.0.1', null],
    ['10.8.0.2', '10.8.0.2\tallow,S=1,RELAYCLIENT'],
    ['10.9.0.1', '10.9.0.1\tallow,S=1,RELAYCLIENT'],
    ['10.10.0.1', '10.10.0.1\tallow,S=1,RELAYCLIENT'],
    ['2001:db8::1', null],
    ['2001:db9::1', ':2001:0db9:0000:0000:0000:0000:0000:0001\tallow,B=2,RELAYCLIENT'],
    ['2001:dba::1', null],
    ['2001:dba:8000::1', ':2001:0dba:8000:0000:0000:0000:0000:0001\tallow,S=1,RELAYCLIENT'],
  ];
  for (const [address, says] of table)
    test(`for ${address}: ${says ?? 'settled'}`, () => {
      assert.equal(RULES.isSettled(ip(address)), says === null);
      if (says !== null) assert.equal(RULES.line(ip(address)), says);
    });

  test('that deny all but a few leave nobody open', () => {
    assert.equal(rulesOf('*\tdeny\n').isSettled(ip('2001:db8::1')), true);
    assert.equal(rulesOf('').line(ip('192.0.2.1')), '192.0.2.1\tallow,RELAYCLIENT');
  });

  for (const line of [
    '10.0.0.1-10.0.0.9\tallow',
    '10.0.0.1/8\tallow',
    '0.0.0.0/0\tdeny',
    '10/8\tdeny',
  ])
    test(`${JSON.stringify(line)} is refused`, () => {
      assert.throws(() => rulesOf(`*\tallow\n${line}\n`), failing('MAP_RULES'));
      assert.throws(() => rulesOf(`*\tallow\n${line}\n`), /line 2/);
    });

  test('any text at all is rules or an error', () => {
    const piece = fc.constantFrom(...'10.:-*/#,"\t\n ', 'allow', 'deny', '2001:0db8', '10.1.2.3');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
        try {
          rulesOf(pieces.join('')).isSettled(ip('10.1.2.3'));
        } catch (error) {
          assert.ok(error instanceof Failure);
        }
      }),
    );
  });

  test('have keys that name one address, and no other ones do', () => {
    for (const address of ['192.0.2.1', '2001:db8::1', '::'].map(ip))
      assert.equal(ipOf(keyOf(address)), address);
    for (const key of ['192.0.2', '*', ':2001:0db8', ':2001:db8::1', '2001:db8::1', ''])
      assert.equal(ipOf(key), null);
  });
});

/** A directory of rules that has a link to the map. */
async function world(text: string) {
  const { path } = await newSpec('smtpaccess');
  const rules = `${path}.d`;
  await mkdir(rules);
  await symlink(path, join(rules, 'popbsmtp'));
  await writeFile(join(rules, 'default'), text);
  const warnings: string[] = [];
  const spec: MapSpec = { type: 'smtpaccess', path, rules, command: ['/bin/true'] };
  return {
    spec,
    warnings,
    open: () => openMap(spec, { warn: one => warnings.push(one) }),
    contents: () => readFile(path, 'utf8'),
    write: (name: string, other: string) => writeFile(join(rules, name), other),
  };
}

const put = (address: string) => ({ ip: ip(address), stamp: epoch(9) });
const end = (address: string) => ({ ip: ip(address), stamp: null });

describe('a map of Courier', () => {
  test('says again what the rules say, and follows them', async () => {
    const { open, contents, write, warnings } = await world('10.1\tdeny\n10.2\tallow,A=1\n');
    const map = await open();
    assert.equal(await contents(), '');
    const ips = ['10.1.0.1', '10.2.0.1', '::1'];
    assert.deepEqual(await map.commit(ips.map(put)), ['foreign', 'added', 'added']);
    const six = `# popbsmtp 9\n${keyOf(ip('::1'))}\tallow,RELAYCLIENT\n`;
    assert.equal(await contents(), `# popbsmtp 9\n10.2.0.1\tallow,A=1,RELAYCLIENT\n${six}`);
    map.check();
    await write('more', '10.2.0\tdeny\n');
    assert.throws(() => map.check(), failing('MAP_RULES_CHANGED'));
    await map.reopen();
    assert.equal(await contents(), six);
    await write('more', '10.2.0/33\tdeny\n');
    await map.reopen();
    assert.match(warnings.join(), /more/);
    assert.deepEqual(await map.commit(['10.2.0.1', '::1'].map(end)), ['foreign', 'removed']);
    assert.equal(await contents(), '');
    await map.close();
  });

  test("keeps the administrator's lines in it, which count as rules", async () => {
    const { open, contents, spec } = await world('');
    const own = '# mine\n192.0.2.9\tdeny\n192.0.2\tallow,RELAYCLIENT\n';
    await writeFile(spec.path, `${own}# popbsmtp 5\n192.0.2.1\tallow,RELAYCLIENT\n`);
    const map = await open();
    assert.deepEqual(await map.commit([put('192.0.2.9'), end('192.0.2.1')]), [
      'foreign',
      'removed',
    ]);
    assert.equal(await contents(), own);
    const endless = (await map.rows()).filter(isEndless);
    assert.deepEqual(
      endless.map(({ key }) => key),
      ['192.0.2'],
    );
    assert.deepEqual(await map.remove(endless), ['removed']);
    assert.equal(await contents(), '# mine\n192.0.2.9\tdeny\n');
    await map.close();
  });

  test('is not kept among the rules, where the files beside it would be taken for some', async () => {
    const { spec } = await world('');
    const path = join(spec.rules ?? '', 'map');
    await assert.rejects(openMap({ ...spec, path }), failing('MAP_RULES'));
  });
});
