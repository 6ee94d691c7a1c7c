import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { Damage, readMeta } from '../../src/map/lmdb-meta.ts';
import { walk } from '../../src/map/lmdb-tree.ts';
import { openMap } from '../../src/map/map-types.ts';
import { addresses } from './addresses.ts';
import { newSpec } from './scratch.ts';

const ROWS = addresses('10.0', 1000);

/** A sound file: branches over leaves, and pages that were freed. */
let sound = Buffer.alloc(0);
let pageSize = 0;
/** Where the newer meta page, the root, and the first leaf begin. */
let newer = 0;
let root = 0;
let leaf = 0;

const u16 = (at: number): number =>
  endianness() === 'LE' ? sound.readUInt16LE(at) : sound.readUInt16BE(at);
const firstNode = (page: number): number => page + u16(page + 16);

before(async () => {
  const spec = await newSpec();
  const map = await openMap(spec);
  await map.commit(ROWS.map(ip => ({ ip, stamp: epoch(1) })));
  await map.commit(ROWS.slice(0, 300).map(ip => ({ ip, stamp: null })));
  await map.close();
  sound = await readFile(`${spec.path}.lmdb`);
  const meta = readMeta(sound);
  pageSize = meta.pageSize;
  newer = (meta.txnid % 2) * pageSize;
  root = meta.main.root * pageSize;
  leaf = u16(firstNode(root)) * pageSize;
  assert.equal(meta.main.depth, 2);
});

function keysOf(image: Buffer): string[] {
  const keys: string[] = [];
  walk(image, (key, keyEnd) => keys.push(image.toString('latin1', key, keyEnd)));
  return keys;
}

function put16(image: Buffer, at: number, value: number): void {
  if (endianness() === 'LE') image.writeUInt16LE(value, at);
  else image.writeUInt16BE(value, at);
}

test('a sound file gives its keys in their order', () => {
  const expected = ROWS.slice(300).map(ip => `${ip}\0`);
  assert.deepEqual(keysOf(sound), expected.sort());
});

describe('damage', () => {
  /** What is done to a copy, and what is said. */
  const table: [string, (image: Buffer) => Buffer | undefined, RegExp][] = [
    ['an empty file', () => Buffer.alloc(0), /too short/],
    ['the first page alone', image => image.subarray(0, pageSize), /too short/],
    ['no LMDB file', () => Buffer.alloc(16_384), /no such header/],
    ['another data format', image => void put16(image, 20, 2), /data format 2/],
    ['a broken second meta page', image => void put16(image, pageSize + 16, 0), /no such header/],
    ['a page size of no power of 2', image => void put16(image, 40, 4095), /page size is 4095/],
    ['meta pages that disagree', image => void put16(image, pageSize + 40, 8192), /page size/],
    ['a transaction number too large', image => void image.fill(255, 144, 152), /out of bounds/],
    ['flags of another kind of database', image => void put16(image, newer + 92, 4), /flags 4/],
    ['a tree deeper than LMDB allows', image => void put16(image, newer + 94, 33), /33 deep/],
    ['a depth without a root', image => void image.fill(255, newer + 128, newer + 136), /no root/],
    ['a depth that is not the tree’s', image => void put16(image, newer + 94, 3), /wrong kind/],
    ['a root past the last page', image => void put16(image, newer + 128, 60_000), /outside/],
    ['a root among the meta pages', image => image.fill(0, newer + 128, newer + 136), /outside/],
    ['a file cut off', image => image.subarray(0, root), /outside/],
    ['a page that is another', image => void put16(image, leaf, 9999), /another number/],
    ['a page of another kind', image => void put16(image, leaf + 10, 4), /wrong kind/],
    ['an odd end of the slots', image => void put16(image, leaf + 12, 17), /bounds/],
    ['slots past the nodes', image => void put16(image, leaf + 12, 5000), /bounds/],
    ['nodes past the page', image => void put16(image, leaf + 14, 60_000), /bounds/],
    ['an empty leaf', image => void put16(image, leaf + 12, 16), /empty/],
    ['a branch with one child', image => void put16(image, root + 12, 18), /too few/],
    ['a node outside of its page', image => void put16(image, leaf + 16, 4094), /node outside/],
    ['a key too long', image => void put16(image, firstNode(leaf) + 6, 5000), /key that reaches/],
    ['a value too long', image => void put16(image, firstNode(leaf), 5000), /value that reaches/],
    ['a node of another kind', image => void put16(image, firstNode(leaf) + 4, 2), /plain one/],
    ['a leaf twice', image => void put16(image, root + 18, u16(root + 16)), /twice|out of order/],
    ['a circle', image => void put16(image, firstNode(root), root / pageSize), /twice/],
    ['a key twice', image => void put16(image, leaf + 18, u16(leaf + 16)), /out of order/],
    ['a wrong count', image => void put16(image, newer + 88 + 32, 699), /counts its entries/],
    ['a count of leaves', image => void put16(image, newer + 88 + 16, 1), /counts its leaf/],
  ];
  for (const [what, spoil, said] of table) {
    test(what, () => {
      const copy = Buffer.from(sound);
      const image = spoil(copy) ?? copy;
      assert.throws(
        () => keysOf(image),
        error => error instanceof Damage && said.test(error.message),
      );
    });
  }

  /** Anything but `Damage` is a bug, and so would be a walk that does not end. */
  function survives(image: Buffer): void {
    try {
      keysOf(image);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
    }
  }

  test('changed bytes anywhere', () => {
    const change = fc.tuple(fc.nat(sound.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), changes => {
        const image = Buffer.from(sound);
        for (const [at, value] of changes) image[at] = value;
        survives(image);
      }),
      { numRuns: 1000 },
    );
  });

  test('changed bytes where they matter: meta pages and the heads of pages and nodes', () => {
    const pages = sound.length / pageSize;
    const place = fc.oneof(
      fc.nat(2 * pageSize - 1).filter(at => at % pageSize < 152),
      fc.tuple(fc.nat(pages - 1), fc.nat(63)).map(([page, at]) => page * pageSize + at),
      fc.nat(40).map(at => firstNode(leaf) + at),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 }),
        changes => {
          const image = Buffer.from(sound);
          for (const [at, value] of changes) image[at] = value;
          survives(image);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('a file cut off anywhere', () => {
    fc.assert(fc.property(fc.nat(sound.length), length => survives(sound.subarray(0, length))));
  });
});
