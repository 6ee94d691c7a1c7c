import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  evicts,
  fullness,
  infoField,
  isCluster,
  isStale,
  memoryIn,
  type Upstream,
  upstreamIn,
} from '../../src/fleet/info.ts';

/** As Redis 7.0 answers INFO. */
const info = (...lines: string[]): string => ['# Section', ...lines, ''].join('\r\n');

test('a field is a whole name', () => {
  const text = info('slave_repl_offset:1', 'repl_offset:2');
  assert.equal(infoField(text, 'repl_offset'), '2');
  assert.equal(infoField(text, 'offset'), '');
});

test('a node of a cluster is known, of Redis and of Valkey', () => {
  for (const name of ['redis_mode', 'server_mode']) {
    assert.ok(isCluster(info('redis_version:7.2.4', `${name}:cluster`)), name);
    for (const mode of ['standalone', 'sentinel'])
      assert.ok(!isCluster(info('redis_version:7.2.4', `${name}:${mode}`)), `${name} ${mode}`);
  }
  assert.ok(!isCluster(info('listener0:name=cluster')));
});

test('a replica is stale when it does not hear of its primary', () => {
  const table: [lines: string[], upstream: Upstream | null, stale: boolean][] = [
    [['role:master', 'connected_slaves:1'], null, false],
    [
      ['role:slave', 'master_link_status:up', 'master_last_io_seconds_ago:4'],
      { isUp: true, silence: 4 },
      false,
    ],
    [
      ['role:slave', 'master_link_status:up', 'master_last_io_seconds_ago:40'],
      { isUp: true, silence: 40 },
      true,
    ],
    [
      [
        'role:slave',
        'master_link_status:down',
        'master_last_io_seconds_ago:-1',
        'master_link_down_since_seconds:7',
      ],
      { isUp: false, silence: 7 },
      true,
    ],
    // It has never had a link.
    [
      ['role:slave', 'master_link_status:down', 'master_link_down_since_seconds:-1'],
      { isUp: false, silence: 0 },
      true,
    ],
    [[], null, false],
  ];
  for (const [lines, upstream, stale] of table) {
    const found = upstreamIn(info(...lines));
    assert.deepEqual(found, upstream);
    assert.equal(isStale(found), stale, lines.join());
  }
});

test('an engine has room, and may throw away what is there', () => {
  const table: [most: string, policy: string, full: number | null, evicts: boolean][] = [
    ['0', 'noeviction', null, false],
    ['0', 'allkeys-lru', null, false],
    ['1000', 'noeviction', 0.5, false],
    ['1000', 'volatile-lru', 0.5, false],
    ['1000', 'allkeys-lru', 0.5, true],
    ['1000', 'allkeys-random', 0.5, true],
  ];
  for (const [most, policy, full, isEvicting] of table) {
    const memory = memoryIn(
      info('used_memory:500', `maxmemory:${most}`, `maxmemory_policy:${policy}`),
    );
    assert.equal(fullness(memory), full);
    assert.equal(evicts(memory), isEvicting, `${most} ${policy}`);
  }
});
