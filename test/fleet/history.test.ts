import assert from 'node:assert/strict';
import { test } from 'node:test';
import { historyIn } from '../../src/fleet/history.ts';

/** As Redis 7.0 answers `INFO replication`. */
const info = (name: string, offset: number, former: string, end: number): string =>
  [
    '# Replication',
    'role:master',
    `master_replid:${name}`,
    `master_replid2:${former}`,
    `master_repl_offset:${offset}`,
    `second_repl_offset:${end}`,
    '',
  ].join('\r\n');
const A = '7cd99d923cfcb057d2db0204c35d3c40450dbbf5';
const B = 'b80d48ec8b7c19443b13f5b9ab84a4b508d959a6';

test('an engine has one history, and knows which it has gone on from', () => {
  assert.deepEqual(historyIn(info(A, 80, '0'.repeat(40), -1)), {
    name: A,
    offset: 80,
    former: null,
  });
  assert.deepEqual(historyIn(info(B, 137, A, 81)), {
    name: B,
    offset: 137,
    former: { name: A, end: 81 },
  });
});

test('what it does not say is not known', () => {
  for (const text of ['', '# Replication\r\nrole:master\r\n', info(A, 0, '', -1).slice(0, 20)])
    assert.deepEqual(historyIn(text), { name: '', offset: 0, former: null });
});
