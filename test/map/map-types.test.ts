import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAP_TYPES, MAP_WORDS, mapPath } from '../../src/map/map-types.ts';
import { specOf } from '../../src/options/options.ts';

test('the file of a map has the suffix that Postfix appends', () => {
  const files = MAP_TYPES.map(type => mapPath({ type, path: '/x' }));
  assert.deepEqual(files, [
    '/x.lmdb',
    '/x.db',
    '/x.db',
    '/x.cdb',
    '/x',
    '/x',
    '/x',
    '/x',
    '/x',
    '/x',
    '/x.db',
  ]);
});

test('the types are the words of --map', () => {
  assert.ok(MAP_WORDS.includes('lmdb:'));
  assert.deepEqual(specOf('map').words, MAP_WORDS);
});
