import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEngine, parseEngine } from '../../src/fleet/engine.ts';
import { replicasIn } from '../../src/fleet/sentinels.ts';

const SENTINEL = parseEngine('rediss://s/2', '-');

/** As a sentinel of Redis 7.0 answers SENTINEL REPLICAS. */
const replica = (ip: string, flags: string, link: string): string[] => [
  ...['name', `${ip}:6379`, 'ip', ip, 'port', '6379', 'flags', flags],
  ...['master-link-status', link, 'slave-priority', '100'],
];
const named = (answer: unknown): string[] => replicasIn(answer, SENTINEL).map(formatEngine);

test('replicas are spoken to as their sentinel is', () => {
  assert.deepEqual(named([replica('192.0.2.1', 'slave', 'ok')]), ['rediss://192.0.2.1:6379/2']);
  assert.deepEqual(named([replica('r.example.org', 'slave', 'ok')]), [
    'rediss://r.example.org:6379/2',
  ]);
});

test('those that are dead or cut off come last, whatever the order of the answer', () => {
  const answer = [
    replica('192.0.2.1', 's_down,slave,disconnected', 'err'),
    replica('192.0.2.2', 'slave', 'err'),
    replica('192.0.2.3', 'slave', 'ok'),
    replica('192.0.2.4', 'slave', 'ok'),
  ];
  for (let run = 0; run < 20; run++) {
    const first = named(answer).slice(0, 2).sort();
    assert.deepEqual(first, ['rediss://192.0.2.3:6379/2', 'rediss://192.0.2.4:6379/2']);
  }
});

test('they are not always in one order', () => {
  const answer = [replica('192.0.2.1', 'slave', 'ok'), replica('192.0.2.2', 'slave', 'ok')];
  const orders = new Set(Array.from({ length: 100 }, () => named(answer).join()));
  assert.equal(orders.size, 2);
});

test('what is no answer names none', () => {
  for (const answer of [null, 'x', [], [[]], [['ip']], [['ip', 'a b', 'port', '1']]])
    assert.deepEqual(named(answer), []);
});
