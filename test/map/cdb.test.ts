import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { makeCdb, readCdb } from '../../src/map/cdb.ts';
import { Damage } from '../../src/map/lmdb-meta.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map(array => Buffer.from(array));
const record = fc.tuple(bytes, bytes).map(([key, value]) => ({ key, value }));
const records = fc.array(record, { maxLength: 300 });

describe('cdb', () => {
  test('what is made is read again', () => {
    fc.assert(fc.property(records, list => assert.deepEqual(readCdb(makeCdb(list)), list)));
  });

  test('any other bytes are damage, or records', () => {
    const mangled = fc.tuple(records, fc.nat(), fc.nat({ max: 255 }), fc.nat()).map(parts => {
      const [list, at, byte, cut] = parts;
      const file = makeCdb(list);
      file[at % file.length] = byte;
      return file.subarray(0, cut % 3 === 0 ? cut % file.length : file.length);
    });
    fc.assert(
      fc.property(fc.oneof(mangled, bytes), file => {
        try {
          readCdb(file);
        } catch (error) {
          assert.ok(error instanceof Damage);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('an empty one is 256 empty tables behind the header', () => {
    const file = makeCdb([]);
    assert.equal(file.length, 2048);
    for (let at = 0; at < 2048; at += 8) {
      assert.deepEqual([file.readUInt32LE(at), file.readUInt32LE(at + 4)], [2048, 0]);
    }
  });
});
