import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Fork } from '../../src/fleet/fork.ts';
import type { History } from '../../src/fleet/history.ts';

const one = (offset: number): History => ({ name: 'one', offset, former: null });
const two = (end: number, former = 'one'): History => ({
  name: 'two',
  offset: 10_000,
  former: { name: former, end },
});

let fork: Fork;

beforeEach(() => {
  fork = new Fork();
  fork.note('a', one(100), 10);
  fork.note('a', one(200), 20);
  fork.note('a', one(300), 30);
});

test('nobody lacks nothing but who goes on', () => {
  assert.equal(fork.lacking('a', one(300)), 'nothing');
  assert.equal(fork.lacking('a', one(400)), 'nothing');
  assert.equal(fork.lacking('b', one(300)), 'all', 'another start');
  assert.equal(fork.lacking('a', one(299)), 'all', 'it went back');
  assert.equal(fork.lacking('a', { name: '', offset: 300, former: null }), 'all');
  assert.equal(new Fork().lacking('a', one(300)), 'all');
});

test('who was promoted may lack what came after the last moment that both have', () => {
  assert.deepEqual(fork.lacking('b', two(301)), { since: 30 });
  assert.deepEqual(fork.lacking('b', two(300)), { since: 20 });
  assert.deepEqual(fork.lacking('b', two(250)), { since: 20 });
  assert.equal(fork.lacking('b', two(100)), 'all');
  assert.equal(fork.lacking('b', two(301, 'three')), 'all');
});

test('a primary that takes another name for its first replica has all', () => {
  assert.equal(fork.lacking('a', { name: 'two', offset: 300, former: null }), 'nothing');
  assert.equal(fork.lacking('b', { name: 'two', offset: 300, former: null }), 'all');
});

test('only what is noted of the same start and history counts', () => {
  fork.note('b', two(301), 40);
  assert.equal(fork.lacking('b', two(301)), 'nothing');
  assert.equal(
    fork.lacking('c', { name: 'three', offset: 1, former: { name: 'one', end: 400 } }),
    'all',
  );
});

test('two minutes are remembered', () => {
  for (let count = 1; count <= 60; count++) fork.note('a', one(300 + count), 30 + count);
  assert.equal(fork.lacking('b', two(301)), 'all');
  assert.deepEqual(fork.lacking('b', two(303)), { since: 32 });
});
