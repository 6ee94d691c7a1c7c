import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeSite } from '../../src/doctor/fleet-site.ts';
import { type EngineState, type Survey, stateIn } from '../../src/fleet/survey.ts';
import { said } from './arrange.ts';

const PRIMARY: EngineState = {
  upstream: null,
  memory: { used: 1, most: 100, policy: 'noeviction' },
  replicas: 1,
  isCareful: true,
};
const REPLICA: EngineState = { ...PRIMARY, replicas: 0, upstream: { isUp: true, silence: 1 } };
const GONE = { problem: new Error('connect ECONNREFUSED') };
const at = <T>(where: string, state: T) => ({ where, state });
const THREE = ['s1', 's2', 's3'].map(name => at(name, { primary: 'a' }));

const TABLE: [what: string, survey: Survey, said: RegExp[]][] = [
  ['one engine', { engines: [at('a', PRIMARY)], sentinels: [] }, []],
  ['one that is told of already', { engines: [at('a', GONE)], sentinels: [] }, []],
  ['two', { engines: [at('a', PRIMARY), at('b', REPLICA)], sentinels: [] }, []],
  [
    'one of two is gone',
    { engines: [at('a', PRIMARY), at('b', GONE)], sentinels: [] },
    [/^warning: b cannot be used: connect ECONNREFUSED/],
  ],
  [
    'two primaries',
    { engines: [at('a', PRIMARY), at('b', PRIMARY)], sentinels: [] },
    [/^error: more than one engine counts as primary: a, b/],
  ],
  [
    'eviction',
    {
      engines: [at('a', { ...PRIMARY, memory: { used: 1, most: 2, policy: 'allkeys-lru' } })],
      sentinels: [],
    },
    [/^warning: a throws away .*allkeys-lru/],
  ],
  [
    'no room',
    {
      engines: [at('a', { ...PRIMARY, memory: { used: 95, most: 100, policy: 'noeviction' } })],
      sentinels: [],
    },
    [/^warning: a has used 95 %/],
  ],
  [
    'a stale replica',
    {
      engines: [at('a', PRIMARY), at('b', { ...REPLICA, upstream: { isUp: false, silence: 40 } })],
      sentinels: [],
    },
    [/^warning: b is a replica that has not heard of its primary for 40 s/],
  ],
  ['sentinels', { engines: [at('a', PRIMARY), at('b', REPLICA)], sentinels: THREE }, []],
  [
    'few sentinels, one gone',
    {
      engines: [at('a', PRIMARY), at('b', REPLICA)],
      sentinels: [at('s1', { primary: 'a' }), at('s2', GONE)],
    },
    [/^warning: s2 cannot be used/, /^warning: only 2 of the sentinels/],
  ],
  [
    'sentinels that do not agree',
    {
      engines: [at('a', PRIMARY), at('b', REPLICA)],
      sentinels: [...THREE.slice(1), at('s1', { primary: 'b' })],
    },
    [/^error: the sentinels do not agree which engine is the primary: a, b/],
  ],
  [
    'sentinels, and nobody to promote',
    { engines: [at('a', { ...PRIMARY, replicas: 0 })], sentinels: THREE },
    [/^warning: a has no replica/],
  ],
  [
    'sentinels, and a primary that goes on alone',
    { engines: [at('a', { ...PRIMARY, isCareful: false }), at('b', REPLICA)], sentinels: THREE },
    [/^warning: a also takes entries while it is cut off/],
  ],
];

for (const [what, survey, expected] of TABLE) {
  test(what, () => {
    const found = said(judgeSite(survey));
    assert.equal(found.length, expected.length, found.join('\n'));
    for (const [index, one] of expected.entries()) assert.match(found[index] ?? '', one);
  });
}

test('an engine says how it is', () => {
  const replication = 'role:master\r\nconnected_slaves:2\r\n';
  const memory = 'used_memory:1\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n';
  assert.deepEqual(stateIn(replication, memory), {
    upstream: null,
    memory: { used: 1, most: null, policy: 'noeviction' },
    replicas: 2,
    isCareful: false,
  });
  assert.equal(stateIn(`${replication}min_slaves_good_slaves:0\r\n`, memory).isCareful, true);
});
