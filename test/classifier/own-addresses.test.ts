import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ownAddresses } from '../../src/classifier/own-addresses.ts';
import { ip } from '../map/addresses.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'popbsmtp-own-'));
});
after(() => rm(directory, { recursive: true }));

const leaf = (address: string): string => `     |-- ${address}\n        /32 host LOCAL\n`;

test("the addresses are those of Node's interfaces and of every table, and the loopback's are not", () => {
  const { own } = ownAddresses(assert.fail)();
  const addresses = Object.values(networkInterfaces()).flatMap(found => found ?? []);
  for (const { address, internal } of addresses)
    assert.equal(own.has(ip(address)), !internal, address);
});

test('an address that is added later counts a few seconds later, and one that is gone no more', async () => {
  let now = 1000;
  const [inside, shown] = [join(directory, 'inside'), join(directory, 'shown')];
  await mkdir(shown);
  const read = ownAddresses(assert.fail, [inside, shown], () => now);
  const has = (address: string): boolean => read().own.has(ip(address));
  await writeFile(join(shown, 'fib_trie'), leaf('203.0.113.2'));
  await writeFile(
    join(shown, 'route'),
    'Iface\tDestination\neth0\t00000000\t017100CB\t0003\t0\t0\t0\t00000000\t0\t0\t0\n',
  );
  assert.equal(has('203.0.113.2'), true);
  assert.deepEqual([...read().gateways].length, 1);
  await writeFile(join(shown, 'fib_trie'), leaf('203.0.113.3'));
  now += 4999;
  assert.deepEqual([has('203.0.113.2'), has('203.0.113.3')], [true, false]);
  now += 1;
  assert.deepEqual([has('203.0.113.2'), has('203.0.113.3')], [false, true]);
});

test('a table that cannot be read is told once', async () => {
  await mkdir(join(directory, 'broken', 'route'), { recursive: true });
  const told: string[] = [];
  let now = 0;
  const read = ownAddresses(
    text => told.push(text),
    [join(directory, 'broken')],
    () => now,
  );
  read();
  now += 10_000;
  read();
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /own addresses are not all known: cannot read .*broken\/route/);
});
