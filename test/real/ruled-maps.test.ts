/**
 * `tcprules:` and `smtpaccess:` maps after a kill and on a full disk, and the text of the latter under a reader's eyes: the file is whole at any
 * moment, and what it says of the administrator's is there.
 *
 * To see the reader fail: make `rename` in src/map/replaced-map.ts a `copyFile`.
 */
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { epoch } from '../../src/base/clock.ts';
import type { MapSpec } from '../../src/map/map.ts';
import { openMap, readRows } from '../../src/map/map-types.ts';
import { addresses, ip } from '../map/addresses.ts';
import { startNode } from '../map/child.ts';
import { killWriter, ROWS } from '../map/killed-writer.ts';
import { mustRun } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const A = ip('192.0.2.1');
const RULES = { tcprules: '10.9.:deny\n:allow,A="1"\n', smtpaccess: '10.9\tdeny\n*\tallow,A=1\n' };

const rig = new Rig();
after(() => rig.close());

async function newSpec(type: keyof typeof RULES): Promise<MapSpec> {
  const directory = await rig.directory();
  const rules = join(directory, 'rules');
  const state = join(directory, 'state');
  await mkdir(state);
  await writeFile(rules, RULES[type]);
  return { type, path: join(state, 'map'), rules, command: ['/bin/true'] };
}

/** What is said of an address by the one who reads the map. */
async function said({ type, path }: MapSpec, address: string): Promise<string> {
  return type === 'tcprules'
    ? mustRun('tcprulescheck', [path], { env: { TCPREMOTEIP: address } })
    : mustRun('awk', ['-F', '\t', '-v', `key=${address}`, '$1 == key', path]);
}

for (const type of ['tcprules', 'smtpaccess'] as const) {
  const skip = requirePrograms(type === 'tcprules' ? ['tcprulescheck'] : ['awk']);

  describe(`${type}:`, { skip }, () => {
    test('may be left by a killed process at any moment', async () => {
      const spec = await newSpec(type);
      await killWriter(spec);
      const map = await openMap(spec);
      const ours = (await map.rows()).filter(({ stamp }) => stamp !== null);
      assert.equal(ours.length % ROWS, 0);
      const [row] = ours;
      if (row !== undefined) assert.match(await said(spec, row.key), /A=1[\s\S]*RELAYCLIENT/);
      assert.deepEqual(await map.commit([{ ip: ip('10.9.0.1'), stamp: epoch(1) }]), ['foreign']);
      assert.deepEqual(await map.commit([{ ip: A, stamp: epoch(1) }]), ['added']);
      await map.close();
      assert.deepEqual(await readdir(join(spec.path, '..')), ['map'], 'nothing else is left');
    });

    test('stays as it was when it cannot be written', async () => {
      const spec = await newSpec(type);
      const child = startNode(
        `const { openMap } = await import(source('map/map-types.js'));
         const map = await openMap(${JSON.stringify(spec)});
         const rows = count => Array.from({ length: count }, (_, n) =>
           ({ ip: '10.0.' + (n >> 8) + '.' + (n & 255), stamp: 1 }));
         await map.commit(rows(10));
         console.log(await map.commit(rows(20000)).then(() => null, error => error.code));
         await map.close();`,
        {},
        { fileBytes: 131_072 },
      );
      assert.equal(await child.line(), 'MAP_IO');
      assert.equal((await child.ended()).code, 0);
      assert.equal((await readRows(spec)).filter(({ stamp }) => stamp !== null).length, 10);
      assert.match(await said(spec, '10.0.0.9'), /RELAYCLIENT/);
    });

    test('is whole for its readers while a writer hammers it', async () => {
      const spec = await newSpec(type);
      const map = await openMap(spec);
      const present = addresses('10.1', 200);
      const changing = addresses('10.3', 2000);
      await map.commit(present.map(one => ({ ip: one, stamp: epoch(5) })));
      let ended = false;
      const read = async (): Promise<void> => {
        for (let visit = 0; visit < 60; visit++) {
          const known = present.at((visit * 7) % present.length) ?? A;
          assert.match(await said(spec, known), /RELAYCLIENT/);
          assert.doesNotMatch(await said(spec, '10.2.0.1'), /RELAYCLIENT/);
        }
      };
      const readers = Promise.all([read(), read()]).finally(() => {
        ended = true;
      });
      readers.catch(() => undefined);
      for (let round = 0; round < 50 || !ended; round++) {
        const stamp = round % 3 === 2 ? null : epoch(round);
        const start = (round * 101) % changing.length;
        await map.commit(changing.slice(start, start + 300).map(one => ({ ip: one, stamp })));
        await nextTurn();
      }
      await map.close();
      await readers;
    });
  });
}
